import { MobileBertError, QuestionAnswering, TextClassification } from "../pkg/dist/index.js";
import { answeringMissing, setAnswering, startAsking } from "./ask.js";
import { startChoosing } from "./choose.js";
import { showNoDevice } from "./device.js";
import { showModels } from "./footer.js";
import { anyStands, endedOrStalled, load, noteDevice, stopLoad } from "./load.js";
import { showFailed, showWaiting } from "./loading.js";
import { chooseModels } from "./models.js";
import { hideProblem, showProblem, taskFound } from "./problem.js";
import { sentimentMissing, setSentiment, startSentiment } from "./sentiment.js";
import { turn } from "./turn.js";

/**
 * @typedef {import("../pkg/dist/index.js").Device} Device
 * @typedef {import("./models.js").Choice} Choice
 * @typedef {"answers" | "sentiment"} Use What a model is for on this page.
 * @typedef {object} CallListener Who hears how a call to a model ended.
 * @property {(device: Device) => void} answered is told where the model runs now
 * @property {(error: unknown) => void} failed
 */

showWaiting("Looking for a model beside this page.");
// The list of models comes in while the page is made ready.
const choice = chooseModels();
await turn();
startAsking(listener("answers"));
await turn();
startSentiment(listener("sentiment"));

const chosen = await choice;
let { answers, sentiment } = chosen;
/** What answers again where the model that was chosen turns out to do something else. */
let usual = chosen.usual;
const chooser = {
  /** @param {string} label @param {import("../pkg/dist/index.js").ModelSource} source */
  choose(label, source) {
    answers = { label, source };
    loadAnswers();
  },
  take: takeBeside,
  stop: stopAnswers,
  again: loadAnswers,
};
const choosing = startChoosing(chooser, chosen.beside);
if (answers) loadAnswers();
else {
  showWaiting("No model lies beside this page: pick one below.");
  choosing.missing("No model lies beside this page.");
}
// One after another, so that the first is there soon; but not behind one that does not come.
await endedOrStalled("answers");
if (sentiment) loadSentiment();
else sentimentMissing("No model for sentiment lies beside this page.");

/** Loads the model that answers; the page works on meanwhile. */
async function loadAnswers() {
  if (!answers) return;
  const wanted = answers;
  setAnswering(undefined);
  hideProblem();
  choosing.loading(wanted.label);
  try {
    const model = await load(QuestionAnswering, "answers", wanted);
    if (!model) return;
    usual = wanted;
    choosing.ready(wanted.label);
    showModels("answers", wanted);
    setAnswering(model);
  } catch (error) {
    if (taskFound(error) === "text-classification") return takeForSentiment(wanted);
    failed("answers", `${wanted.label} could not be loaded.`);
    choosing.missing(`Instead of ${wanted.label}:`);
    report(error, "answers");
  }
}

function stopAnswers() {
  if (!answers) return;
  stopLoad("answers");
  failed("answers", `${answers.label} was not loaded: you stopped it.`);
  choosing.stopped(answers.label);
}

/** @param {import("./models.js").Beside} model */
function takeBeside({ label, source, use }) {
  if (use === "answers") return chooser.choose(label, source);
  choosing.close();
  sentiment = { label, source };
  loadSentiment();
}

/** What was chosen to answer does sentiment: it is taken for that, and what answered before answers again. @param {Choice} found */
function takeForSentiment(found) {
  sentiment = found;
  answers = usual === found ? undefined : usual;
  if (answers) loadAnswers();
  else {
    failed("answers", `${found.label} does sentiment, and no model for questions lies beside this page.`);
    choosing.missing("No model for questions lies beside this page.");
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
    showModels("sentiment", wanted);
    setSentiment(model);
  } catch (error) {
    failed("sentiment", `${wanted.label} could not be loaded.`);
    sentimentMissing(`${wanted.label} could not be loaded.`);
    report(error, "sentiment");
  }
}

/** @param {Use} use @param {string} text */
function failed(use, text) {
  showFailed(use, text);
  showModels(use, undefined);
  if (use === "answers") answeringMissing();
  if (!anyStands()) showNoDevice();
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

/** @param {unknown} error @param {Use} use */
function report(error, use) {
  // What was asked of a model that another one takes the place of is no fault.
  if (error instanceof MobileBertError && ["aborted", "disposed"].includes(error.code)) return;
  showProblem(error, use === "answers" ? loadAnswers : loadSentiment);
}
