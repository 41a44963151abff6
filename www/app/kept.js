/** Keeps what the user wrote while the page is reloaded with a newer version. Nothing is stored otherwise. */
const KEY = "mobilebert-kept";

/** @typedef {{ passage: string, question: string, sentence: string }} Kept */

/** @param {Kept} texts */
export function keep(texts) {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(texts));
  } catch {
    // Storage is full or forbidden; the browser may still restore the fields.
  }
}

/** Returns the texts kept before the last reload, once. @returns {Kept | undefined} */
export function takeKept() {
  try {
    const kept = sessionStorage.getItem(KEY);
    sessionStorage.removeItem(KEY);
    return kept === null ? undefined : JSON.parse(kept);
  } catch {
    return undefined;
  }
}
