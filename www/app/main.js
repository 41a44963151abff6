import { MobileBertError, QuestionAnswering, TextClassification } from "../pkg/dist/index.js";
import { setAnswering, startAsking } from "./ask.js";
import { startChoosing } from "./choose.js";
import { showDevice } from "./device.js";
import { byId } from "./elements.js";
import { showLoadingState, showProgress, showReady } from "./loading.js";
import { chooseModels } from "./models.js";
import { loadOptions } from "./parameters.js";
import { hideProblem, showProblem } from "./problem.js";
import { sentimentMissing, setSentiment, startSentiment } from "./sentiment.js";
import { turn } from "./turn.js";

/**
 * @typedef {import("../pkg/dist/index.js").ModelSource} ModelSource
 * @typedef {import("../pkg/dist/index.js").Device} Device
 * @typedef {import("../pkg/dist/index.js").LoadedModel} LoadedModel
 * @typedef {"answers" | "sentiment"} Use What a model is for on this page.
 * @typedef {object} CallListener Who hears how a call to a model ended.
 * @property {(device: Device) => void} answered is told where the model runs now
 * @property {(error: unknown) => void} failed
 */

const names = byId("model-names", HTMLElement);
/** @type {Map<string, string>} */
const loadedNames = new Map();
/** Where each model was seen to run. @type {Map<string, Device>} */
const devices = new Map();
/** The models that stand. @type {Map<Use, LoadedModel>} */
const models = new Map();
/** Stops the load that was begun last. @type {Map<Use, AbortController>} */
const loading = new Map();

showLoadingState("Looking for a model beside this page.", "waiting");
// The list of models comes in while the page is made ready.
const choice = chooseModels();
await turn();
startAsking(listener("answers"));
await turn();
startSentiment(listener("sentiment"));

const chosen = await choice;
/** @type {{ label: string, source: ModelSource } | undefined} */
let answers = chosen.answers;
const { sentiment } = chosen;
const choosing = startChoosing((label, source) => {
  answers = { label, source };
  loadAnswers();
});
if (answers) await loadAnswers();
else {
  showLoadingState("No model lies beside this page: pick one below.", "waiting");
  choosing.show("No model lies beside this page.");
}
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
    const model = await load(QuestionAnswering, "answers", label, source);
    if (model) setAnswering(model);
  } catch (error) {
    showLoadingState(`${label} could not be loaded.`, "failed");
    choosing.show(`Instead of ${label}:`);
    report(error, "answers");
  }
}

async function loadSentiment() {
  if (!sentiment) return;
  const { label, source } = sentiment;
  setSentiment(undefined);
  try {
    const model = await load(TextClassification, "sentiment", label, source);
    if (model) setSentiment(model);
  } catch (error) {
    showLoadingState(`${label} could not be loaded.`, "failed");
    report(error, "sentiment");
  }
}

/**
 * Loads a model in place of the one before, whose memory is freed first, and says how that went. Gives nothing where
 * another one was asked for meanwhile.
 * @template {LoadedModel} T
 * @param {{ load(source: ModelSource, options: import("../pkg/dist/index.js").LoadOptions): Promise<T> }} type
 * @param {Use} use
 * @param {string} label
 * @param {ModelSource} source
 * @returns {Promise<T | undefined>}
 */
async function load(type, use, label, source) {
  loading.get(use)?.abort();
  const stop = new AbortController();
  loading.set(use, stop);
  const before = models.get(use);
  models.delete(use);
  await before?.dispose();
  // Pages without a secure connection have no cache.
  const fetched = typeof caches === "undefined" ? "passing" : "fetched";
  /** @type {"kept" | "fetched" | "passing" | "picked" | "unkept"} */
  let how = "kept";
  try {
    const model = await type.load(source, {
      ...loadOptions(),
      signal: stop.signal,
      onProgress(progress) {
        if (progress.phase === "download") how = typeof source === "string" ? fetched : "picked";
        showProgress(label, progress);
      },
      onWarning(warning) {
        if (warning.code === "quota") how = "unkept";
      },
    });
    models.set(use, model);
    devices.set(use, model.device);
    showDevice(model.device);
    loadedNames.set(use, label);
    showReady(how);
    names.textContent = `Models: ${[...loadedNames].map(([what, name]) => `${name} for ${what}`).join(", ")}.`;
    return model;
  } catch (error) {
    if (stop.signal.aborted) return undefined;
    throw error;
  }
}

/** @param {Use} use @returns {CallListener} */
function listener(use) {
  return {
    answered(device) {
      if (devices.get(use) === device) return;
      // Another one than before: its GPU was lost, and the package loaded the model again.
      devices.set(use, device);
      showDevice(device);
      showReady("again");
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
