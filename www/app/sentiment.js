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

/** After the last key; a sentence in the middle of a word says little. */
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

/** One run at a time; a text that was typed over meanwhile is dropped, the newest is read next. */
async function classify() {
  const asked = field.value;
  if (asked.trim() === "") return show(undefined);
  if (!model) {
    text.textContent = "The model is still loading.";
    return;
  }
  if (busy) return;
  const reader = model;
  busy = true;
  try {
    const result = await reader.classify(asked);
    if (field.value === asked) show(result);
    listener.answered(reader.device);
  } catch (error) {
    listener.failed(error);
  } finally {
    busy = false;
    if (field.value !== asked) classify();
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
  const said = best ? `${nameOf(best.label)}, ${percent(best.probability)}` : "";
  scale.setAttribute("aria-label", said);
  text.textContent = said + (result.truncated ? " (only the beginning was read: the text is too long)" : "");
  timing.textContent = time(result.timing.total);
}

/** Many checkpoints for two classes carry no names; the second is the positive one by habit. @param {string} label */
function nameOf(label) {
  /** @type {Record<string, string>} */
  const usual = { LABEL_0: "negative", LABEL_1: "positive" };
  return usual[label] ?? label.toLowerCase();
}
