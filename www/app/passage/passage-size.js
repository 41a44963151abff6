/** Shows the length of the passage in words and in sections: the overlapping windows that the model reads at once. */
import { byId } from "../elements.js";
import { plural } from "../format.js";

const size = byId("passage-size", HTMLElement);

/** From this many characters on, words are only counted when typing pauses. */
const LONG = 20_000;
const PAUSE = 300;
/** Average characters per token in English prose. */
const CHARACTERS_PER_TOKEN = 4.4;
/** Tokens of the passage per section, next to a question, and from the start of one to that of the next. */
const SECTION = 370;
const STEP = 128;

/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;
/** The number of sections of the current passage, once a model has read it. @type {number | undefined} */
let known;

/** Called when the passage has changed. @param {HTMLTextAreaElement} area */
export function countPassage(area) {
  clearTimeout(timer);
  known = undefined;
  if (area.textLength < LONG) show(area.value);
  else timer = setTimeout(() => show(area.value), PAUSE);
}

/** Called when a model has read the passage. @param {string} text @param {number} sections */
export function showSections(text, sections) {
  clearTimeout(timer);
  known = sections;
  show(text);
}

/** @param {string} text */
function show(text) {
  const words = wordsOf(text);
  const sections = known ?? estimate(text.length);
  const reading = sections > 1 ? `, read in ${known ? "" : "about "}${plural(sections, "section")}` : "";
  size.textContent = words === 0 ? "0 words" : `${plural(words, "word")}${reading}`;
}

/** @param {string} text */
function wordsOf(text) {
  const word = /\S+/g;
  let count = 0;
  while (word.test(text)) count++;
  return count;
}

/** @param {number} characters */
function estimate(characters) {
  return 1 + Math.max(0, Math.ceil((characters / CHARACTERS_PER_TOKEN - SECTION) / STEP));
}
