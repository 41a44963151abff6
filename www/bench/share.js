/** A result in the fragment of a link: JSON, deflated, in base64url. A fragment is never sent to a server. */
import { NotAResult, readResult } from "./result.js";

/** @typedef {import("./result.js").Result} Result */

const KEY = "#result=";
/** A result has some tens of kilobytes; what unpacks to more is something else. */
const LARGEST = 1 << 20;

/** @param {Result} result */
export async function linkTo(result) {
  const packed = new Blob([JSON.stringify(result)]).stream().pipeThrough(new CompressionStream("deflate-raw"));
  const bytes = new Uint8Array(await new Response(packed).arrayBuffer());
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  const base64 = btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  return `${location.origin}${location.pathname}${KEY}${base64}`;
}

/** Whether a fragment claims to be a result. @param {string} fragment */
export function isShared(fragment) {
  return fragment.startsWith(KEY);
}

/**
 * @param {string} fragment
 * @returns {Promise<Result>}
 */
export async function fromFragment(fragment) {
  try {
    const base64 = fragment.slice(KEY.length).replaceAll("-", "+").replaceAll("_", "/");
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    return readResult(JSON.parse(await unpacked(bytes)));
  } catch (error) {
    if (error instanceof NotAResult) throw error;
    throw new NotAResult("the link is cut or damaged");
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
    if (text.length > LARGEST) throw new NotAResult("the link holds more than a result");
  }
}
