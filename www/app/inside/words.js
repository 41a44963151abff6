/** The words of a section, painted, and navigated with the arrow keys or by tapping. */
import { byId, make } from "../elements.js";
import { scrolling } from "../scrolling.js";
import { applyPaint } from "./shades.js";

/**
 * @typedef {import("../../pkg/dist/index.js").Explanation} Explanation
 * @typedef {import("../../pkg/dist/index.js").Span} Span
 * @typedef {object} WordListener
 * @property {(index: number) => void} moved called when another word is the current one
 * @property {(index: number) => void} picked called when a word is tapped, or chosen with Enter or Space
 */

const box = byId("inside-words", HTMLElement);

/** One element per word of the explanation. @type {HTMLElement[]} */
let words = [];
/** Index of the word that has the focus, or gets it next. */
let current = 0;

/** @param {WordListener} listener */
export function startWords({ moved, picked }) {
  /** @param {Event} event */
  const indexOf = ({ target }) => words.indexOf(/** @type {HTMLElement} */ (target));
  box.addEventListener("focusin", (event) => {
    const index = indexOf(event);
    if (index < 0 || index === current) return;
    makeCurrent(index);
    moved(index);
  });
  box.addEventListener("click", (event) => {
    const index = indexOf(event);
    if (index < 0) return;
    makeCurrent(index);
    words[index]?.focus({ preventScroll: true });
    picked(index);
  });
  box.addEventListener("keydown", (event) => {
    const index = indexOf(event);
    if (index < 0 || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "Enter" || event.key === " ") picked(index);
    else {
      const next = words[goal(event.key, index)];
      if (!next) return;
      next.focus({ preventScroll: true });
      reveal(next);
    }
    event.preventDefault();
  });
}

/**
 * Shows the words of an explanation; the first word of the answer becomes the current one.
 * @param {Explanation} explanation
 * @param {{ question: string, context: string }} texts
 * @param {Span | undefined} answer
 */
export function showWords(explanation, texts, answer) {
  const passage = explanation.words.findIndex(({ source }) => source === "context");
  words = explanation.words.map(({ text, source }) => {
    const word = make("span", { className: source === "special" ? "word special" : "word", text });
    word.setAttribute("role", "option");
    word.tabIndex = -1;
    return word;
  });
  const first = markAnswer(explanation.words, answer);
  /** @param {string} label @param {number} from @param {number} to */
  const group = (label, from, to) => {
    const element = make("div", { className: "text" });
    element.setAttribute("role", "group");
    element.setAttribute("aria-label", label);
    for (let at = from; at < to; at++) {
      const between = gap(explanation, texts, at);
      if (at > from) element.append(between);
      element.append(/** @type {HTMLElement} */ (words[at]));
    }
    return element;
  };
  const section = explanation.windows > 1 ? `Section ${explanation.window + 1} of ${explanation.windows}` : "Passage";
  const hadFocus = box.contains(document.activeElement);
  box.replaceChildren(group("Question", 0, passage), group(section, passage, words.length));
  makeCurrent(first);
  if (hadFocus) words[first]?.focus({ preventScroll: true });
  // Scrolls the box only, not the page.
  box.scrollTop = Math.max(0, (words[first]?.offsetTop ?? 0) - box.clientHeight / 3);
}

/** Marks the words of the answer; returns the index of its first one. @param {Explanation["words"]} all @param {Span | undefined} answer */
function markAnswer(all, answer) {
  if (!answer) return 0;
  const inside = all.map(({ source, start, end }) => {
    return source === "context" && start < answer.end && end > answer.start;
  });
  for (const [index, word] of words.entries()) word.classList.toggle("chosen", inside[index] === true);
  return Math.max(0, inside.indexOf(true));
}

/**
 * Paints every word, and numbers those of `ranks`, which are indices.
 * @param {(index: number) => import("./shades.js").Paint} paint
 * @param {number[]} ranks
 */
export function paintWords(paint, ranks) {
  for (const [index, word] of words.entries()) {
    applyPaint(word, paint(index));
    const rank = ranks.indexOf(index);
    if (rank < 0) delete word.dataset.rank;
    else word.dataset.rank = String(rank + 1);
  }
}

/** Removes all words. */
export function hideWords() {
  words = [];
  box.replaceChildren();
}

/** Index of the current word. */
export function currentWord() {
  return current;
}

/** Makes a word the one that Tab reaches. @param {number} index */
function makeCurrent(index) {
  const before = words[current];
  if (before) {
    before.tabIndex = -1;
    before.setAttribute("aria-selected", "false");
  }
  current = index;
  const word = words[index];
  if (!word) return;
  word.tabIndex = 0;
  word.setAttribute("aria-selected", "true");
}

/** Returns the text between a word and the one before it. @param {Explanation} explanation @param {{ question: string, context: string }} texts @param {number} at */
function gap({ words: all }, texts, at) {
  const [before, word] = [all[at - 1], all[at]];
  if (!before || !word || word.source === "special" || before.source !== word.source) return " ";
  return (word.source === "question" ? texts.question : texts.context).slice(before.end, word.start);
}

/** The word that a key leads to; -1 for another key. @param {string} key @param {number} index */
function goal(key, index) {
  const last = words.length - 1;
  switch (key) {
    case "ArrowRight":
      return Math.min(index + 1, last);
    case "ArrowLeft":
      return Math.max(index - 1, 0);
    case "Home":
      return 0;
    case "End":
      return last;
    case "ArrowDown":
      return onNextLine(index, 1);
    case "ArrowUp":
      return onNextLine(index, -1);
    default:
      return -1;
  }
}

/** The nearest word on the line below (1) or above (-1), or the same word. @param {number} index @param {1 | -1} step */
function onNextLine(index, step) {
  const from = words[index]?.getBoundingClientRect();
  if (!from) return index;
  let [best, distance] = [index, Number.POSITIVE_INFINITY];
  /** @type {number | undefined} */
  let line;
  for (let at = index + step; words[at]; at += step) {
    const { left, top } = /** @type {HTMLElement} */ (words[at]).getBoundingClientRect();
    if (Math.abs(top - from.top) < from.height / 2) continue;
    line ??= top;
    if (Math.abs(top - line) > from.height / 2) break;
    const away = Math.abs(left - from.left);
    if (away < distance) [best, distance] = [at, away];
  }
  return best;
}

/** Scrolls a word into view within the box, and the box into view. @param {HTMLElement} word */
function reveal(word) {
  word.scrollIntoView({ block: "nearest", behavior: scrolling() });
}
