import { MobileBertError } from "../pkg/dist/index.js";
import { byId } from "./elements.js";

const section = byId("problem", HTMLElement);
const title = byId("problem-title", HTMLElement);
const text = byId("problem-text", HTMLElement);
const advice = byId("problem-advice", HTMLElement);
const code = byId("problem-code", HTMLElement);
const retry = byId("problem-retry", HTMLButtonElement);

/**
 * What each code means here, and what one can do about it.
 * @type {Record<string, [title: string, advice: string]>}
 */
const words = {
  network: ["The model could not be fetched", "Check the connection and the address, then try again."],
  offline: ["You are offline", "The page tries again by itself as soon as the network is back."],
  "not-found": ["There is no such model", "Check the name, or pick another model below."],
  "not-a-model": ["That is not a model", "Check the address, or pick another model below."],
  corrupt: ["The model's files are damaged", "Download or export them again; the message says which."],
  integrity: ["The model's files are not what they should be", "Try again; if it stays so, tell whoever serves them."],
  unsupported: ["This cannot be run here", "Choose another device at the top of the page, or another model below."],
  "invalid-input": ["That cannot be read", "Change what the message names."],
  "out-of-memory": ["The memory does not suffice", "Close other tabs, or choose a smaller model or ?dtype=q8."],
  "device-lost": ["The GPU went away", "Try again; the model is then loaded anew, on the CPU if need be."],
  internal: ["Something went wrong", "Try again; if it stays so, please report it with the code and the message."],
};

/** @type {(() => void) | undefined} */
let again;
retry.addEventListener("click", tryAgain);
addEventListener("online", () => {
  if (!section.hidden && section.dataset.code === "offline") tryAgain();
});

function tryAgain() {
  hideProblem();
  again?.();
}

/** Codes that come again however often one tries. */
const final = ["invalid-input", "unsupported"];

/** What a model was made for, where an error says that it is not what is asked of it. @param {unknown} error */
export function taskFound(error) {
  return error instanceof MobileBertError ? error.detail.task : undefined;
}

/**
 * Title, text and advice for an error.
 * @param {unknown} error
 * @param {string} meant
 * @returns {[title: string, text: string, advice: string]}
 */
function wordsFor(error, meant) {
  const [title, advice] = words[meant] ?? ["Something went wrong", ""];
  const said = error instanceof Error ? error.message : String(error);
  const task = taskFound(error);
  if (task) return ["That model does something else", `It was made for ${task}.`, "Choose another model below."];
  const named = meant === "invalid-input" && error instanceof MobileBertError ? error.detail.field : undefined;
  if (named === "device") return [title, said, "Choose a device at the top of the page."];
  if (named === "dtype" || named === "schedule") return [title, said, `Change ?${named}= in the page's address.`];
  return [title, said, advice];
}

/**
 * Shows what went wrong, its code, and the way on.
 * @param {unknown} error
 * @param {() => void} onRetry
 */
export function showProblem(error, onRetry) {
  const known = error instanceof MobileBertError ? error.code : "internal";
  const meant = known === "network" && !navigator.onLine ? "offline" : known;
  [title.textContent, text.textContent, advice.textContent] = wordsFor(error, meant);
  code.textContent = known;
  section.dataset.code = meant;
  again = onRetry;
  retry.hidden = final.includes(known);
  section.hidden = false;
}

/** The way is free again. */
export function hideProblem() {
  section.hidden = true;
}
