/** Keeps what the user wrote, in this tab only, while it shows another page or loads this one again. */
import { isOwn } from "./samples.js";
import { storageKey } from "./storage-key.js";

const KEY = storageKey("mobilebert-kept");

/** @typedef {{ passage: string, question: string, sentence: string }} Kept */

/** @param {Kept} texts */
export function keep(texts) {
  try {
    sessionStorage.removeItem(KEY);
    if (Object.values(texts).some(isOwn)) sessionStorage.setItem(KEY, JSON.stringify(texts));
  } catch {
    // Storage is full or forbidden; the browser may still restore the fields.
  }
}

/** Returns the texts that were kept. They stay: the browser may end the page without a chance to keep them again. @returns {Kept | undefined} */
export function keptTexts() {
  try {
    const kept = sessionStorage.getItem(KEY);
    return kept === null ? undefined : JSON.parse(kept);
  } catch {
    return undefined;
  }
}
