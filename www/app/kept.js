/** Keeps what the user wrote, in this tab only, while it shows another page or loads this one again. */
import { isOwn } from "./samples.js";

const KEY = "mobilebert-kept";

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

/** Returns the texts that were kept, once. @returns {Kept | undefined} */
export function takeKept() {
  try {
    const kept = sessionStorage.getItem(KEY);
    sessionStorage.removeItem(KEY);
    return kept === null ? undefined : JSON.parse(kept);
  } catch {
    return undefined;
  }
}
