import { buttons, byId, make } from "./elements.js";
import { plural } from "./format.js";
import { samples } from "./samples.js";

const paper = byId("paper", HTMLElement);
const area = byId("passage", HTMLTextAreaElement);
const marks = byId("passage-marks", HTMLElement);
const size = byId("passage-size", HTMLElement);
const hint = byId("passage-hint", HTMLElement);
const picker = byId("passage-file", HTMLInputElement);

/** Texts longer than this make the page itself slow. */
const LONGEST = 5_000_000;

/** @type {(questions: string[]) => void} */
let onSample = () => {};

/** The passage as it stands. */
export function passage() {
  return area.value;
}

/** @param {(questions: string[]) => void} listener is given the questions that suit a sample */
export function startPassage(listener) {
  onSample = listener;
  const names = samples.map((sample) => sample.name);
  buttons("samples", names, (index) => showSample(index));
  area.addEventListener("input", changed);
  picker.addEventListener("change", () => picker.files?.[0] && open(picker.files[0]));
  paper.addEventListener("dragover", (event) => {
    event.preventDefault();
    paper.dataset.drop = "over";
  });
  paper.addEventListener("dragleave", () => delete paper.dataset.drop);
  paper.addEventListener("drop", (event) => {
    event.preventDefault();
    delete paper.dataset.drop;
    const file = event.dataTransfer?.files[0];
    if (file) open(file);
  });
  showSample(0);
}

/**
 * Marks spans of the passage, the first of them as the answer. Drawn behind the text field, which stays editable.
 * @param {{ start: number, end: number }[]} spans
 */
export function markSpans(spans) {
  const text = area.value;
  const [best] = spans;
  /** @type {(Node | string)[]} */
  const parts = [];
  let at = 0;
  for (const span of withoutOverlap(spans)) {
    parts.push(text.slice(at, span.start));
    parts.push(make("mark", { className: span === best ? "best" : "other", text: text.slice(span.start, span.end) }));
    at = span.end;
  }
  // A line break at the very end counts in a text field, and does not in a block of text without this.
  parts.push(`${text.slice(at)}\n`);
  marks.replaceChildren(...parts);
  const mark = marks.querySelector("mark.best");
  if (mark) scrollInto(mark);
}

/** @param {{ start: number, end: number }[]} spans the first wins where two overlap */
function withoutOverlap(spans) {
  /** @type {typeof spans} */
  const kept = [];
  for (const span of spans) {
    if (kept.every((other) => span.end <= other.start || span.start >= other.end)) kept.push(span);
  }
  return kept.sort((a, b) => a.start - b.start);
}

/** @param {Element} mark */
function scrollInto(mark) {
  const inside = mark.getBoundingClientRect().top - paper.getBoundingClientRect().top + paper.scrollTop;
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  paper.scrollTo({ top: Math.max(0, inside - paper.clientHeight / 3), behavior: calm ? "auto" : "smooth" });
}

function changed() {
  markSpans([]);
  const words = area.value.match(/\S+/g)?.length ?? 0;
  size.textContent = plural(words, "word");
  for (const button of document.querySelectorAll("#samples button")) {
    const sample = samples.find(({ name }) => name === button.textContent);
    button.setAttribute("aria-pressed", String(sample?.text === area.value));
  }
  hint.textContent = "";
}

/** Another passage, from its beginning. @param {string} text */
function show(text) {
  // The first text stands at its beginning by itself, and to scroll is to have everything laid out at once.
  if (area.value !== "") paper.scrollTop = 0;
  area.value = text;
  changed();
}

/** @param {number} index */
function showSample(index) {
  const sample = samples[index];
  if (!sample) return;
  show(sample.text);
  onSample(sample.questions);
}

/** @param {File} file */
async function open(file) {
  if (file.size > LONGEST) {
    hint.textContent = `${file.name} has ${plural(file.size, "byte")}; at most ${plural(LONGEST, "byte")} can be shown.`;
    return;
  }
  let text;
  try {
    text = await file.text();
  } catch {
    hint.textContent = `${file.name} cannot be read; is it a folder?`;
    return;
  }
  if (text.includes("\0")) {
    hint.textContent = `${file.name} is no text file.`;
    return;
  }
  show(text);
  hint.textContent = file.name;
  onSample([]);
}
