/** The classifier of the second card: which one it is, and what the page shows while it loads, stops or fails. */
import { TextClassification, ZeroShotClassification } from "../package.js";
import { hideLabels, kindOf, labelsMissing, showLabels, showOwnLabels } from "../sentiment/labels.js";
import { LOADING, sentimentMissing, setSentiment } from "../sentiment/sentiment.js";
import { panel } from "./choose.js";
import { report, showLoadFailed, solved } from "./failures.js";
import { load, stopLoad } from "./load.js";
import { isForgotten, isPicked, markInUse, pick } from "./picked.js";

/** @typedef {import("./models.js").Choice} Choice */

/** @type {import("./picked.js").Start} */
let start = {};
/** The model that is loaded, or being loaded. @type {Choice | undefined} */
let wanted;
/** The model that was ready last; it is still stored. @type {Choice | undefined} */
let last;
let hasBegun = false;

/** @param {import("./models.js").ChosenModels} chosen */
export function prepareSentiment(chosen) {
  start = { first: chosen.sentiment, usual: chosen.usual.sentiment };
  wanted = start.first;
  last = start.usual;
}

/** Loads the first model, unless the user was faster and has picked one. */
export function beginSentiment() {
  if (hasBegun) return;
  if (wanted) loadSentiment();
  else sentimentMissing("No sentiment model comes with this page.");
}

/** Returns whether a model has been loaded, or is being loaded. */
export function sentimentHasBegun() {
  return hasBegun;
}

/** Loads a model that the user picked. @param {Choice} choice */
export function chooseForSentiment(choice) {
  pick(choice);
  solved("sentiment");
  loadPicked(choice);
}

/** Loads a model that turned out to be a classifier. @param {Choice} choice */
export function takeForSentiment(choice) {
  wanted = choice;
  solved("sentiment");
  loadSentiment();
}

/** @param {Choice} choice */
function loadPicked(choice) {
  wanted = choice;
  const { label } = choice;
  panel.loading(label, () => {
    stopLoad("sentiment");
    goBack(`${label} was not loaded because you stopped it.`, `Loading ${label} was stopped. Choose another model:`);
  });
  loadSentiment();
}

/** Returns to the model before the picked one. @param {string} text @param {string} question */
function goBack(text, question) {
  failed(text);
  panel.missing(question);
  wanted = last;
  loadSentiment();
}

/** Loads the current model. @returns {Promise<void>} */
export async function loadSentiment() {
  if (!wanted) return;
  hasBegun = true;
  const loading = wanted;
  setSentiment(undefined);
  labelsMissing(LOADING);
  try {
    const model = await load(TextClassification, "sentiment", loading);
    if (!model) return;
    const kind = show(model, loading.label);
    last = loading;
    if (isPicked(loading)) panel.ready(loading.label);
    markInUse("sentiment", loading, start, kind === "sentiment" ? kind : "labels");
  } catch (error) {
    if (isForgotten("sentiment", loading, start, error)) {
      wanted = start.usual;
      return loadSentiment();
    }
    const text = `${loading.label} could not be loaded.`;
    if (isPicked(loading) && last !== loading) {
      report("sentiment", "load", error, () => loadPicked(loading));
      return goBack(text, `${text} Choose another model:`);
    }
    report("sentiment", "load", error, loadSentiment);
    failed(text);
  }
}

/** Shows the card that suits the model's labels. @param {TextClassification} model @param {string} name */
function show(model, name) {
  const kind = kindOf(model.labels);
  if (kind === "own labels") showOwnLabels(ZeroShotClassification.from(model));
  else if (kind === "labels") showLabels(model, name);
  else {
    hideLabels();
    setSentiment(model);
  }
  return kind;
}

/** @param {string} text */
function failed(text) {
  showLoadFailed("sentiment", text);
  sentimentMissing(text);
  labelsMissing(text);
}
