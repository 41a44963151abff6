import { buttons, byId } from "../elements.js";
import { percent, time } from "../format.js";
import { sentiments } from "../samples.js";
import { hideWords, showWords } from "./words.js";

/** @typedef {import("../../pkg/dist/index.js").TextClassification} TextClassification */

const sentences = Object.keys(sentiments);

const field = byId("mood", HTMLInputElement);
const scale = byId("mood-scale", HTMLElement);
const mark = byId("mood-mark", HTMLElement);
const low = byId("mood-low", HTMLElement);
const high = byId("mood-high", HTMLElement);
const text = byId("mood-text", HTMLElement);
const announcement = byId("mood-announcement", HTMLElement);
const timing = byId("mood-timing", HTMLElement);

/** Delay after the last keystroke in milliseconds; an unfinished word says little. */
const PAUSE = 120;
/** Milliseconds without a change after which screen readers announce the result, rather than after every word. */
const ANNOUNCED_AFTER = 1000;
export const LOADING = "The model is still loading.";
export const FAILED = "No result; see the message above.";

/** @type {TextClassification | undefined} */
let model;
/** Shown instead of a result without a model. */
let lacking = LOADING;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let announcing;
let busy = false;
/** @type {import("../models/failures.js").CallListener} */
let listener;

/** @param {import("../models/failures.js").CallListener} given @param {string} [kept] the sentence to begin with */
export function startSentiment(given, kept) {
  listener = given;
  if (kept !== undefined) field.value = kept;
  field.addEventListener("input", () => changed(PAUSE));
  buttons("mood-chips", sentences, (index) => {
    field.value = sentences[index] ?? "";
    changed(0);
  });
}

/** Classifies another sentence, which doesn't wait for the words of the one before. @param {number} pause milliseconds */
function changed(pause) {
  clearTimeout(timer);
  clearTimeout(announcing);
  hideWords();
  timer = setTimeout(classify, pause);
}

/** Returns the user's sentence. */
export function sentimentText() {
  return field.value;
}

/** @param {TextClassification | undefined} loaded */
export function setSentiment(loaded) {
  model = loaded;
  lacking = LOADING;
  if (loaded) {
    low.textContent = nameOf(loaded.labels[0] ?? "LABEL_0");
    high.textContent = nameOf(loaded.labels.at(-1) ?? "LABEL_1");
    classify();
  }
}

/** Called when no model is being loaded, either. @param {string} message the reason */
export function sentimentMissing(message) {
  lacking = message;
  showNone(message);
}

/** Shows a text immediately and announces it after a pause. @param {string} shown */
function say(shown) {
  text.textContent = shown;
  clearTimeout(announcing);
  announcing = setTimeout(() => {
    if (announcement.textContent !== shown) announcement.textContent = shown;
  }, ANNOUNCED_AFTER);
}

/** Classifies one text at a time; results for outdated texts are dropped, and the latest text comes next. */
async function classify() {
  const sentence = field.value;
  if (sentence.trim() === "") return showNone("");
  if (!model) return showNone(lacking);
  if (busy) return;
  const reader = model;
  busy = true;
  try {
    const result = await reader.classify(sentence);
    if (field.value === sentence) {
      show(reader, result);
      showWords(reader, sentence, { low: low.textContent ?? "", high: high.textContent ?? "" });
    }
    listener.answered(reader.device);
  } catch (error) {
    // Otherwise, the model has been replaced.
    if (model === reader) showNone(FAILED);
    listener.failed(error);
  } finally {
    busy = false;
    if (field.value !== sentence) classify();
  }
}

/** Shows why there is no result; nothing if there is no sentence. @param {string} why */
function showNone(why) {
  scale.dataset.state = "empty";
  scale.setAttribute("aria-label", why || "No sentence yet");
  say(why);
  hideWords();
  timing.textContent = "";
}

/** @param {TextClassification} reader @param {import("../../pkg/dist/index.js").Classification} result */
function show(reader, result) {
  scale.dataset.state = "read";
  const top = reader.labels.at(-1);
  const share = result.labels.find(({ label }) => label === top)?.probability ?? 0;
  mark.style.setProperty("--share", String(share));
  const best = result.labels[0];
  const label = best ? `${result.neutral ? "neutral: " : ""}${nameOf(best.label)}, ${percent(best.probability)}` : "";
  scale.setAttribute("aria-label", label);
  say(label + (result.truncated ? " (the text is too long; only its beginning was read)" : ""));
  timing.textContent = time(result.timing.total);
}

/** Many binary checkpoints have no label names; by convention, the second label is the positive one. @param {string} label */
function nameOf(label) {
  /** @type {Record<string, string>} */
  const usual = { LABEL_0: "negative", LABEL_1: "positive" };
  return usual[label] ?? label.toLowerCase();
}
