import { MobileBertError, QuestionAnswering, TextClassification } from "../pkg/dist/index.js";
import { setAnswering, startAsking } from "./ask.js";
import { startChoosing } from "./choose.js";
import { showDevice } from "./device.js";
import { byId } from "./elements.js";
import { showLoadingState, showProgress } from "./loading.js";
import { chooseModels } from "./models.js";
import { loadOptions } from "./parameters.js";
import { hideProblem, showProblem } from "./problem.js";
import { sentimentMissing, setSentiment, startSentiment } from "./sentiment.js";

/** @typedef {import("../pkg/dist/index.js").ModelSource} ModelSource */

const names = byId("model-names", HTMLElement);
/** @type {Map<string, string>} */
const loadedNames = new Map();

startAsking((error) => report(error, "answers"));
startSentiment((error) => report(error, "sentiment"));

const chosen = await chooseModels();
/** @type {{ label: string, source: ModelSource } | undefined} */
let answers = chosen.answers;
const { sentiment } = chosen;
const choosing = startChoosing((label, source) => {
  answers = { label, source };
  loadAnswers();
});
if (answers) await loadAnswers();
else choosing.show();
if (sentiment) await loadSentiment();
else sentimentMissing("No model for sentiment lies beside this page.");

/** Loads the model that answers; the page works on meanwhile. */
async function loadAnswers() {
  if (!answers) return;
  const { label, source } = answers;
  setAnswering(undefined);
  hideProblem();
  choosing.hide();
  try {
    const onProgress = reporter(label);
    const model = await QuestionAnswering.load(source, { ...loadOptions(), onProgress });
    showDevice(model.device);
    showReady("answers", label);
    setAnswering(model);
  } catch (error) {
    showLoadingState(`${label} could not be loaded.`, "failed");
    choosing.show();
    report(error, "answers");
  }
}

async function loadSentiment() {
  if (!sentiment) return;
  const { label, source } = sentiment;
  try {
    const onProgress = reporter(label);
    const model = await TextClassification.load(source, { ...loadOptions(), onProgress });
    showDevice(model.device);
    showReady("sentiment", label);
    setSentiment(model);
  } catch (error) {
    showLoadingState(`${label} could not be loaded.`, "failed");
    report(error, "sentiment");
  }
}

/** @param {string} label */
function reporter(label) {
  return (/** @type {import("../pkg/dist/index.js").Progress} */ progress) => showProgress(label, progress);
}

/** @param {string} use @param {string} label */
function showReady(use, label) {
  loadedNames.set(use, label);
  showLoadingState("Ready. From here on this works without a network.", "ready");
  names.textContent = `Models: ${[...loadedNames].map(([what, name]) => `${name} for ${what}`).join(", ")}.`;
}

/** @param {unknown} error @param {"answers" | "sentiment"} use */
function report(error, use) {
  if (error instanceof MobileBertError && error.code === "aborted") return;
  showProblem(error, use === "answers" ? loadAnswers : loadSentiment);
}
