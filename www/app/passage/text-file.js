/** Reads the text of a file that the user opened: plain text, Markdown, or a web page. */
import { megabytes } from "../format.js";

/** Longer texts, in bytes, make the page slow. */
const MAX_BYTES = 5_000_000;

/** Byte order marks, which say how a text is encoded. */
const MARKS = [
  { bytes: [0xff, 0xfe], encoding: "utf-16le" },
  { bytes: [0xfe, 0xff], encoding: "utf-16be" },
  { bytes: [0xef, 0xbb, 0xbf], encoding: "utf-8" },
];

/** Elements of a web page that aren't part of its text. */
const NO_TEXT = "script, style, noscript, template, svg, nav, head, iframe, object";
/** Elements that begin a line of their own. */
const BLOCKS =
  "address, article, aside, blockquote, br, caption, dd, div, dl, dt, figcaption, footer, h1, h2, h3, h4, h5, h6, header, hr, li, main, ol, p, pre, section, table, tr, ul";

/** A file without a text; its message says why, for the user. */
export class NoText extends Error {}

/**
 * Returns the text of a file, and a remark about it.
 * @param {File} file
 * @returns {Promise<{ text: string, remark: string }>} rejects with `NoText`
 */
export async function readTextFile(file) {
  const { name } = file;
  if (file.size > MAX_BYTES) {
    const size = `${megabytes(file.size)} MB, and ${megabytes(MAX_BYTES)} MB is the limit`;
    throw new NoText(`${name} is too large: it has ${size}.`);
  }
  const bytes = await bytesOf(file);
  const { text, note } = decode(bytes);
  if (text.startsWith("%PDF-")) {
    throw new NoText(`${name} is a PDF, which this page can't read. Open it, copy its text, and paste it here.`);
  }
  if (text.includes("\0")) throw new NoText(`${name} isn't a text file.`);
  if (!/^\s*<(!doctype html|html)[\s>]/i.test(text)) return { text, remark: `Opened ${name}.${note}` };
  return { text: textOfPage(text), remark: `Opened the text of the web page ${name}.${note}` };
}

/** @param {File} file */
async function bytesOf(file) {
  try {
    return new Uint8Array(await file.arrayBuffer());
  } catch {
    throw new NoText(`${file.name} can't be read. Is it a folder?`);
  }
}

/** Decodes a text; the note is for the user. @param {Uint8Array} bytes */
function decode(bytes) {
  const mark = MARKS.find((mark) => mark.bytes.every((byte, index) => bytes[index] === byte));
  const text = new TextDecoder(mark?.encoding).decode(bytes);
  const count = (/** @type {RegExp} */ letters) => text.match(letters)?.length ?? 0;
  // A Unicode text may be damaged, but not most of its letters.
  const isUnicode = !text.includes("\ufffd") || count(/\ufffd/g) <= count(/[\u0080-\ufffc]/g);
  if (mark || isUnicode) return { text, note: "" };
  const western = new TextDecoder("windows-1252").decode(bytes);
  return { text: western, note: " It isn't in Unicode, so it was read as Western European text." };
}

/** The text of a web page, a line per block. Parsing neither runs scripts nor loads anything. @param {string} html */
function textOfPage(html) {
  const { body } = new DOMParser().parseFromString(html, "text/html");
  for (const element of body.querySelectorAll(NO_TEXT)) element.remove();
  const LINE = "\u2028";
  for (const block of body.querySelectorAll(BLOCKS)) {
    block.before(LINE);
    block.after(LINE);
  }
  const lines = (body.textContent ?? "").split(LINE).map((line) => line.replaceAll(/\s+/g, " ").trim());
  return lines.filter((line) => line !== "").join("\n");
}
