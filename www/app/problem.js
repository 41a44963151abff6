import { MobileBertError } from "../pkg/dist/index.js";
import { byId } from "./elements.js";

const section = byId("problem", HTMLElement);
const title = byId("problem-title", HTMLElement);
const text = byId("problem-text", HTMLElement);
const code = byId("problem-code", HTMLElement);
const retry = byId("problem-retry", HTMLButtonElement);

/** @type {Record<string, string>} */
const titles = {
  network: navigator.onLine ? "The model could not be fetched" : "You are offline",
  "not-found": "There is no such model",
  "not-a-model": "That is not a model",
  corrupt: "The model's files are damaged",
  integrity: "The model's files are not what they should be",
  unsupported: "This cannot be run here",
  "invalid-input": "That cannot be read",
  "out-of-memory": "The memory does not suffice",
  quota: "The browser's storage is full",
  "device-lost": "The GPU went away",
};

/** @type {(() => void) | undefined} */
let again;
retry.addEventListener("click", () => {
  hideProblem();
  again?.();
});

/**
 * Shows what went wrong, its code, and the way on.
 * @param {unknown} error
 * @param {() => void} onRetry
 */
export function showProblem(error, onRetry) {
  const known = error instanceof MobileBertError ? error : undefined;
  title.textContent = titles[known?.code ?? ""] ?? "Something went wrong";
  text.textContent = error instanceof Error ? error.message : String(error);
  code.textContent = known?.code ?? "internal";
  again = onRetry;
  section.hidden = false;
}

/** The way is free again. */
export function hideProblem() {
  section.hidden = true;
}
