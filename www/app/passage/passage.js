import { buttons, byId } from "../elements.js";
import { takeFiles } from "../models/choose.js";
import { samples } from "../samples.js";
import { markSpans } from "./marks.js";
import { countPassage } from "./passage-size.js";
import { NoText, readTextFile } from "./text-file.js";

const paper = byId("paper", HTMLElement);
const area = byId("passage", HTMLTextAreaElement);
const hint = byId("passage-hint", HTMLElement);
const undo = byId("passage-undo", HTMLButtonElement);
const picker = byId("passage-file", HTMLInputElement);

/** Hebrew, Arabic and related scripts. */
const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/;

/** Names of files that aren't a passage but belong to a model. */
const OF_MODEL = /^config\.json$|\.(safetensors|bin)$/;

/** Number of characters at the start or end by which an edited sample is recognized. */
const END = 40;

/**
 * @typedef {object} PassageListener
 * @property {(questions: string[]) => void} changed called on every change, with suggested questions for the passage
 * @property {() => () => void} keep returns a function that restores what belongs to the current passage
 */

/** @type {PassageListener} */
let listener;
/** @type {string[]} */
const NONE = [];
/** Restores the text that was replaced. @type {(() => void) | undefined} */
let restore;

/** The current passage. */
export function passage() {
  return area.value;
}

/** @param {PassageListener} given @param {string} [kept] the passage to begin with, instead of a sample */
export function startPassage(given, kept) {
  listener = given;
  const names = samples.map((sample) => sample.name);
  buttons("samples", names, (index) => showSample(index));
  area.addEventListener("input", changed);
  picker.addEventListener("change", () => {
    const files = [...(picker.files ?? [])];
    // Allows selecting the same file again.
    picker.value = "";
    open(files);
  });
  undo.addEventListener("click", () => {
    restore?.();
    area.focus({ preventScroll: true });
  });
  takeDrops();
  if (kept !== undefined) show(kept);
  else if (area.value === "") showSample(0);
  // The browser has restored a text.
  else changed();
}

/** Takes files dropped anywhere on the page: if one misses the box, the browser would leave the page to show it. */
function takeDrops() {
  document.addEventListener("dragover", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    if (isOverChooser(event)) delete paper.dataset.drop;
    else paper.dataset.drop = "over";
  });
  document.addEventListener("dragleave", (event) => {
    // Without a related target, the pointer has left the page.
    if (event.relatedTarget === null) delete paper.dataset.drop;
  });
  document.addEventListener("drop", (event) => {
    delete paper.dataset.drop;
    if (!hasFiles(event)) return;
    event.preventDefault();
    const files = [...(event.dataTransfer?.files ?? [])];
    if (isOverChooser(event) || files.some(({ name }) => OF_MODEL.test(name))) takeFiles(files);
    else open(files);
  });
}

/** Returns whether a drag has files, and isn't over a file field, which takes them itself. @param {DragEvent} event */
function hasFiles({ dataTransfer, target }) {
  const field = target instanceof HTMLInputElement && target.type === "file";
  return !field && (dataTransfer?.types.includes("Files") ?? false);
}

/** @param {DragEvent} event */
function isOverChooser({ target }) {
  return target instanceof Element && target.closest("#choose") !== null;
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
  undo.hidden = true;
  listener.changed(samples.find((sample) => isOf(sample.text, text))?.questions ?? NONE);
}

/**
 * Returns whether a text is a sample, possibly edited: users may change a date in it and ask again.
 * @param {string} sample
 * @param {string} text
 */
function isOf(sample, text) {
  return text.startsWith(sample.slice(0, END)) || text.endsWith(sample.slice(-END));
}

/** Shows a passage from elsewhere. Whatever it replaces can be brought back. @param {string} text @param {string} remark */
export function takePassage(text, remark) {
  show(text, remark, true);
}

/**
 * Shows a different passage, from its start. A text of the user's can be brought back, with its question and answer.
 * @param {string} text
 * @param {string} [remark] about the text
 * @param {boolean} [always] whether to offer to bring back a text that isn't the user's, too
 */
function show(text, remark = "", always = false) {
  const before = area.value;
  const restoreAnswer = listener.keep();
  // The first text needs no scrolling, which would force a layout.
  if (before !== "") area.scrollTop = 0;
  area.value = text;
  changed();
  hint.textContent = remark;
  const isOwn = before.trim() !== "" && before !== text && !samples.some((sample) => sample.text === before);
  if (!isOwn && !always) return;
  if (isOwn) hint.textContent = `${remark} Your text was replaced.`.trim();
  undo.hidden = false;
  restore = () => {
    area.value = before;
    changed();
    restoreAnswer();
  };
}

/** @param {number} index */
function showSample(index) {
  const sample = samples[index];
  if (sample) show(sample.text);
}

/** Opens the first of several files. @param {Iterable<File>} files */
async function open(files) {
  const [file, ...others] = files;
  if (!file) return;
  try {
    const { text, remark } = await readTextFile(file);
    const more = others.length > 0 ? ` Only the first of ${others.length + 1} files was opened.` : "";
    show(text, `${remark}${more}`);
  } catch (error) {
    if (!(error instanceof NoText)) throw error;
    hint.textContent = error.message;
  }
}
