import { MobileBertError, QuestionAnswering, TextClassification, ZeroShotClassification } from "../pkg/dist/index.js";
import { answeringMissing, askedTexts, setAnswering, startAsking } from "./ask.js";
import { startCode } from "./code/code.js";
import { showNoDevice, startDevices, switchTo } from "./device.js";
import { byId } from "./elements.js";
import { showModels } from "./footer.js";
import { keep, takeKept } from "./kept.js";
import { startChoosing } from "./models/choose.js";
import { anyLoaded, endedOrStalled, load, noteDevice, stopLoad } from "./models/load.js";
import { setRemark, showFailed, showWaiting } from "./models/loading.js";
import { chooseModels } from "./models/models.js";
import { startOffline } from "./offline.js";
import { models, wantedDevice } from "./parameters.js";
import { hideProblem, lacksGpu, parameterAtFault, showProblem, taskFound } from "./problem.js";
import { remember } from "./remembered.js";
import { hideLabels, kindOf, showLabels, showOwnLabels, startLabels } from "./sentiment/labels.js";
import { sentimentMissing, sentimentText, setSentiment, startSentiment } from "./sentiment/sentiment.js";
import { startSharing } from "./sharing/share-answer.js";
import { startShared } from "./sharing/shared.js";
import { yieldToBrowser } from "./yield-to-browser.js";

/**
 * @typedef {import("../pkg/dist/index.js").Device} Device
 * @typedef {import("./models/models.js").Choice} Choice
 * @typedef {"answers" | "sentiment"} Use What a model is used for on this page.
 * @typedef {object} CallListener Callbacks for the end of a call to a model.
 * @property {(device: Device) => void} answered gets the model's current device
 * @property {(error: unknown) => void} failed
 */

showWaiting("Looking for a model…");
// Fetch the list of models while setting up the page.
const choice = chooseModels();
await yieldToBrowser();
const kept = takeKept();
startAsking(listener("answers"), kept);
await yieldToBrowser();
startSentiment(listener("sentiment"), kept?.sentence);
addEventListener("pagehide", () => keep({ ...askedTexts(), sentence: sentimentText() }));
startLabels(listener("sentiment"));
startDevices(loadBoth);
startSharing();
startCode();
startShared();

const chosen = await choice;
let { answers, sentiment } = chosen;
/** The model to return to if the chosen one turns out to be for a different task. */
let usual = chosen.usual.answers;
let usualSentiment = chosen.usual.sentiment;
/** The models that the user has picked on this page, to be remembered once they are loaded. @type {Set<Choice>} */
const picked = new Set();
const chooser = {
  /** @param {string} label @param {import("../pkg/dist/index.js").ModelSource} source */
  choose(label, source) {
    answers = pick({ label, source });
    loadAnswers();
  },
  take: takeOffered,
  again: loadAnswers,
  /** @param {Choice} previous */
  goBack(previous) {
    answers = previous;
    loadAnswers();
  },
};
const choosing = startChoosing(chooser, chosen.bundled);
if (chosen.gone)
  setRemark(`Ready. ${chosen.gone.label} is no longer stored in this browser: tap Change model to load it.`);
if (answers) loadAnswers();
else {
  showWaiting("No model comes with this page. Choose one below.");
  answeringMissing();
  choosing.missing("No model comes with this page.");
}
// One after the other, so that the first is ready soon; but don't wait for a stalled one.
await endedOrStalled("answers");
if (sentiment) loadSentiment();
else sentimentMissing("No sentiment model comes with this page.");
// After the models, which are more urgent.
await endedOrStalled("sentiment");
const isStored = await startOffline();
byId("offline", HTMLElement).hidden = !isStored;
document.documentElement.dataset.offline = isStored ? "stored" : "not stored";

/** Loads the current models again, for another device. */
async function loadBoth() {
  loadAnswers();
  await endedOrStalled("answers");
  loadSentiment();
}

/** Loads the question-answering model; the page stays usable meanwhile. */
async function loadAnswers() {
  if (!answers) return;
  const wanted = answers;
  setAnswering(undefined);
  hideProblem();
  choosing.loading(wanted.label, stopAnswers);
  try {
    const model = await load(QuestionAnswering, "answers", wanted);
    if (!model) return;
    const previous = usual;
    usual = wanted;
    choosing.ready(wanted.label, previous === wanted ? undefined : previous);
    markInUse("answers", wanted);
    setAnswering(model);
  } catch (error) {
    if (taskFound(error) === "text-classification") return takeForSentiment(wanted);
    if (isForgotten("answers", wanted, error)) {
      answers = chosen.usual.answers;
      return loadAnswers();
    }
    const text = `${wanted.label} could not be loaded.`;
    failed("answers", text);
    const previous = usual === wanted ? undefined : usual;
    if (isOfPage(error)) choosing.failed(text);
    else choosing.missing(`Choose another model instead of ${wanted.label}:`, previous);
    report(error, "answers");
  }
}

function stopAnswers() {
  if (!answers) return;
  stopLoad("answers");
  failed("answers", `${answers.label} was not loaded because you stopped it.`);
  choosing.stopped(answers.label);
}

/** @param {Choice} choice */
function pick(choice) {
  picked.add(choice);
  setRemark("");
  return choice;
}

/** @param {Choice & { use: Use }} model */
function takeOffered({ label, source, use }) {
  if (use === "answers") return chooser.choose(label, source);
  loadPicked(pick({ label, source }));
}

/** Loads a model that the user picked for sentiment. @param {Choice} choice */
function loadPicked(choice) {
  sentiment = choice;
  const { label } = choice;
  choosing.loading(label, () => {
    stopLoad("sentiment");
    instead(`${label} was not loaded because you stopped it.`, `Loading ${label} was stopped. Choose another model:`);
  });
  loadSentiment();
}

/** Returns to the sentiment model before the picked one; it is still stored. @param {string} text @param {string} question */
function instead(text, question) {
  failed("sentiment", text);
  sentimentMissing(text);
  choosing.missing(question);
  sentiment = usualSentiment;
  loadSentiment();
}

/** A model is in use: shows it, and remembers it if the user picked it. @param {Use} use @param {Choice} choice @param {string} [what] */
function markInUse(use, choice, what) {
  showModels(use, choice, what);
  choosing.mark();
  if (picked.has(choice)) remember(use, choice.source === chosen.usual[use]?.source ? undefined : choice);
}

/**
 * Forgets a model that was remembered from an earlier visit and can't be loaded; returns whether it was one.
 * @param {Use} use
 * @param {Choice} choice
 * @param {unknown} error
 */
function isForgotten(use, choice, error) {
  const instead = chosen.usual[use];
  if (isOfPage(error) || models.length > 0) return false;
  if (choice !== chosen[use] || !instead || instead.source === choice.source) return false;
  remember(use, undefined);
  setRemark(`Ready. ${choice.label} could not be loaded, so ${instead.label} is used instead.`);
  return true;
}

/** The chosen model does sentiment: use it for that, and return to the previous one for answers. @param {Choice} found */
function takeForSentiment(found) {
  sentiment = found;
  answers = usual === found ? undefined : usual;
  if (answers) loadAnswers();
  else {
    failed("answers", `${found.label} is a sentiment model, and no question-answering model comes with this page.`);
    choosing.missing("No question-answering model comes with this page.");
  }
  loadSentiment();
}

async function loadSentiment() {
  if (!sentiment) return;
  const wanted = sentiment;
  setSentiment(undefined);
  try {
    const model = await load(TextClassification, "sentiment", wanted);
    if (!model) return;
    const kind = kindOf(model.labels);
    if (kind === "own labels") {
      const inference = await load(ZeroShotClassification, "sentiment", wanted);
      if (!inference) return;
      showOwnLabels(inference);
    } else if (kind === "labels") showLabels(model, wanted.label);
    else {
      hideLabels();
      setSentiment(model);
    }
    usualSentiment = wanted;
    if (picked.has(wanted)) choosing.ready(wanted.label);
    markInUse("sentiment", wanted, kind === "sentiment" ? kind : "labels");
  } catch (error) {
    if (isForgotten("sentiment", wanted, error)) {
      sentiment = chosen.usual.sentiment;
      return loadSentiment();
    }
    const text = `${wanted.label} could not be loaded.`;
    const isPicked = picked.has(wanted) && usualSentiment !== wanted;
    report(error, "sentiment", isPicked ? () => loadPicked(wanted) : loadSentiment);
    if (isPicked) return instead(text, `${text} Choose another model:`);
    failed("sentiment", text);
    sentimentMissing(text);
  }
}

/** Returns whether a load failed because of the page's URL, so that another model would fail, too. @param {unknown} error */
function isOfPage(error) {
  return lacksGpu(error, wantedDevice()) || parameterAtFault(error) !== undefined;
}

/** @param {Use} use @param {string} text */
function failed(use, text) {
  showFailed(use, text);
  showModels(use, undefined);
  if (use === "answers") answeringMissing();
  if (!anyLoaded()) showNoDevice();
}

/** @param {Use} use @returns {CallListener} */
function listener(use) {
  return {
    answered(device) {
      noteDevice(use, device);
    },
    failed(error) {
      report(error, use);
    },
  };
}

/** @param {unknown} error @param {Use} use @param {() => void} [again] loads a model that isn't the current one anymore */
function report(error, use, again = use === "answers" ? loadAnswers : loadSentiment) {
  // Calls to a model that has been replaced aren't failures.
  if (error instanceof MobileBertError && ["aborted", "disposed"].includes(error.code)) return;
  const useCpu = lacksGpu(error, wantedDevice()) ? () => switchTo("wasm", loadBoth) : undefined;
  showProblem(error, again, useCpu);
}
