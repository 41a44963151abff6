import { MobileBertError } from "../pkg/dist/index.js";
import { byId } from "./elements.js";

const section = byId("problem", HTMLElement);
const title = byId("problem-title", HTMLElement);
const text = byId("problem-text", HTMLElement);
const advice = byId("problem-advice", HTMLElement);
const code = byId("problem-code", HTMLElement);
const cpu = byId("problem-cpu", HTMLButtonElement);
const retry = byId("problem-retry", HTMLButtonElement);

/**
 * A title and advice for each error code.
 * @type {Record<string, [title: string, advice: string]>}
 */
const words = {
  network: ["The model could not be downloaded", "Check your connection and the model's URL, then try again."],
  offline: ["You are offline", "The page will try again as soon as you are back online."],
  "not-found": ["Model not found", "Check the name, or choose another model below."],
  "not-a-model": ["Not a model", "Check the URL, or choose another model below."],
  corrupt: ["The model's files are damaged", "Download or export them again; the message says which."],
  integrity: [
    "The model's files don't match their checksums",
    "Try again. If that doesn't help, tell the people who host the model.",
  ],
  unsupported: ["Not supported here", "Choose another model below."],
  "invalid-input": ["Invalid input", "Correct the value named in the message."],
  "out-of-memory": [
    "Not enough memory",
    "Close other tabs, choose a smaller model, or add ?dtype=q8 to the page's URL.",
  ],
  "device-lost": ["The GPU was lost", "Try again. The model will be reloaded, on the CPU if necessary."],
  internal: [
    "Something went wrong",
    "Try again. If that doesn't help, please report it with the code and the message.",
  ],
};

/** @type {(() => void) | undefined} */
let again;
/** @type {(() => void) | undefined} */
let onCpu;
cpu.addEventListener("click", () => {
  hideProblem();
  onCpu?.();
});
retry.addEventListener("click", tryAgain);
addEventListener("online", () => {
  if (!section.hidden && section.dataset.code === "offline") tryAgain();
});

function tryAgain() {
  hideProblem();
  again?.();
}

/** Codes for which trying again doesn't help. */
const final = ["invalid-input", "unsupported"];

/** Returns the model's actual task, if the error says that it was loaded for a different one. @param {unknown} error */
export function taskFound(error) {
  return error instanceof MobileBertError ? error.detail.task : undefined;
}

/** Returns whether a call ended because its model was replaced, or the call is no longer needed. @param {unknown} error */
export function isGivenUp(error) {
  return error instanceof MobileBertError && ["aborted", "disposed"].includes(error.code);
}

/** Returns whether a load failed because there is no GPU, and `device` asked for one. @param {unknown} error @param {string} device */
export function lacksGpu(error, device) {
  return device === "webgpu" && error instanceof MobileBertError && error.code === "unsupported";
}

/** Returns the parameter in the page's URL that an error is about. @param {unknown} error */
export function parameterAtFault(error) {
  if (!(error instanceof MobileBertError) || !final.includes(error.code)) return undefined;
  return ["device", "dtype", "schedule"].find((name) => name === error.detail.field);
}

/**
 * Returns title, text and advice for an error.
 * @param {unknown} error
 * @param {string} meant
 * @returns {[title: string, text: string, advice: string]}
 */
function wordsFor(error, meant) {
  const [title, advice] = words[meant] ?? ["Something went wrong", ""];
  const message = error instanceof Error ? error.message : String(error);
  const task = taskFound(error);
  if (task) return ["This model is for a different task", `Its task is ${task}.`, "Choose another model below."];
  const named = parameterAtFault(error);
  if (named === "device") return [title, message, "Choose a device at the top of the page."];
  if (named) return [title, message, `Change ?${named}= in the page's URL.`];
  return [title, message, advice];
}

/**
 * Shows an error with its code and advice.
 * @param {unknown} error
 * @param {() => void} onRetry
 * @param {() => void} [useCpu] if the CPU would do what the GPU can't; the button is all the advice needed then
 */
export function showProblem(error, onRetry, useCpu) {
  const known = error instanceof MobileBertError ? error.code : "internal";
  const meant = known === "network" && !navigator.onLine ? "offline" : known;
  [title.textContent, text.textContent, advice.textContent] = wordsFor(error, meant);
  if (useCpu) advice.textContent = "";
  onCpu = useCpu;
  cpu.hidden = useCpu === undefined;
  code.textContent = known;
  section.dataset.code = meant;
  again = onRetry;
  retry.hidden = final.includes(known);
  section.hidden = false;
}

/** Hides the error. The focus moves from it to the page's content. */
export function hideProblem() {
  const inside = section.contains(document.activeElement);
  section.hidden = true;
  const main = section.parentElement;
  if (!inside || !main) return;
  main.tabIndex = -1;
  main.focus({ preventScroll: true });
  // A click between two fields must not move the focus here.
  main.addEventListener("blur", () => main.removeAttribute("tabindex"), { once: true });
}
