/** What the page does when a load or a call has failed. */
import { showNoDevice, switchTo } from "../device.js";
import { showModels } from "../footer.js";
import { wantedDevice } from "../parameters.js";
import { hideProblem, isGivenUp, lacksGpu, parameterAtFault, showProblem } from "../problem.js";
import { anyLoaded, noteDevice } from "./load.js";
import { showFailed } from "./loading.js";

/**
 * @typedef {import("../../pkg/dist/index.js").Device} Device
 * @typedef {import("./models.js").Use} Use
 * @typedef {"load" | "call"} Kind What has failed: loading a model, or a call to it.
 * @typedef {object} CallListener Callbacks for the end of a call to a model.
 * @property {(device: Device) => void} answered gets the model's current device
 * @property {(error: unknown) => void} failed
 */

/** What the shown error is about. @type {{ use: Use, kind: Kind } | undefined} */
let reported;

/** Returns whether a load failed because of the page's URL, so that another model would fail, too. @param {unknown} error */
export function isOfPage(error) {
  return lacksGpu(error, wantedDevice()) || parameterAtFault(error) !== undefined;
}

/** Shows that there is no model for a use. @param {Use} use @param {string} text */
export function showLoadFailed(use, text) {
  showFailed(use, text);
  showModels(use, undefined);
  if (!anyLoaded()) showNoDevice();
}

/** Shows an error and offers to load the model again. @param {Use} use @param {Kind} kind @param {unknown} error @param {() => void} again */
export function report(use, kind, error, again) {
  // Calls to a model that has been replaced aren't failures.
  if (isGivenUp(error)) return;
  reported = { use, kind };
  showProblem(error, again, lacksGpu(error, wantedDevice()) ? () => switchTo("wasm") : undefined);
}

/** Hides the error if it is about this use, which works again or has another model now. @param {Use} use @param {Kind} [kind] */
export function solved(use, kind) {
  if (reported?.use === use && (!kind || reported.kind === kind)) hideProblem();
}

/** Listens to the calls that a card makes. @param {Use} use @param {() => void} again @returns {CallListener} */
export function callListener(use, again) {
  return {
    answered(device) {
      solved(use, "call");
      noteDevice(use, device);
    },
    failed: (error) => report(use, "call", error, again),
  };
}
