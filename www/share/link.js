/** Encodes a value in a link's fragment as deflated JSON in base64url. Fragments are never sent to a server. */
import { Unreadable } from "./readers.js";

/** Maximum size of unpacked JSON, in characters. */
const MAX_SIZE = 1 << 20;
/** Maximum length of the fragment of a link that is opened. */
const MAX_LINK = 1 << 19;

/** The page's address with a value in its fragment. @param {string} key like `#result=` @param {unknown} value */
export async function linkTo(key, value) {
  const packed = new Blob([JSON.stringify(value)]).stream().pipeThrough(new CompressionStream("deflate-raw"));
  const bytes = new Uint8Array(await new Response(packed).arrayBuffer());
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  const base64 = btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  return `${location.origin}${location.pathname}${key}${base64}`;
}

/**
 * Reads the value in a fragment.
 * @template T
 * @param {string} key
 * @param {string} fragment
 * @param {(value: unknown) => T} read checks the value
 * @returns {Promise<T>} rejects with `Unreadable`
 */
export async function fromFragment(key, fragment, read) {
  if (fragment.length > MAX_LINK) throw new Unreadable("the link is too long");
  try {
    const base64 = fragment.slice(key.length).replaceAll("-", "+").replaceAll("_", "/");
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    return read(JSON.parse(await unpacked(bytes)));
  } catch (error) {
    if (error instanceof Unreadable) throw error;
    throw new Unreadable("the link is incomplete or damaged");
  }
}

/** @param {Uint8Array<ArrayBuffer>} bytes */
async function unpacked(bytes) {
  const reader = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw")).getReader();
  const decoder = new TextDecoder();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    text += decoder.decode(value, { stream: true });
    if (text.length <= MAX_SIZE) continue;
    // A few kilobytes can unpack to gigabytes.
    reader.cancel().catch(() => {});
    throw new Unreadable("the link is too long");
  }
}
