/** Lets the user change the model: one on this site, a Hugging Face id, a URL, or local files. */
import { buttons, byId } from "./elements.js";

/**
 * @typedef {import("../pkg/dist/index.js").ModelSource} ModelSource
 * @typedef {object} Chooser
 * @property {(label: string, source: ModelSource) => void} choose loads a model whose task is unknown
 * @property {(model: import("./models.js").BundledModel) => void} take loads a model whose task is known
 * @property {() => void} stop stops the current load
 * @property {() => void} again restarts a stopped load
 * @property {(previous: import("./models.js").Choice) => void} goBack loads the model before the current one
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

/** @param {Chooser} chooser @param {import("./models.js").BundledModel[]} bundled the models on this site */
export function startChoosing(chooser, bundled) {
  buttons(
    "choose-bundled",
    bundled.map(({ label, use }) => `${label} (${use})`),
    (index) => {
      const model = bundled[index];
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
    // Allows selecting the same files again.
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

  /** @param {string} message @param {string} [button] @param {() => void} [onClick] */
  function say(message, button = "", onClick = () => {}) {
    text.textContent = message;
    act.textContent = button;
    act.hidden = button === "";
    action = onClick;
  }

  return {
    /** Opens the panel if there is no model. @param {string} message */
    missing(message) {
      say(message);
      reveal();
    },
    /** @param {string} label */
    stopped(label) {
      say(
        `Loading ${label} was stopped. Choose another model, or load it anyway.`,
        `Load ${label} anyway`,
        chooser.again,
      );
      reveal();
    },
    /** @param {string} label */
    loading(label) {
      hide();
      say(`Loading ${label}.`, `Stop loading ${label}`, chooser.stop);
    },
    close: hide,
    /** @param {string} label @param {import("./models.js").Choice} [previous] the model before, to go back to */
    ready(label, previous) {
      const using = `Currently using ${label}. Choose another model:`;
      if (previous) say(using, `Go back to ${previous.label}`, () => chooser.goBack(previous));
      else say(using);
    },
  };
}

function reveal() {
  section.hidden = false;
  opener.setAttribute("aria-expanded", "true");
}

/** Hides the panel; moves the focus from it to the button that opens it. */
function hide() {
  const inside = section.contains(document.activeElement);
  section.hidden = true;
  opener.setAttribute("aria-expanded", "false");
  if (inside) opener.focus();
}
