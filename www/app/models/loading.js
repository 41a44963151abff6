/** The status line that shows what is being loaded, and where the models came from: one line for all models. */
import { byId } from "../elements.js";
import { megabytes } from "../format.js";

/**
 * @typedef {import("../../pkg/dist/index.js").Progress} Progress
 * @typedef {import("./models.js").Use} Use
 * @typedef {keyof typeof ready} ModelOrigin Where a model came from.
 */

const section = byId("loading", HTMLElement);
const bar = byId("loading-bar", HTMLProgressElement);
const line = byId("loading-text", HTMLElement);

/** Texts for each phase. @type {Record<Progress["phase"], (what: string) => string>} */
const doing = {
  download: (what) => `Loading ${what}`,
  cache: (what) => `Reading ${what} from this browser's cache`,
  verify: (what) => `Verifying ${what}`,
  upload: (what) => `Uploading ${what} to the device`,
  compile: (what) => `Preparing the device for ${what}`,
  warmup: (what) => `Warming up ${what}`,
};

/** Texts for where a model came from. If several apply, the first one is shown. */
const ready = {
  again: "The GPU was lost. The model was reloaded and is ready again.",
  unkept: "Ready. This browser has no room to store the model, so it will be downloaded again next time.",
  passing: "Ready. Until you close this page, it works without a network.",
  fetched: "Ready. The model is stored in this browser, so it won't be downloaded again.",
  picked: "Ready, using the files you selected.",
  kept: "Ready. Loaded from this browser's cache; nothing was downloaded.",
};
const offline = "You are offline. The model is loaded, so everything still works.";

/** @type {((status: string) => void)[]} */
const listeners = [];
/** Shown instead of where the models came from. */
let remark = "";

/** @param {(status: string) => void} given gets the text of the status line whenever it changes */
export function onStatus(given) {
  listeners.push(given);
}

/** Shows a remark about the models once they are ready. @param {string} text */
export function setRemark(text) {
  remark = text;
}

/** @type {Map<Use, { what: string, progress: Progress }>} */
const inProgress = new Map();
/** @type {Map<Use, ModelOrigin>} */
const origins = new Map();
/** @type {Map<Use, string>} */
const failures = new Map();

/**
 * @param {Use} use
 * @param {string} what
 * @param {Progress} progress
 */
export function showProgress(use, what, progress) {
  forget(use);
  inProgress.set(use, { what, progress });
  show();
}

/** @param {Use} use @param {ModelOrigin} origin */
export function showReady(use, origin) {
  forget(use);
  origins.set(use, origin);
  show();
}

/** @param {Use} use @param {string} text */
export function showFailed(use, text) {
  forget(use);
  failures.set(use, text);
  show();
}

/** Shows a message before anything is loaded. @param {string} text */
export function showWaiting(text) {
  section.dataset.state = "waiting";
  say(text);
}

/** @param {string} text */
function say(text) {
  line.textContent = text;
  for (const listener of listeners) listener(text);
}

/** @param {Use} use */
function forget(use) {
  for (const map of [inProgress, origins, failures]) map.delete(use);
}

/** Loads in progress come first, then failures; "ready" is only shown if there are none. */
function show() {
  const latest = [...inProgress.values()].at(-1);
  if (latest) return showLoad(latest);
  const failed = [...failures.values()];
  const origin = /** @type {ModelOrigin[]} */ (Object.keys(ready)).find((one) => [...origins.values()].includes(one));
  section.dataset.state = failed.length > 0 ? "failed" : "ready";
  section.dataset.how = failed.length > 0 ? "" : origin;
  bar.value = bar.max;
  if (failed.length > 0) say(failed.join(" "));
  else if (origin) say(navigator.onLine ? (origin !== "again" && remark) || ready[origin] : offline);
}

/** @param {{ what: string, progress: Progress }} load */
function showLoad({ what, progress: { phase, loaded, total } }) {
  section.dataset.state = "loading";
  bar.max = Math.max(total, 1);
  bar.value = loaded;
  const amount = total > 1 ? `: ${megabytes(loaded)} of ${megabytes(total)} MB` : "";
  say(`${doing[phase](what)}${amount}`);
}

/** Loaded models work offline; the status line says so. */
function showNetwork() {
  if (section.dataset.state === "ready") show();
}
addEventListener("offline", showNetwork);
addEventListener("online", showNetwork);
