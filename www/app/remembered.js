/** Remembers the chosen models on this device, by their names. Browsers may forbid it; then nothing is remembered. */
import { cache } from "../pkg/dist/index.js";
import { storageKey } from "./storage-key.js";

/**
 * @typedef {import("./models/models.js").Use} Use
 * @typedef {{ label: string, source: string }} Remembered
 */

const KEY = storageKey("mobilebert-models");

/** @returns {Partial<Record<Use, Remembered>>} */
export function remembered() {
  try {
    const read = JSON.parse(localStorage.getItem(KEY) ?? "{}");
    return Object.fromEntries(Object.entries(read).filter(([, value]) => isRemembered(value)));
  } catch {
    return {};
  }
}

/** @param {unknown} value */
function isRemembered(value) {
  const { label, source } = /** @type {Partial<Remembered>} */ (value ?? {});
  return [label, source].every((text) => typeof text === "string" && text !== "" && text.length < 500);
}

/**
 * Remembers a model, or forgets the one for this use. Files that the user selected can't be remembered.
 * @param {Use} use
 * @param {import("./models/models.js").Choice | undefined} choice
 */
export function remember(use, choice) {
  const { [use]: _, ...others } = remembered();
  const source = choice?.source;
  const kept = choice && typeof source === "string" ? { ...others, [use]: { label: choice.label, source } } : others;
  try {
    localStorage.setItem(KEY, JSON.stringify(kept));
  } catch {
    // Storage is full or forbidden.
  }
}

/** Returns whether a model is stored in this browser, so that loading it downloads nothing. @param {string} source */
export async function isStored(source) {
  return await cache.has(source).catch(() => false);
}
