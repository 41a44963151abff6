/** The card that replaces the sentiment card for other classifiers: their labels with bars, or labels of the user's own. */
import { byId, make } from "../elements.js";
import { percent, time } from "../format.js";
import { FAILED, sentimentText } from "./sentiment.js";

/**
 * @typedef {import("../../pkg/dist/index.js").TextClassification} TextClassification
 * @typedef {import("../../pkg/dist/index.js").ZeroShotClassification} ZeroShotClassification
 * @typedef {"sentiment" | "labels" | "own labels"} Kind
 */

const sentimentCard = byId("mood-card", HTMLElement);
const card = byId("labels-card", HTMLElement);
const title = byId("labels-title", HTMLElement);
const field = byId("labels-text", HTMLInputElement);
const own = byId("own-labels", HTMLInputElement);
const ownPart = byId("own-part", HTMLElement);
const list = byId("labels-list", HTMLElement);
const line = byId("labels-line", HTMLElement);
const timing = byId("labels-timing", HTMLElement);

/** Delay after the last keystroke in milliseconds. */
const PAUSE = { labels: 120, "own labels": 400 };
/** Each of the user's own labels takes a run of the model. */
const MOST_LABELS = 20;
/** Labels of a sentiment model, whose card has a scale. */
const SENTIMENT = /^(label_[01]|neg(ative)?|pos(itive)?)$/i;

/** @type {((text: string, labels: string[], signal: AbortSignal) => Promise<Scored>) | undefined} */
let score;
/** Shown instead of a result without a model. */
let lacking = "";
/** @type {Kind} */
let kind = "sentiment";
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;
/** @type {AbortController | undefined} */
let running;
/** @type {import("../models/failures.js").CallListener} */
let listener;

/** @typedef {{ labels: { label: string, share: number }[], truncated: boolean, milliseconds: number }} Scored */

/** Returns the kind of a classifier, by its labels. @param {readonly string[]} labels @returns {Kind} */
export function kindOf(labels) {
  if (labels.some((label) => /^entail/i.test(label)) && labels.length > 1) return "own labels";
  return labels.length === 2 && labels.every((label) => SENTIMENT.test(label)) ? "sentiment" : "labels";
}

/** @param {import("../models/failures.js").CallListener} given */
export function startLabels(given) {
  listener = given;
  for (const input of [field, own]) {
    input.addEventListener("input", () => {
      clearTimeout(timer);
      running?.abort();
      timer = setTimeout(run, kind === "sentiment" ? 0 : PAUSE[kind]);
    });
  }
}

/** Shows the sentiment card again. */
export function hideLabels() {
  become("sentiment");
  score = undefined;
}

/** Called when no model is ready. @param {string} message the reason */
export function labelsMissing(message) {
  score = undefined;
  lacking = message;
  clearTimeout(timer);
  running?.abort();
  show(undefined, message);
}

/** Shows a classifier's labels. @param {TextClassification} model @param {string} name */
export function showLabels(model, name) {
  title.textContent = `Labels of ${name}`;
  score = async (text, _, signal) => {
    const { labels, truncated, timing } = await model.classify(text, { signal });
    listener.answered(model.device);
    const shares = labels.map(({ label, probability }) => ({ label, share: probability }));
    return { labels: shares, truncated, milliseconds: timing.total };
  };
  become("labels");
}

/** Shows a field for labels of the user's own. @param {ZeroShotClassification} model */
export function showOwnLabels(model) {
  title.textContent = "Your own labels";
  score = async (text, wanted, signal) => {
    const { labels, truncated, timing } = await model.classify(text, wanted, { signal });
    listener.answered(model.device);
    const shares = labels.map(({ label, score }) => ({ label, share: score }));
    return { labels: shares, truncated, milliseconds: timing.total };
  };
  become("own labels");
}

/** @param {Kind} wanted */
function become(wanted) {
  kind = wanted;
  running?.abort();
  sentimentCard.hidden = wanted !== "sentiment";
  card.hidden = wanted === "sentiment";
  ownPart.hidden = wanted !== "own labels";
  if (wanted === "sentiment") return;
  // What was typed before stays.
  if (field.value === "") field.value = sentimentText();
  run();
}

/** The labels that the user has typed, without repetitions. */
function ownLabels() {
  const typed = own.value.split(/[,;\n]/).map((label) => label.trim());
  return [...new Set(typed.filter((label) => label !== ""))];
}

async function run() {
  running?.abort();
  const text = field.value.trim();
  const labels = ownLabels();
  if (!score) return show(undefined, lacking);
  if (text === "") return show(undefined, kind === "own labels" ? "Type a sentence and some labels." : "");
  if (kind === "own labels" && labels.length < 2)
    return show(undefined, "Type at least two labels, with commas between them.");
  if (labels.length > MOST_LABELS)
    return show(undefined, `Type at most ${MOST_LABELS} labels; there are ${labels.length}.`);
  const stop = new AbortController();
  running = stop;
  try {
    const scored = await score(text, labels, stop.signal);
    if (!stop.signal.aborted) show(scored);
  } catch (error) {
    if (stop.signal.aborted) return;
    show(undefined, FAILED);
    listener.failed(error);
  }
}

/** @param {Scored | undefined} scored @param {string} [hint] */
function show(scored, hint = "") {
  const best = scored?.labels[0];
  const cut = scored?.truncated ? " The text is too long; only its beginning was read." : "";
  line.textContent = best ? `${best.label}, ${percent(best.share)}.${cut}` : hint;
  timing.textContent = scored ? time(scored.milliseconds) : "";
  list.replaceChildren(...(scored?.labels ?? []).map(({ label, share }) => row(label, share)));
}

/** @param {string} label @param {number} share */
function row(label, share) {
  const meter = document.createElement("meter");
  meter.value = share;
  meter.setAttribute("aria-label", `${label}: ${percent(share)}`);
  const texts = [
    make("span", { className: "what", text: label }),
    make("span", { className: "share", text: percent(share) }),
  ];
  return make("li", {}, [make("span", { className: "pick" }, texts), meter]);
}
