import { byId } from "./elements.js";
import { megabytes } from "./format.js";

const section = byId("loading", HTMLElement);
const bar = byId("loading-bar", HTMLProgressElement);
const line = byId("loading-text", HTMLElement);

const doing = {
  download: "Loading",
  cache: "Reading from this browser's cache",
  verify: "Checking",
  upload: "Handing over to the device",
  compile: "Preparing the device",
  warmup: "Warming up",
};

/**
 * @param {string} what
 * @param {import("../pkg/dist/index.js").Progress} progress
 */
export function showProgress(what, { phase, loaded, total }) {
  section.dataset.state = "loading";
  bar.max = Math.max(total, 1);
  bar.value = loaded;
  const amount = total > 1 ? `: ${megabytes(loaded)} of ${megabytes(total)} MB` : "";
  line.textContent = `${doing[phase]} ${what}${amount}`;
}

/** @param {string} text @param {"ready" | "waiting" | "failed"} state */
export function showLoadingState(text, state) {
  section.dataset.state = state;
  if (state === "ready") bar.value = bar.max;
  line.textContent = text;
}
