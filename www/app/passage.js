import { buttons, byId } from "./elements.js";
import { plural } from "./format.js";
import { markSpans } from "./marks.js";
import { countPassage } from "./passage-size.js";
import { samples } from "./samples.js";

const paper = byId("paper", HTMLElement);
const area = byId("passage", HTMLTextAreaElement);
const hint = byId("passage-hint", HTMLElement);
const picker = byId("passage-file", HTMLInputElement);

/** Texts longer than this make the page itself slow. */
const LONGEST = 5_000_000;

/** Hebrew, Arabic and their neighbours. */
const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/;

/** Letters at the beginning or the end by which an edited sample is still known. */
const END = 40;

/** @type {(questions: string[]) => void} */
let onChange = () => {};
/** @type {string[]} */
const NONE = [];

/** The passage as it stands. */
export function passage() {
  return area.value;
}

/** @param {(questions: string[]) => void} listener called at every change, with the questions that suit the passage */
export function startPassage(listener) {
  onChange = listener;
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

function changed() {
  const text = area.value;
  markSpans([]);
  countPassage(area);
  paper.dataset.letters = RIGHT_TO_LEFT.test(text) ? "right-to-left" : "";
  for (const button of document.querySelectorAll("#samples button")) {
    const sample = samples.find(({ name }) => name === button.textContent);
    button.setAttribute("aria-pressed", String(sample?.text === text));
  }
  hint.textContent = "";
  onChange(samples.find((sample) => isOf(sample.text, text))?.questions ?? NONE);
}

/** Whether a text is a sample, or was: who changes a date in one wants to ask again. @param {string} sample @param {string} text */
function isOf(sample, text) {
  return text.startsWith(sample.slice(0, END)) || text.endsWith(sample.slice(-END));
}

/** Another passage, from its beginning. @param {string} text */
function show(text) {
  // The first text stands at its beginning by itself, and to scroll is to have everything laid out at once.
  if (area.textLength > 0) area.scrollTop = 0;
  area.value = text;
  changed();
}

/** @param {number} index */
function showSample(index) {
  const sample = samples[index];
  if (sample) show(sample.text);
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
}
