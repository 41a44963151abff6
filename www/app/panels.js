/** Panels below the answer, each opened by a button; at most one is open. */

import { onAnswer } from "./answer/last-answer.js";
import { byId } from "./elements.js";
import { scrolling } from "./scrolling.js";

/** @typedef {{ button: HTMLButtonElement, panel: HTMLElement, show: () => void }} Panel */

/** @type {Panel[]} */
const panels = [];

/**
 * @param {string} buttonId
 * @param {string} panelId
 * @param {() => void} show fills the panel; called when it opens, and when another answer is shown
 */
export function addPanel(buttonId, panelId, show) {
  const one = { button: byId(buttonId, HTMLButtonElement), panel: byId(panelId, HTMLElement), show };
  panels.push(one);
  one.button.addEventListener("click", () => {
    const opens = one.panel.hidden === true;
    for (const other of panels) open(other, other === one && opens);
    if (opens) one.panel.scrollIntoView({ block: "nearest", behavior: scrolling() });
  });
  one.panel.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    open(one, false);
    one.button.focus();
  });
}

/** @param {Panel} one @param {boolean} shown */
function open({ button, panel, show }, shown) {
  if (shown) show();
  panel.hidden = !shown;
  button.setAttribute("aria-expanded", String(shown));
}

function refresh() {
  for (const { panel, show } of panels) if (!panel.hidden) show();
}

onAnswer(refresh);
// Another of several answers.
byId("alternatives", HTMLElement).addEventListener("click", refresh);
