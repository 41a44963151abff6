import { buttons, byId } from "./elements.js";
import { percent, time } from "./format.js";
import { sentences } from "./samples.js";

/** @typedef {import("../pkg/dist/index.js").TextClassification} TextClassification */

const field = byId("mood", HTMLInputElement);
const scale = byId("mood-scale", HTMLElement);
const mark = byId("mood-mark", HTMLElement);
const low = byId("mood-low", HTMLElement);
const high = byId("mood-high", HTMLElement);
const text = byId("mood-text", HTMLElement);
const timing = byId("mood-timing", HTMLElement);

/** Delay after the last keystroke in milliseconds; an unfinished word says little. */
const PAUSE = 120;

/** @type {TextClassification | undefined} */
let model;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;
let busy = false;
/** @type {import("./main.js").CallListener} */
let listener;

/** @param {import("./main.js").CallListener} given */
export function startSentiment(given) {
  listener = given;
  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(classify, PAUSE);
  });
  buttons("mood-chips", sentences, (index) => {
    field.value = sentences[index] ?? "";
    classify();
  });
}

/** @param {TextClassification | undefined} loaded */
export function setSentiment(loaded) {
  model = loaded;
  if (loaded) {
    low.textContent = nameOf(loaded.labels[0] ?? "LABEL_0");
    high.textContent = nameOf(loaded.labels.at(-1) ?? "LABEL_1");
    classify();
  }
}

/** @param {string} message */
export function sentimentMissing(message) {
  text.textContent = message;
}

/** Classifies one text at a time; results for outdated texts are dropped, and the latest text comes next. */
async function classify() {
  const sentence = field.value;
  if (sentence.trim() === "") return show(undefined);
  if (!model) {
    text.textContent = "The model is still loading.";
    return;
  }
  if (busy) return;
  const reader = model;
  busy = true;
  try {
    const result = await reader.classify(sentence);
    if (field.value === sentence) show(result);
    listener.answered(reader.device);
  } catch (error) {
    listener.failed(error);
  } finally {
    busy = false;
    if (field.value !== sentence) classify();
  }
}

/** @param {import("../pkg/dist/index.js").Classification | undefined} result */
function show(result) {
  scale.dataset.state = result ? "read" : "empty";
  if (!result || !model) {
    text.textContent = "";
    timing.textContent = "";
    return;
  }
  const top = model.labels.at(-1);
  const share = result.labels.find(({ label }) => label === top)?.probability ?? 0;
  mark.style.setProperty("--share", String(share));
  const best = result.labels[0];
  const label = best ? `${nameOf(best.label)}, ${percent(best.probability)}` : "";
  scale.setAttribute("aria-label", label);
  text.textContent = label + (result.truncated ? " (the text is too long; only its beginning was read)" : "");
  timing.textContent = time(result.timing.total);
}

/** Many binary checkpoints have no label names; by convention, the second label is the positive one. @param {string} label */
function nameOf(label) {
  /** @type {Record<string, string>} */
  const usual = { LABEL_0: "negative", LABEL_1: "positive" };
  return usual[label] ?? label.toLowerCase();
}
