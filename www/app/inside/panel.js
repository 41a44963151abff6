/** "See inside": why the model chose an answer, painted over the words of the section where it found it. */
import { byId } from "../elements.js";
import { percent, time } from "../format.js";
import { scrolling } from "../scrolling.js";
import { hideLists, inWords, listAttention, listEnds, mostAttended, quoted } from "./lists.js";
import { attentionLegend, attentionStep, probabilityLegend, probabilityStep } from "./shades.js";
import { currentWord, hideWords, paintWords, showWords, startWords } from "./words.js";

/**
 * @typedef {import("../../pkg/dist/index.js").QuestionAnswering} QuestionAnswering
 * @typedef {import("../../pkg/dist/index.js").Explanation} Explanation
 * @typedef {import("../../pkg/dist/index.js").Span} Span
 * @typedef {Explanation & { layer?: number, head?: number }} Painted With the layer and head of its attention.
 */

const toggle = byId("inside-toggle", HTMLButtonElement);
const panel = byId("inside", HTMLElement);
const title = byId("inside-title", HTMLElement);
const box = byId("inside-words", HTMLElement);
const ends = byId("inside-ends", HTMLInputElement);
const attention = byId("inside-attention", HTMLInputElement);
const layer = byId("inside-layer", HTMLSelectElement);
const head = byId("inside-head", HTMLSelectElement);
const legend = byId("inside-legend", HTMLElement);
const line = byId("inside-word", HTMLElement);
const timing = byId("inside-timing", HTMLElement);
const announcement = byId("inside-announcement", HTMLElement);

/** Milliseconds after which a computation is mentioned. */
const MENTIONED_AFTER = 250;
/** Milliseconds on one word after which screen readers hear what it attends to, rather than at every step. */
const ANNOUNCED_AFTER = 700;

/** @type {QuestionAnswering | undefined} */
let model;
/** True if a model is being loaded. */
let loading = true;
/** @type {import("../models/failures.js").CallListener} */
let listener;
/** The texts of the answers that are shown. */
let texts = { question: "", context: "" };
/** The answer to explain. @type {Span | undefined} */
let answer;
/** The painted explanation. @type {Painted | undefined} */
let shown;
/** @type {AbortController | undefined} */
let running;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let announcing;

/** @param {import("../models/failures.js").CallListener} given */
export function startInside(given) {
  listener = given;
  toggle.addEventListener("click", () => (panel.hidden ? open() : close()));
  for (const choice of [ends, attention, layer, head]) choice.addEventListener("change", compute);
  startWords({
    moved: () => paint(),
    picked() {
      if (attention.checked) return paint();
      attention.checked = true;
      compute();
    },
  });
}

/** @param {QuestionAnswering | undefined} loaded undefined while another model is loading */
export function setExplaining(loaded) {
  model = loaded;
  loading = !loaded;
  running?.abort();
  if (!loaded || panel.hidden) return;
  // It may be another model, with fewer layers.
  ends.checked = true;
  shown = undefined;
  compute();
}

/** Called when no model is being loaded, either. */
export function explainingMissing() {
  loading = false;
  if (!panel.hidden) compute();
}

/** Names the texts of the answers that `showInside` gets. @param {string} question @param {string} context */
export function offerInside(question, context) {
  texts = { question, context };
}

/** Offers to explain this answer, or explains it if the panel is open. @param {Span | undefined} chosen */
export function showInside(chosen) {
  answer = chosen;
  toggle.disabled = !chosen;
  if (!chosen) return close();
  if (panel.hidden) return;
  forget();
  compute();
}

/** Called when no answer is shown, and the button isn't either. */
export function hideInside() {
  close();
  if (document.activeElement === toggle) byId("ask-button", HTMLElement).focus({ preventScroll: true });
}

function open() {
  panel.hidden = false;
  toggle.setAttribute("aria-expanded", "true");
  compute();
  title.focus({ preventScroll: true });
  panel.scrollIntoView({ block: "start", behavior: scrolling() });
}

function close() {
  running?.abort();
  if (panel.contains(document.activeElement)) toggle.focus();
  panel.hidden = true;
  toggle.setAttribute("aria-expanded", "false");
  forget();
}

/** Removes everything that was computed. */
function forget() {
  shown = undefined;
  hideWords();
  hideLists();
  clearTimeout(announcing);
  announcement.textContent = "";
  line.textContent = "";
  timing.textContent = "";
}

/** Computes and paints what is chosen. Aborts a computation that is no longer wanted. */
async function compute() {
  running?.abort();
  layer.disabled = ends.checked;
  head.disabled = ends.checked;
  if (ends.checked && shown) {
    box.setAttribute("aria-busy", "false");
    return paint();
  }
  const reader = model;
  if (!reader) {
    line.textContent = loading ? "The model is still loading." : "No model is loaded.";
    return;
  }
  const stop = new AbortController();
  const { signal } = stop;
  running = stop;
  box.setAttribute("aria-busy", "true");
  const mention = setTimeout(() => {
    line.textContent = "Computing…";
  }, MENTIONED_AFTER);
  try {
    const place = answer ? { answer } : {};
    const chosen = attention.checked ? { layer: Number(layer.value), head: Number(head.value) } : {};
    const found = await reader.explain(texts.question, texts.context, { ...place, ...chosen, signal });
    if (signal.aborted) return;
    show({ ...found, ...chosen });
    listener.answered(reader.device);
  } catch (error) {
    if (signal.aborted) return;
    line.textContent = "This could not be computed; see the message above.";
    listener.failed(error);
  } finally {
    clearTimeout(mention);
    if (!signal.aborted) box.setAttribute("aria-busy", "false");
  }
}

/** @param {Painted} found */
function show(found) {
  const isNew = !shown;
  shown = found;
  if (isNew) {
    fill(layer, found.layers, found.layers - 1);
    fill(head, found.heads, 0);
    showWords(found, texts, answer);
  }
  timing.textContent = `${time(found.timing.total)}, on this device.`;
  paint();
}

/** Offers the layers or heads of this model. @param {HTMLSelectElement} field @param {number} count @param {number} first the one chosen at first */
function fill(field, count, first) {
  if (field.options.length === count) return;
  const options = Array.from({ length: count }, (_, index) => {
    const option = document.createElement("option");
    option.value = String(index);
    option.textContent = `${index + 1} of ${count}`;
    return option;
  });
  field.replaceChildren(...options);
  field.value = String(first);
}

function paint() {
  if (!shown) return;
  if (attention.checked) paintAttention(shown);
  else paintEnds(shown);
}

/** @param {Explanation} explanation */
function paintEnds({ words }) {
  panel.dataset.mode = "ends";
  paintWords((index) => {
    const word = words[index];
    return word ? { start: probabilityStep(word.startProbability), end: probabilityStep(word.endProbability) } : {};
  }, []);
  legend.replaceChildren(...probabilityLegend());
  listEnds(words);
  const word = words[currentWord()];
  if (!word) return;
  const [start, end] = [word.startProbability, word.endProbability].map((value) =>
    percent(value).replaceAll(" ", "\u00a0"),
  );
  line.textContent = `${quoted(word)}: the answer starts here with ${start} and ends here with ${end}.`;
  announce(line.textContent);
}

/** @param {Painted} painted */
function paintAttention({ words, attention: all, layer = 0, head = 0 }) {
  const from = currentWord();
  const word = words[from];
  // Until it is computed, the start and end stay painted.
  if (!all || !word) return;
  panel.dataset.mode = "attention";
  const given = all.subarray(from * words.length, (from + 1) * words.length);
  const most = mostAttended(words, given);
  const largest = most[0]?.value ?? 0;
  const ranks = most.map(({ index }) => index);
  paintWords((index) => ({ given: attentionStep(given[index] ?? 0, largest) }), ranks);
  legend.replaceChildren(...attentionLegend(largest));
  listAttention(words, word, given);
  const where = `Layer ${layer + 1}, head ${head + 1}`;
  line.textContent = `${where}, from the word ${quoted(word)}.`;
  announce(`${where}: ${inWords(word, most)}`);
}

/** Announces a text to screen readers once the user stays on a word. @param {string} text */
function announce(text) {
  clearTimeout(announcing);
  announcing = setTimeout(() => {
    announcement.textContent = text;
  }, ANNOUNCED_AFTER);
}
