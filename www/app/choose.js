/** Lets people take another model: one beside the page, a Hub id, an address, or files of their own. */
import { buttons, byId } from "./elements.js";

/**
 * @typedef {import("../pkg/dist/index.js").ModelSource} ModelSource
 * @typedef {object} Chooser
 * @property {(label: string, source: ModelSource) => void} choose takes what may do answers or sentiment
 * @property {(model: import("./models.js").Beside) => void} take takes a model of which it is known what it does
 * @property {() => void} stop stops the load that is under way
 * @property {() => void} again loads what was stopped
 */

const section = byId("choose", HTMLElement);
const title = byId("choose-title", HTMLElement);
const text = byId("choose-text", HTMLElement);
const act = byId("choose-act", HTMLButtonElement);
const close = byId("choose-close", HTMLButtonElement);
const opener = byId("choose-open", HTMLButtonElement);
const form = byId("choose-hub", HTMLFormElement);
const id = byId("hub-id", HTMLInputElement);
const folder = byId("folder", HTMLInputElement);

let action = () => {};

/** @param {Chooser} chooser @param {import("./models.js").Beside[]} beside what lies beside the page */
export function startChoosing(chooser, beside) {
  buttons(
    "choose-beside",
    beside.map(({ label, use }) => `${label} (${use})`),
    (index) => {
      const model = beside[index];
      if (model) chooser.take(model);
    },
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const given = id.value.trim();
    if (given !== "") chooser.choose(given, given);
  });
  folder.addEventListener("change", () => {
    const files = [...(folder.files ?? [])];
    if (files.length > 0) chooser.choose("your files", files);
    // The same files can be picked again.
    folder.value = "";
  });
  opener.addEventListener("click", () => {
    if (!section.hidden) return hide();
    reveal();
    title.focus();
  });
  close.addEventListener("click", hide);
  section.addEventListener("keydown", (event) => {
    if (event.key === "Escape") hide();
  });
  act.addEventListener("click", () => action());
  opener.hidden = false;

  /** @param {string} why @param {string} [doing] @param {() => void} [does] */
  function say(why, doing = "", does = () => {}) {
    text.textContent = why;
    act.textContent = doing;
    act.hidden = doing === "";
    action = does;
  }

  return {
    /** Without a model the ways to bring one stand open. @param {string} why */
    missing(why) {
      say(why);
      reveal();
    },
    /** @param {string} label */
    stopped(label) {
      say(`${label} was stopped. Instead of it:`, `Load ${label} after all`, chooser.again);
      reveal();
    },
    /** @param {string} label */
    loading(label) {
      hide();
      say(`${label} is being loaded.`, `Stop loading ${label}`, chooser.stop);
    },
    /** Something else is loaded than what answers. */
    close: hide,
    /** @param {string} label */
    ready(label) {
      say(`${label} answers now. Instead of it:`);
    },
  };
}

function reveal() {
  section.hidden = false;
  opener.setAttribute("aria-expanded", "true");
}

/** Whoever was in there goes back to where it is opened. */
function hide() {
  const inside = section.contains(document.activeElement);
  section.hidden = true;
  opener.setAttribute("aria-expanded", "false");
  if (inside) opener.focus();
}
