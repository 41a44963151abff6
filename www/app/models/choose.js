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
 * @typedef {import("./models.js").Choice} Choice
 * @typedef {import("./models.js").Use} Use
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

/** Loads a picked model; its use is undefined if its task is unknown. @type {((choice: Choice, use?: Use) => void) | undefined} */
let onPick;
let action = () => {};
/** True if a model that was picked here is being loaded. The panel stays open: closing it would shift the page. */
let picked = false;

/** Tells this panel about loads, which it offers to stop or to undo. */
export const panel = {
  /** Opens the panel if a model is missing. @param {string} message @param {string} [button] @param {() => void} [onClick] */
  missing(message, button, onClick) {
    ended();
    say(message, button, onClick);
    reveal();
  },
  /** Stops offering to stop. @param {string} message */
  failed(message) {
    ended();
    say(message);
  },
  /** @param {string} label @param {() => void} again */
  stopped(label, again) {
    ended();
    say(`Loading ${label} was stopped. Choose another model, or load it anyway.`, `Load ${label} anyway`, again);
    reveal();
  },
  /** @param {string} label @param {() => void} stop */
  loading(label, stop) {
    say(`Loading ${label}.`, `Stop loading ${label}`, stop);
    progress.hidden = !picked;
  },
  /** @param {string} label @param {string} [button] @param {() => void} [onClick] */
  ready(label, button, onClick) {
    say(`Currently using ${label}. Choose another model:`, button, onClick);
    ended();
  },
  mark,
};

/** @param {import("./models.js").BundledModel[]} bundled the models on this site @param {NonNullable<typeof onPick>} given */
export function startChoosing(bundled, given) {
  onPick = given;
  offerModels(bundled);
  listen();
  opener.hidden = false;
}

/** Offers the models on this site, and published ones. @param {import("./models.js").BundledModel[]} bundled */
function offerModels(bundled) {
  offer(
    "choose-bundled",
    bundled.map((model) => ({ ...model, name: `${model.label} (${model.use})`, about: "" })),
  );
  for (const use of /** @type {const} */ (["answers", "sentiment"])) {
    const models = published.filter((model) => model.use === use);
    offer(
      `choose-${use}`,
      models.map((model) => ({ ...model, label: model.id, source: model.id, name: model.id })),
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
    if (given !== "") pick({ label: labelOf(given), source: given });
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
  pick({ label: "your files", source: files });
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

/** Loads a picked model if it is available now; otherwise, the current one stays. @param {Choice} choice @param {Use} [use] */
async function pick({ label, source }, use) {
  if (!navigator.onLine && typeof source === "string" && !(await isStored(source))) {
    return say(`You are offline, and ${label} isn't stored in this browser. Nothing has changed.`);
  }
  picked = true;
  onPick?.({ label, source }, use);
}

/** The load of a picked model has ended. */
function ended() {
  progress.hidden = true;
  picked = false;
}

/**
 * Fills a group with models to pick, each with its size, and a link to where its size and score are stated.
 * @param {string} group
 * @param {(Choice & { use: Use, name: string, bytes: number, about: string, id?: string })[]} models
 */
function offer(group, models) {
  const rows = models.map((model) => {
    const { name, source, use, bytes, about, id } = model;
    const size = `${megabytes(bytes)} MB`;
    const texts = [make("span", { text: name }), make("small", { text: about ? `${size} · ${about}` : size })];
    const button = /** @type {HTMLButtonElement} */ (make("button", { className: "model" }, texts));
    button.type = "button";
    button.dataset.source = String(source);
    button.addEventListener("click", () => pick(model, use));
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
