import { onAbort, untilAborted } from "../abort.js";
import { headTask, type LoadRequest, type Task } from "../engine/request.js";
import { aborted, disposed, invalidInput, MobileBertError, type PlainError, renamed, toError } from "../errors.js";
import { resolveSource, resolveUrl } from "../files/source.js";
import { countCores, inNode } from "../node.js";
import { CALL, checkOptions, LOAD } from "../options.js";
import type { CallOptions, Device, LoadOptions, LoadTimes, Memory, ModelSource, Progress } from "../types.js";
import { WorkerConnection } from "../worker/client.js";
import { Host } from "../worker/host.js";
import type { CallName, Connection, LoadHooks, ModelInfo } from "../worker/protocol.js";

/** A text or a pair as tokens, special tokens included. All arrays have one entry per token. */
export interface Tokens {
  /** Token ids. */
  ids: number[];
  /** The tokens as the vocabulary spells them: `##ing` continues a word. */
  pieces: string[];
  /** `[start, end]` of each token in its text, in UTF-16 units; `[0, 0]` for `[CLS]` and `[SEP]` around the texts. */
  offsets: [number, number][];
  /** 0 for the first text, 1 for the second. */
  typeIds: number[];
  /** The text that a token is from: 0, 1 for the second of a pair, `null` for `[CLS]` and `[SEP]` around the texts. */
  textIndices: (number | null)[];
  /** Number of tokens. */
  count: number;
  /** The model's maximum number of tokens. Calls truncate longer texts, except question answering, which reads windows. */
  maxLength: number;
}

/** Options as errors of the wasm module name them, and as they are called here. */
const OPTIONS = {
  doc_stride: "docStride",
  hypothesis_template: "hypothesisTemplate",
  max_answer_tokens: "maxAnswerTokens",
  max_length: "maxLength",
  max_question: "maxQuestionTokens",
  max_windows: "maxWindows",
  top_k: "topK",
};

declare global {
  // For compilers without `esnext.disposable`. If it is there, the declarations merge.
  interface SymbolConstructor {
    readonly asyncDispose: unique symbol;
  }
}

/** Base class of all loaded models: their device, a queue of calls, and `dispose`. */
export abstract class LoadedModel {
  static {
    // Not as a method: browsers without this symbol would get one named "undefined".
    if (Symbol.asyncDispose) {
      LoadedModel.prototype[Symbol.asyncDispose] = function (this: LoadedModel) {
        return this.dispose();
      };
    }
  }

  /** Labels of the model's head, by class index; empty if it has none. */
  readonly labels: readonly string[];

  /** The times of the parts of loading. */
  readonly loadTimes: LoadTimes;

  private queue: Promise<unknown> = Promise.resolve();
  private readonly end = new AbortController();
  private currentDevice: Device;

  /** @internal */
  constructor(
    private readonly connection: Connection,
    loaded: ModelInfo,
  ) {
    this.currentDevice = loaded.device;
    this.labels = loaded.labels;
    this.loadTimes = loaded.times;
    connection.onDevice = (device) => {
      this.currentDevice = device;
    };
  }

  /** The device the model runs on, and why. Changes if the GPU is lost and the model is loaded again. */
  get device(): Device {
    return this.currentDevice;
  }

  /** Frees all memory. Running, waiting and later calls fail with `disposed`. */
  async dispose(): Promise<void> {
    this.end.abort();
    this.connection.dispose();
  }

  /** Frees all memory at the end of a block: `await using model = await Encoder.load(…)`. */
  declare [Symbol.asyncDispose]: () => Promise<void>;

  /** Returns the model's current memory usage. */
  async memory(): Promise<Memory> {
    return (await this.call("memory", [], {})) as Memory;
  }

  /** Returns the tokens of a text or a pair, as the model reads them. They aren't truncated. */
  async tokenize(text: string | readonly [string, string], options: CallOptions = {}): Promise<Tokens> {
    checkOptions(options, CALL);
    const [first, second, ...more] = typeof text === "string" ? [text] : Array.isArray(text) ? text : [text];
    if (typeof first !== "string" || !["string", "undefined"].includes(typeof second) || more.length > 0) {
      throw invalidInput("text", "neither a string nor an array of two");
    }
    return (await this.call("tokenize", [first, second], options)) as Tokens;
  }

  /** Runs calls one at a time, in the order they were made. */
  protected call(
    name: CallName,
    args: unknown[],
    options: CallOptions,
    onPartial?: (value: unknown) => void,
  ): Promise<unknown> {
    const { signal } = options;
    const ended = this.end.signal;
    if (ended.aborted) return Promise.reject(disposed());
    if (signal?.aborted) return Promise.reject(aborted(signal.reason));
    const stop = new AbortController();
    // An aborted call rejects at once, but the next call starts only when the device has really stopped.
    return new Promise((resolve, reject) => {
      const stopWith = (error: unknown) => {
        stop.abort();
        reject(error);
      };
      const partial = (value: unknown) => {
        if (stop.signal.aborted) return;
        try {
          onPartial?.(value);
        } catch (error) {
          stopWith(error);
        }
      };
      const work = this.queue.then(() => {
        if (stop.signal.aborted) throw aborted();
        return this.connection.call({ name, args, partial: onPartial !== undefined }, partial, stop.signal);
      });
      this.queue = work.catch(() => {});
      const unsubscribe = [onAbort(ended, () => stopWith(disposed()))];
      if (signal) unsubscribe.push(onAbort(signal, () => stopWith(aborted(signal.reason))));
      // Without a worker, errors of the wasm module arrive unconverted.
      const fail = (error: unknown) => reject(renamed(toError(error), OPTIONS));
      work.then(resolve, fail).finally(() => {
        for (const each of unsubscribe) each();
      });
    });
  }
}

/** Returns the tokens of a text or a pair, as `model` reads them; the same as {@link LoadedModel.tokenize}. */
export async function tokenize(
  model: LoadedModel,
  text: string | readonly [string, string],
  options: CallOptions = {},
): Promise<Tokens> {
  if (!(model instanceof LoadedModel)) throw invalidInput("model", "not a loaded model");
  return await model.tokenize(text, options);
}

/** Loads a model for a task and wraps it in its class. */
export async function open<T extends LoadedModel>(
  wrap: new (connection: Connection, loaded: ModelInfo) => T,
  task: Task,
  model: ModelSource,
  options: LoadOptions,
): Promise<T> {
  checkOptions(options, LOAD);
  if (options.signal?.aborted) throw aborted(options.signal.reason);
  const request = await loadRequest(task, model, options);
  const workerUrl = await absoluteUrl("workerUrl", options.workerUrl);
  const inWorker = options.worker ?? (typeof Worker !== "undefined" || inNode());
  const listeners = new Listeners(options);
  const { signal } = listeners;
  // React's StrictMode aborts the first of two loads before it has started.
  if (signal.aborted) throw aborted(signal.reason);
  const connection =
    typeof STATIC_BUILD === "undefined" && inWorker ? await WorkerConnection.start(workerUrl) : new Host();
  const loading = connection.load(request, listeners, signal);
  try {
    const loaded = await untilAborted(loading, signal);
    if (loaded.task !== headTask(task)) throw wrongTask(task, loaded.task);
    return new wrap(connection, loaded);
  } catch (error) {
    // An aborted load first stops and cleans up.
    const dispose = () => connection.dispose();
    loading.then(dispose, dispose);
    throw listeners.thrown ? listeners.thrown.error : toError(error);
  } finally {
    listeners.end();
  }
}

/** Calls the caller's listeners. If one throws, the load is aborted and fails with that error. */
class Listeners implements LoadHooks {
  thrown: { error: unknown } | undefined;
  /** Must be called when the load has ended. */
  readonly end: () => void = () => {};
  private readonly stop = new AbortController();

  constructor(private readonly options: LoadOptions) {
    const { signal } = options;
    if (signal) this.end = onAbort(signal, () => this.stop.abort(signal.reason));
  }

  /** Aborted by the caller or by a listener that threw. */
  get signal(): AbortSignal {
    return this.stop.signal;
  }

  // Arrow functions rather than methods, because they are passed on individually.
  readonly progress = (progress: Progress): void => {
    if (!this.signal.aborted) this.notify(() => this.options.onProgress?.(progress));
  };

  readonly warning = (warning: PlainError): void => {
    this.notify(() => (this.options.onWarning ?? console.warn)(toError(warning)));
  };

  private notify(listener: () => void): void {
    try {
      listener();
    } catch (error) {
      this.thrown ??= { error };
      this.stop.abort();
    }
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
