/** How long the passage is, in words and in windows: what a model reads at once. */
import { byId } from "./elements.js";
import { plural } from "./format.js";

const size = byId("passage-size", HTMLElement);

/** From this many letters on words are counted in a pause of the typing only. */
const LONG = 20_000;
const PAUSE = 300;
/** Letters of a word piece, in English prose. */
const PIECE = 4.4;
/** Word pieces of a passage that fit beside a question, and how far a window moves on. */
const WINDOW = 370;
const STEP = 128;

/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;
/** What a model said of the passage as it stands. @type {number | undefined} */
let known;

/** The passage is another one. @param {HTMLTextAreaElement} area */
export function countPassage(area) {
  clearTimeout(timer);
  known = undefined;
  if (area.textLength < LONG) show(area.value);
  else timer = setTimeout(() => show(area.value), PAUSE);
}

/** A model has cut the passage into windows. @param {string} text @param {number} windows */
export function showWindows(text, windows) {
  clearTimeout(timer);
  known = windows;
  show(text);
}

/** @param {string} text */
function show(text) {
  const words = wordsOf(text);
  const windows = known ?? estimate(text.length);
  size.textContent =
    words === 0 ? "0 words" : `${plural(words, "word")}, ${known ? "" : "about "}${plural(windows, "window")}`;
}

/** @param {string} text */
function wordsOf(text) {
  const word = /\S+/g;
  let count = 0;
  while (word.test(text)) count++;
  return count;
}

/** @param {number} letters */
function estimate(letters) {
  return 1 + Math.max(0, Math.ceil((letters / PIECE - WINDOW) / STEP));
}
