/** The panel at the bottom of the screen while a long text is read: the best answer so far, the progress, and Stop. */
import { byId } from "../elements.js";
import { plural } from "../format.js";

/** @typedef {import("../../pkg/dist/index.js").PartialAnswers} PartialAnswers */

const panel = byId("reading", HTMLElement);
const bar = byId("reading-bar", HTMLProgressElement);
const best = byId("reading-best", HTMLElement);
const count = byId("reading-count", HTMLElement);
const stop = byId("answer-stop", HTMLButtonElement);

/** Milliseconds after which the remaining time is estimated; the first sections include preparations. */
const MEASURED_FOR = 1500;

/** Milliseconds: a text that is read sooner needs no panel. */
const SHOWN_AFTER = 250;

let began = 0;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/** Shows the panel when reading begins. */
export function beginReading() {
  began = performance.now();
  bar.removeAttribute("value");
  best.textContent = "";
  count.textContent = "Reading…";
  stop.textContent = "Stop";
  clearTimeout(timer);
  timer = setTimeout(() => {
    panel.hidden = false;
  }, SHOWN_AFTER);
}

/**
 * Shows the best answer so far. The panel isn't a live region: only the final answer is announced.
 * @param {PartialAnswers} partial
 */
export function showPartial({ answers, windowsDone, windowsTotal }) {
  bar.max = windowsTotal;
  bar.value = windowsDone;
  count.textContent = `${windowsDone} of ${plural(windowsTotal, "section")}${remaining(windowsDone, windowsTotal)}`;
  const found = answers[0];
  if (!found) return;
  best.textContent = found.text;
  stop.textContent = "Good enough";
}

/** @param {number} done @param {number} total */
function remaining(done, total) {
  const elapsed = performance.now() - began;
  if (elapsed < MEASURED_FOR || done === 0 || done >= total) return "";
  const seconds = Math.ceil(((elapsed / done) * (total - done)) / 1000);
  return seconds < 90 ? `, about ${seconds} s left` : `, about ${Math.ceil(seconds / 60)} min left`;
}

/** Hides the panel. */
export function endReading() {
  clearTimeout(timer);
  panel.hidden = true;
}
