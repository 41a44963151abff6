/** The painted words as text, for people who can't see the shades. */
import { byId, make } from "../elements.js";
import { percent } from "../format.js";
import { share } from "./shades.js";

/**
 * @typedef {import("../../pkg/dist/index.js").ExplainedWord} ExplainedWord
 * @typedef {{ word: ExplainedWord, value: number, index: number }} Ranked
 */

const box = byId("inside-lists", HTMLElement);

/** Number of words in a list of the most probable starts or ends. */
const ENDS = 3;
/** Number of words in a list of attended words. */
const ATTENDED = 5;

/** The words with the largest values, largest first. @param {ExplainedWord[]} words @param {ArrayLike<number>} values @param {number} count */
function largest(words, values, count) {
  const ranked = words.map((word, index) => ({ word, index, value: values[index] ?? 0 }));
  return ranked.sort((a, b) => b.value - a.value).slice(0, count);
}

/** The words of the texts that are attended to the most. @param {ExplainedWord[]} words @param {Float32Array} given */
export function mostAttended(words, given) {
  const isWord = words.map(({ source }, index) => (source === "special" ? -1 : (given[index] ?? 0)));
  return largest(words, isWord, ATTENDED);
}

/** Lists where the answer starts and ends. @param {ExplainedWord[]} words */
export function listEnds(words) {
  /** @param {string} title @param {"startProbability" | "endProbability"} which */
  const list = (title, which) => {
    const values = words.map((word) => word[which]);
    return ranking(title, largest(words, values, ENDS), (value) => percent(value), 1);
  };
  box.replaceChildren(
    list("Most probable first words", "startProbability"),
    list("Most probable last words", "endProbability"),
  );
}

/**
 * Lists what a word attends to: the five words with the most, and what the passage, the question and the separators get.
 * @param {ExplainedWord[]} words
 * @param {ExplainedWord} from
 * @param {Float32Array} given
 */
export function listAttention(words, from, given) {
  const most = mostAttended(words, given);
  /** @param {ExplainedWord["source"]} source */
  const total = (source) =>
    words.reduce((sum, word, index) => sum + (word.source === source ? (given[index] ?? 0) : 0), 0);
  const parts = [
    bar("The passage", total("context"), share, 1),
    bar("The question", total("question"), share, 1),
    bar("The separators [CLS] and [SEP]", total("special"), share, 1),
  ];
  const scale = most[0]?.value || 1;
  box.replaceChildren(
    ranking(`${quoted(from)} attends most to`, most, share, scale),
    titled("Of its attention, all of which adds up to 100 %", make("ul", {}, parts)),
  );
}

/** Empties the lists. */
export function hideLists() {
  box.replaceChildren();
}

/** The same in one sentence, for screen readers. @param {ExplainedWord} from @param {Ranked[]} most */
export function inWords(from, most) {
  const each = most.map(({ word, value }) => `${word.text} ${share(value)}`);
  return `${quoted(from)} attends most to: ${each.join(", ")}.`;
}

/** @param {ExplainedWord} word */
export function quoted({ text, source }) {
  return source === "special" ? text : `“${text}”`;
}

/** @param {string} title @param {Ranked[]} words @param {(value: number) => string} format @param {number} most */
function ranking(title, words, format, most) {
  const rows = words.map(({ word, value }) => bar(named(word), value, format, most));
  return titled(title, make("ol", {}, rows));
}

/** @param {ExplainedWord} word */
function named(word) {
  const where = { question: " (in the question)", special: " (separator)", context: "" }[word.source];
  return word.text === "[CLS]" && word.source === "special" ? "[CLS] (no answer)" : `${word.text}${where}`;
}

/** @param {string} title @param {HTMLElement} list */
function titled(title, list) {
  return make("div", {}, [make("h4", { text: title }), list]);
}

/** @param {string} label @param {number} value @param {(value: number) => string} format @param {number} most the length of a full bar */
function bar(label, value, format, most) {
  const meter = document.createElement("meter");
  meter.max = most;
  meter.value = value;
  meter.setAttribute("aria-hidden", "true");
  const line = make("p", {}, [
    make("span", { text: label }),
    make("span", { className: "share", text: format(value) }),
  ]);
  return make("li", {}, [line, meter]);
}
