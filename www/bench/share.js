/** Encodes a result in a link's fragment as deflated JSON in base64url. Fragments are never sent to a server. */
import { NotAResult, readResult } from "./result.js";

/** @typedef {import("./result.js").Result} Result */

const KEY = "#result=";
/** Maximum size of unpacked JSON; results have tens of kilobytes. */
const MAX_SIZE = 1 << 20;

/** @param {Result} result */
export async function linkTo(result) {
  const packed = new Blob([JSON.stringify(result)]).stream().pipeThrough(new CompressionStream("deflate-raw"));
  const bytes = new Uint8Array(await new Response(packed).arrayBuffer());
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  const base64 = btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  return `${location.origin}${location.pathname}${KEY}${base64}`;
}

/** Whether a fragment contains a result. @param {string} fragment */
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
    throw new NotAResult("the link is incomplete or damaged");
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
    if (text.length > MAX_SIZE) throw new NotAResult("the link is too long for a result");
  }
}
