/** The line that says what is being loaded, and how the models came to stand here: one line for all of them. */
import { byId } from "./elements.js";
import { megabytes } from "./format.js";

/**
 * @typedef {import("../pkg/dist/index.js").Progress} Progress
 * @typedef {import("./main.js").Use} Use
 * @typedef {keyof typeof ready} Way
 */

const section = byId("loading", HTMLElement);
const bar = byId("loading-bar", HTMLProgressElement);
const line = byId("loading-text", HTMLElement);

/** What is done with a model. @type {Record<Progress["phase"], (what: string) => string>} */
const doing = {
  download: (what) => `Loading ${what}`,
  cache: (what) => `Reading ${what} from this browser's cache`,
  verify: (what) => `Checking ${what}`,
  upload: (what) => `Handing ${what} over to the device`,
  compile: (what) => `Preparing the device for ${what}`,
  warmup: (what) => `Warming up ${what}`,
};

/** How a model came to stand here, in the words of the status line. Of several models the first of these is said. */
const ready = {
  again: "The GPU was lost for a moment. The model was loaded again and goes on answering.",
  unkept: "Ready. This browser has no room to keep the model: the next visit downloads it again.",
  passing: "Ready. From here on this works without a network.",
  fetched: "Ready. The model is kept by this browser: the next visit need not download it.",
  picked: "Ready, from the files you picked.",
  kept: "Ready, from this browser's cache: nothing was downloaded.",
};
const offline = "You are offline. The model is here, so everything goes on working.";

/** @type {Map<Use, { what: string, progress: Progress }>} */
const underWay = new Map();
/** @type {Map<Use, Way>} */
const ways = new Map();
/** @type {Map<Use, string>} */
const failures = new Map();

/**
 * @param {Use} use
 * @param {string} what
 * @param {Progress} progress
 */
export function showProgress(use, what, progress) {
  forget(use);
  underWay.set(use, { what, progress });
  show();
}

/** @param {Use} use @param {Way} way */
export function showReady(use, way) {
  forget(use);
  ways.set(use, way);
  show();
}

/** @param {Use} use @param {string} text */
export function showFailed(use, text) {
  forget(use);
  failures.set(use, text);
  show();
}

/** Nothing is being loaded yet. @param {string} text */
export function showWaiting(text) {
  section.dataset.state = "waiting";
  line.textContent = text;
}

/** @param {Use} use */
function forget(use) {
  for (const map of [underWay, ways, failures]) map.delete(use);
}

/** What is under way comes first, then what failed; that all is well is said only when it is. */
function show() {
  const latest = [...underWay.values()].at(-1);
  if (latest) return showLoad(latest);
  const failed = [...failures.values()];
  const way = /** @type {Way[]} */ (Object.keys(ready)).find((one) => [...ways.values()].includes(one));
  section.dataset.state = failed.length > 0 ? "failed" : "ready";
  section.dataset.how = failed.length > 0 ? "" : way;
  bar.value = bar.max;
  if (failed.length > 0) line.textContent = failed.join(" ");
  else if (way) line.textContent = navigator.onLine ? ready[way] : offline;
}

/** @param {{ what: string, progress: Progress }} load */
function showLoad({ what, progress: { phase, loaded, total } }) {
  section.dataset.state = "loading";
  bar.max = Math.max(total, 1);
  bar.value = loaded;
  const amount = total > 1 ? `: ${megabytes(loaded)} of ${megabytes(total)} MB` : "";
  line.textContent = `${doing[phase](what)}${amount}`;
}

/** Losing the network means nothing to a model that stands; people should know. */
function showNetwork() {
  if (section.dataset.state === "ready") show();
}
addEventListener("offline", showNetwork);
addEventListener("online", showNetwork);
