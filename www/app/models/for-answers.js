/** The model that answers questions: which one it is, and what the page shows while it loads, stops or fails. */
import { answeringMissing, setAnswering } from "../ask.js";
import { QuestionAnswering } from "../package.js";
import { hideProblem, taskFound } from "../problem.js";
import { panel } from "./choose.js";
import { isOfPage, report, showLoadFailed } from "./failures.js";
import { takeForSentiment } from "./for-sentiment.js";
import { load, stopLoad } from "./load.js";
import { showWaiting } from "./loading.js";
import { isForgotten, isPicked, markInUse, pick } from "./picked.js";

/** @typedef {import("./models.js").Choice} Choice */

const NONE = "No model comes with this page.";

/** @type {import("./picked.js").Start} */
let start = {};
/** The model that is loaded, or being loaded. @type {Choice | undefined} */
let wanted;
/** The model that was ready last, to go back to. @type {Choice | undefined} */
let last;

/** @param {import("./models.js").ChosenModels} chosen */
export function beginAnswers(chosen) {
  start = { first: chosen.answers, usual: chosen.usual.answers };
  wanted = start.first;
  last = start.usual;
  if (wanted) {
    loadAnswers();
    return;
  }
  showWaiting(`${NONE} Choose one below.`);
  answeringMissing();
  panel.missing(NONE);
}

/** Loads a model that the user picked. @param {Choice} choice */
export function chooseForAnswers(choice) {
  pick(choice);
  change(choice);
}

/** @param {Choice} choice @param {string} [remark] */
function change(choice, remark) {
  wanted = choice;
  loadAnswers(remark);
}

/** Loads the current model; the page stays usable meanwhile. @param {string} [remark] shown in the panel afterwards @returns {Promise<void>} */
export async function loadAnswers(remark) {
  if (!wanted) return;
  const loading = wanted;
  setAnswering(undefined);
  hideProblem();
  panel.loading(loading.label, stop);
  try {
    const model = await load(QuestionAnswering, "answers", loading);
    if (!model) return;
    if (remark) panel.failed(remark);
    else panel.ready(loading.label, ...wayBack(loading));
    last = loading;
    markInUse("answers", loading, start);
    setAnswering(model);
  } catch (error) {
    if (taskFound(error) === "text-classification") return handOver(loading);
    if (isForgotten("answers", loading, start, error)) {
      wanted = start.usual;
      return loadAnswers();
    }
    const text = `${loading.label} could not be loaded.`;
    failed(text);
    if (isOfPage(error)) panel.failed(text);
    else panel.missing(`Choose another model instead of ${loading.label}:`, ...wayBack(loading));
    report("answers", "load", error, loadAnswers);
  }
}

/**
 * A button that returns to the last model, unless that is the current one.
 * @param {Choice} current
 * @returns {[button?: string, onClick?: () => void]}
 */
function wayBack(current) {
  const previous = last;
  if (!previous || previous === current) return [];
  return [`Go back to ${previous.label}`, () => change(previous)];
}

function stop() {
  if (!wanted) return;
  const { label } = wanted;
  stopLoad("answers");
  failed(`${label} was not loaded because you stopped it.`);
  // Instead of a picked model, the one before is used again.
  if (last && isPicked(wanted) && last.source !== wanted.source)
    change(last, `Loading ${label} was stopped. Choose another model:`);
  else panel.stopped(label, loadAnswers);
}

/** @param {string} text */
function failed(text) {
  showLoadFailed("answers", text);
  answeringMissing();
}

/** The picked model turns out to be a classifier: the second card takes it, and the last model answers again. @param {Choice} found */
function handOver(found) {
  wanted = last === found ? undefined : last;
  if (wanted) loadAnswers();
  else {
    failed(`${found.label} is a sentiment model, and no question-answering model comes with this page.`);
    panel.missing("No question-answering model comes with this page.");
  }
  takeForSentiment(found);
}
