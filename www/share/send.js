/** Hands a text, a link or a picture to the system, or to the clipboard where there is nothing to share with. */

/** True if this browser can share with other apps. */
export const canShare = typeof navigator.share === "function";

/**
 * Returns what has happened, for the user; empty if the user changed their mind.
 * @param {{ title: string, text: string, url: string }} what
 */
export async function send({ title, text, url }) {
  const copyBoth = async () => (await copy(`${text}\n${url}`, "Copied.")).text;
  if (!canShare) return await copyBoth();
  try {
    await navigator.share({ title, text, url });
    return "";
  } catch (error) {
    return error instanceof DOMException && error.name === "AbortError" ? "" : await copyBoth();
  }
}

/**
 * Copies a text. Without permission or a secure context, selects it in a field instead, for copying by hand. Returns whether
 * it was copied, and what to tell the user.
 * @param {string} text
 * @param {string} done
 * @param {HTMLInputElement | HTMLTextAreaElement} [field]
 */
export async function copy(text, done, field) {
  try {
    await navigator.clipboard.writeText(text);
    return { done: true, text: done };
  } catch {
    field?.select();
    const what = field ? "The text is selected; copy it" : "Copy the link below";
    return { done: false, text: `Copying isn't allowed here. ${what} by hand.` };
  }
}

/** Returns whether this browser can share a picture. @param {File} file */
export function canShareFile(file) {
  return navigator.canShare?.({ files: [file] }) ?? false;
}

/** Shares a picture. @param {File} file @param {string} title */
export async function sendFile(file, title) {
  try {
    await navigator.share({ files: [file], title });
    return "";
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") return "";
    return "The picture could not be shared. Save it instead.";
  }
}
