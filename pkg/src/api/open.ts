import { untilAborted } from "../abort.js";
import { headTask, type LoadRequest, type Task } from "../engine/request.js";
import { aborted, invalidInput, MobileBertError, toError } from "../errors.js";
import { resolveSource, resolveUrl } from "../files/source.js";
import { countCores, inNode } from "../node.js";
import { checkOptions, LOAD } from "../options.js";
import type { LoadOptions, ModelSource } from "../types.js";
import { WorkerConnection } from "../worker/client.js";
import { Host } from "../worker/host.js";
import type { Connection, ModelInfo } from "../worker/protocol.js";
import { LoadListeners } from "./load-listeners.js";
import type { LoadedModel } from "./model.js";
import { RunningModel } from "./running-model.js";

/** Loads a model for a task and wraps it in its class. */
export async function open<T extends LoadedModel>(
  wrap: new (running: RunningModel) => T,
  task: Task,
  model: ModelSource,
  options: LoadOptions,
): Promise<T> {
  checkOptions(options, LOAD);
  if (options.signal?.aborted) throw aborted(options.signal.reason);
  const request = await loadRequest(task, model, options);
  const workerUrl = await absoluteUrl("workerUrl", options.workerUrl);
  const inWorker = options.worker ?? (typeof Worker !== "undefined" || inNode());
  const listeners = new LoadListeners(options);
  const { signal } = listeners;
  let connection: Connection | undefined;
  let loading: Promise<ModelInfo> | undefined;
  try {
    // React's StrictMode aborts the first of two loads before it has started.
    if (signal.aborted) throw aborted(signal.reason);
    connection = typeof STATIC_BUILD === "undefined" && inWorker ? await WorkerConnection.start(workerUrl) : new Host();
    loading = connection.load(request, listeners, signal);
    const loaded = await untilAborted(loading, signal);
    if (loaded.task !== headTask(task)) throw wrongTask(task, loaded.task);
    return new wrap(new RunningModel(connection, loaded));
  } catch (error) {
    // An aborted load first stops and cleans up.
    const dispose = () => connection?.dispose();
    loading?.then(dispose, dispose);
    throw listeners.thrown ? listeners.thrown.error : toError(error);
  } finally {
    listeners.end();
  }
}

async function loadRequest(task: Task, model: ModelSource, options: LoadOptions): Promise<LoadRequest> {
  const { device = "auto", dtype, schedule, cache = true, followBaseModel = false, wasmBytes } = options;
  const place = await resolveSource(model, options);
  const wasmUrl = await absoluteUrl("wasmUrl", options.wasmUrl);
  const { splitSpecialTokens, simd } = options;
  const { threads = Math.min(await countCores(), MAX_DEFAULT_THREADS) } = options;
  const how = { device, dtype, schedule, splitSpecialTokens, simd, threads: Math.min(threads, MAX_THREADS) };
  return { place, followBaseModel, task, ...how, cache, wasmUrl, wasmBytes };
}

/** Further cores are often slow ones, and each worker needs memory for the model. */
const MAX_DEFAULT_THREADS = 4;
/** The limit even if more are requested. */
const MAX_THREADS = 64;

async function absoluteUrl(field: string, url: string | URL | undefined): Promise<string | undefined> {
  if (url === undefined) return undefined;
  try {
    return (await resolveUrl(String(url))).href;
  } catch {
    throw invalidInput(field, `"${url}" is not a valid URL`);
  }
}

const CLASSES: Record<string, string> = {
  "question-answering": "QuestionAnswering",
  "text-classification": "TextClassification",
  "token-classification": "TokenClassification",
  "fill-mask": "FillMask",
  "feature-extraction": "Encoder",
};

function wrongTask(wanted: Task, found: string): MobileBertError {
  const instead = CLASSES[found] ? `; load it with ${CLASSES[found]}` : "";
  const message = `this model is for ${found}, not ${wanted}${instead}`;
  return new MobileBertError("unsupported", message, { task: found });
}
