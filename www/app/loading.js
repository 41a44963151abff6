import { byId } from "./elements.js";
import { megabytes } from "./format.js";

/** @typedef {import("../pkg/dist/index.js").Progress} Progress */

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

/** How a model came to stand here, in the words of the status line. */
const ready = {
  fetched: "Ready. The model is kept by this browser: the next visit need not download it.",
  kept: "Ready, from this browser's cache: nothing was downloaded.",
  unkept: "Ready. This browser has no room to keep the model: the next visit downloads it again.",
  passing: "Ready. From here on this works without a network.",
  picked: "Ready, from the files you picked.",
  again: "The GPU was lost for a moment. The model was loaded again and goes on answering.",
};
const offline = "You are offline. The model is here, so everything goes on working.";

let shown = "";

/**
 * @param {string} what
 * @param {Progress} progress
 */
export function showProgress(what, { phase, loaded, total }) {
  section.dataset.state = "loading";
  bar.max = Math.max(total, 1);
  bar.value = loaded;
  const amount = total > 1 ? `: ${megabytes(loaded)} of ${megabytes(total)} MB` : "";
  line.textContent = `${doing[phase](what)}${amount}`;
}

/** @param {keyof typeof ready} how */
export function showReady(how) {
  section.dataset.state = "ready";
  section.dataset.how = how;
  bar.value = bar.max;
  shown = ready[how];
  line.textContent = navigator.onLine ? shown : offline;
}

/** @param {string} text @param {"waiting" | "failed"} state */
export function showLoadingState(text, state) {
  section.dataset.state = state;
  line.textContent = text;
}

/** Losing the network means nothing to a model that stands; people should know. */
function showNetwork() {
  if (section.dataset.state === "ready") line.textContent = navigator.onLine ? shown : offline;
}
addEventListener("offline", showNetwork);
addEventListener("online", showNetwork);
