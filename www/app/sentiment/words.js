/** The contribution of each word to the sentiment, below the scale once the user pauses. */
import { byId, make } from "../elements.js";

/**
 * @typedef {import("../../pkg/dist/index.js").TextClassification} TextClassification
 * @typedef {import("../../pkg/dist/index.js").Contributions} Contributions
 * @typedef {Contributions["words"][number]} Word
 */

const line = byId("mood-words", HTMLElement);
const note = byId("mood-note", HTMLElement);

/** Milliseconds without a change before the words are examined, one run of the model per word. */
const PAUSE = 400;
/** Words that change the probability by less have no side. */
const LEAST = 0.02;
/** Number of words that the note names for each side. */
const NAMED = 3;

/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;
/** @type {AbortController | undefined} */
let running;

/** Removes what is shown and stops what is running. */
export function hideWords() {
  clearTimeout(timer);
  running?.abort();
  line.replaceChildren();
  note.textContent = "";
}

/**
 * Shows the words, and after a pause what each contributes. They take their space at once, so that nothing moves when it is
 * known, which is long after the last keystroke.
 * @param {TextClassification} model
 * @param {string} sentence
 * @param {{ low: string, high: string }} names of the two labels
 */
export function showWords(model, sentence, names) {
  hideWords();
  const label = model.labels.at(-1);
  if (model.labels.length !== 2 || label === undefined) return;
  line.replaceChildren(
    ...sentence
      .trim()
      .split(/\s+/u)
      .flatMap((text) => [text, " "]),
  );
  note.textContent = "Looking at each word …";
  const controller = new AbortController();
  running = controller;
  timer = setTimeout(async () => {
    const found = await model.contributions(sentence, { label, signal: controller.signal }).catch(() => undefined);
    if (controller.signal.aborted) return;
    if (found) draw(found, names);
    else note.textContent = "";
  }, PAUSE);
}

/** @param {Contributions} found @param {{ low: string, high: string }} names */
function draw({ words, truncated }, names) {
  const most = Math.max(LEAST, ...words.map(({ contribution }) => Math.abs(contribution)));
  const parts = words.flatMap((word) => {
    const part = make("span", { className: "word", text: word.text });
    part.dataset.side = side(word);
    part.style.setProperty("--weight", String(Math.abs(word.contribution) / most));
    return [part, " "];
  });
  line.replaceChildren(...parts);
  const listed = [named(words, "high", names.high), named(words, "low", names.low), unknown(words)];
  if (truncated) listed.push(`Only the first ${words.length} words are marked.`);
  note.textContent = listed.filter((text) => text !== "").join(" ") || "No single word makes a difference.";
}

/** @param {Word} word */
function side({ contribution, unknown: isUnknown }) {
  if (isUnknown) return "unknown";
  if (Math.abs(contribution) < LEAST) return "none";
  return contribution > 0 ? "high" : "low";
}

/** Names the words that count the most for a label. @param {Word[]} words @param {"high" | "low"} wanted @param {string} label */
function named(words, wanted, label) {
  const found = words.filter((word) => side(word) === wanted);
  found.sort((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution));
  if (found.length === 0) return "";
  return `Makes it more ${label}: ${found.slice(0, NAMED).map(quoted).join(", ")}.`;
}

/** @param {Word[]} words */
function unknown(words) {
  const found = words.filter((word) => word.unknown);
  if (found.length === 0) return "";
  const listed = [...new Set(found.map(quoted))].slice(0, NAMED).join(", ");
  return `This model doesn't know ${listed}: emoji and rare characters mean nothing to it.`;
}

/** @param {Word} word */
function quoted({ text }) {
  return `“${text.replace(/^[^\p{L}\p{N}\p{S}]+|[^\p{L}\p{N}\p{S}]+$/gu, "") || text}”`;
}
