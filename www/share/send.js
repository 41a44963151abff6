/** Hands a text, a link or a picture to the system, or to the clipboard where there is nothing to share with. */

/** True if this browser can share with other apps. */
export const canShare = typeof navigator.share === "function";

/**
 * Returns what has happened, for the user; empty if the user changed their mind.
 * @param {{ title: string, text: string, url: string }} what
 */
export async function send({ title, text, url }) {
  if (!canShare) return await copy(`${text}\n${url}`, "Copied.");
  try {
    await navigator.share({ title, text, url });
    return "";
  } catch (error) {
    return error instanceof DOMException && error.name === "AbortError" ? "" : copy(`${text}\n${url}`, "Copied.");
  }
}

/**
 * Copies a text. Without permission or a secure context, selects it in a field instead, for copying by hand.
 * @param {string} text
 * @param {string} done
 * @param {HTMLInputElement | HTMLTextAreaElement} [field]
 */
export async function copy(text, done, field) {
  try {
    await navigator.clipboard.writeText(text);
    return done;
  } catch {
    field?.select();
    return field
      ? "Copying isn't allowed here. The text is selected; copy it by hand."
      : "Copying isn't allowed here. Copy the link below by hand.";
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
