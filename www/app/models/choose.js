/** Lets the user change the model: one on this site, a Hugging Face id, a URL, or local files. */
import { byId, make } from "../elements.js";
import { modelFor } from "../footer.js";
import { megabytes } from "../format.js";
import { isStored } from "../remembered.js";
import { onStatus } from "./loading.js";
import { labelOf } from "./models.js";
import { cardUrl, published } from "./published.js";

/**
 * @typedef {import("../../pkg/dist/index.js").ModelSource} ModelSource
 * @typedef {object} Chooser
 * @property {(label: string, source: ModelSource) => void} choose loads a model whose task is unknown
 * @property {(model: { label: string, source: ModelSource, use: import("../main.js").Use }) => void} take loads a model
 *   whose task is known
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
const progress = byId("choose-progress", HTMLElement);
const bar = byId("choose-bar", HTMLProgressElement);
const doing = byId("choose-doing", HTMLElement);
const status = byId("loading-bar", HTMLProgressElement);

/** @type {Chooser} */
let chooser;
let action = () => {};
/** True if a model that was picked here is being loaded. The panel stays open: closing it would shift the page. */
let picked = false;

/** Tells this panel about loads, which it offers to stop or to undo. */
const panel = {
  /**
   * Opens the panel if a model is missing.
   * @param {string} message
   * @param {import("./models.js").Choice} [previous] a model to go back to
   */
  missing(message, previous) {
    ended();
    if (previous) say(message, `Go back to ${previous.label}`, () => chooser.goBack(previous));
    else say(message);
    reveal();
  },
  /** Stops offering to stop. @param {string} message */
  failed(message) {
    ended();
    say(message);
  },
  /** @param {string} label */
  stopped(label) {
    ended();
    say(
      `Loading ${label} was stopped. Choose another model, or load it anyway.`,
      `Load ${label} anyway`,
      chooser.again,
    );
    reveal();
  },
  /** @param {string} label @param {() => void} stop */
  loading(label, stop) {
    say(`Loading ${label}.`, `Stop loading ${label}`, stop);
    progress.hidden = !picked;
  },
  /** @param {string} label @param {import("./models.js").Choice} [previous] the model before, to go back to */
  ready(label, previous) {
    const using = `Currently using ${label}. Choose another model:`;
    if (previous) say(using, `Go back to ${previous.label}`, () => chooser.goBack(previous));
    else say(using);
    ended();
  },
  mark,
};

/** @param {Chooser} given @param {import("./models.js").BundledModel[]} bundled the models on this site */
export function startChoosing(given, bundled) {
  chooser = given;
  offerModels(bundled);
  listen();
  opener.hidden = false;
  return panel;
}

/** Offers the models on this site, and published ones. @param {import("./models.js").BundledModel[]} bundled */
function offerModels(bundled) {
  offer(
    "choose-bundled",
    bundled.map((model) => ({ ...model, name: `${model.label} (${model.use})`, about: "" })),
    (model) => pick(model.label, model.source, () => chooser.take(model)),
  );
  for (const use of /** @type {const} */ (["answers", "sentiment"])) {
    const models = published.filter((model) => model.use === use);
    offer(
      `choose-${use}`,
      models.map((model) => ({ ...model, label: model.id, source: model.id, name: model.id })),
      (model) => pick(model.label, model.source, () => chooser.take(model)),
    );
  }
}

function listen() {
  onStatus((text) => {
    doing.textContent = text;
    bar.max = status.max;
    bar.value = status.value;
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const given = id.value.trim();
    const label = labelOf(given);
    if (given !== "") pick(label, given, () => chooser.choose(label, given));
  });
  folder.addEventListener("change", () => {
    takeFiles([...(folder.files ?? [])]);
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
    if (event.key !== "Escape") return;
    event.preventDefault();
    hide();
  });
  act.addEventListener("click", () => action());
}

/** Loads model files that the user selected or dropped. @param {File[]} files */
export function takeFiles(files) {
  if (files.length === 0) return;
  reveal();
  pick("your files", files, () => chooser?.choose("your files", files));
}

/** @param {string} message @param {string} [button] @param {() => void} [onClick] */
function say(message, button = "", onClick = () => {}) {
  text.textContent = message;
  // With the button, the focus would be lost.
  if (button === "" && document.activeElement === act) title.focus();
  act.textContent = button;
  act.hidden = button === "";
  action = onClick;
}

/**
 * Loads a model that the user picked if it is available now; otherwise, the current one stays.
 * @param {string} label
 * @param {ModelSource} source
 * @param {() => void} load
 */
async function pick(label, source, load) {
  if (!navigator.onLine && typeof source === "string" && !(await isStored(source))) {
    return say(`You are offline, and ${label} isn't stored in this browser. Nothing has changed.`);
  }
  picked = true;
  load();
}

/** The load of a picked model has ended. */
function ended() {
  progress.hidden = true;
  picked = false;
}

/**
 * Fills a group with models to pick, each with its size, and a link to where its size and score are stated.
 * @template {{ label: string, source: ModelSource, name: string, bytes: number, about: string, id?: string }} T
 * @param {string} group
 * @param {T[]} models
 * @param {(model: T) => void} onPick
 */
function offer(group, models, onPick) {
  const rows = models.map((model) => {
    const { name, source, bytes, about, id } = model;
    const size = `${megabytes(bytes)} MB`;
    const texts = [make("span", { text: name }), make("small", { text: about ? `${size} · ${about}` : size })];
    const button = /** @type {HTMLButtonElement} */ (make("button", { className: "model" }, texts));
    button.type = "button";
    button.dataset.source = String(source);
    button.addEventListener("click", () => onPick(model));
    return make("li", {}, [button, ...(id ? [cardLink(id)] : [])]);
  });
  const fieldset = byId(group, HTMLFieldSetElement);
  fieldset.hidden = models.length === 0;
  fieldset.querySelector("ul")?.replaceChildren(...rows);
}

/** @param {string} id */
function cardLink(id) {
  const link = /** @type {HTMLAnchorElement} */ (make("a", { text: "Source" }));
  link.href = cardUrl(id);
  link.setAttribute("aria-label", `Source: model card of ${id}`);
  return link;
}

/** Marks the models in use. */
function mark() {
  const used = [modelFor("answers"), modelFor("sentiment")].map((choice) => choice && String(choice.source));
  for (const button of section.querySelectorAll("button.model")) {
    if (!(button instanceof HTMLElement)) continue;
    if (used.includes(button.dataset.source)) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
  }
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
