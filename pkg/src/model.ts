import { aborted, disposed, MobileBertError, toError } from "./errors.js";
import { Host } from "./host.js";
import { inNode } from "./node.js";
import type { CallName, Connection, Loaded, LoadHooks, LoadRequest, Task } from "./protocol.js";
import { resolveAddress, resolveSource } from "./source.js";
import type { CallOptions, Device, LoadOptions, Memory, ModelSource } from "./types.js";
import { WorkerConnection } from "./worker-connection.js";

/** What all loaded models have in common: where they run, one queue, `dispose`. */
export abstract class LoadedModel {
  /** Labels of the model's head, by class; empty where it has none. */
  readonly labels: readonly string[];

  private queue: Promise<unknown> = Promise.resolve();
  private readonly end = new AbortController();
  private where: Device;

  /** @internal */
  constructor(
    private readonly connection: Connection,
    loaded: Loaded,
  ) {
    this.where = loaded.device;
    this.labels = loaded.labels;
    connection.onDevice = (device) => {
      this.where = device;
    };
  }

  /** Where the model runs, and why there. Another one once the GPU was lost and the model loaded again. */
  get device(): Device {
    return this.where;
  }

  /** Frees all memory. Calls that wait or run, and all later ones, fail with `disposed`. */
  async dispose(): Promise<void> {
    this.end.abort();
    this.connection.dispose();
  }

  /** What the model occupies now. */
  async memory(): Promise<Memory> {
    return (await this.call("memory", [], {})) as Memory;
  }

  /** Calls run one after another, in the order in which they were made. */
  protected call(
    name: CallName,
    args: unknown[],
    options: CallOptions,
    onPartial?: (value: unknown) => void,
  ): Promise<unknown> {
    const { signal } = options;
    const ended = this.end.signal;
    if (ended.aborted) return Promise.reject(disposed());
    if (signal?.aborted) return Promise.reject(aborted());
    const stop = new AbortController();
    const work = this.queue.then(() => {
      if (stop.signal.aborted) throw aborted();
      const partial = (value: unknown) => {
        if (!stop.signal.aborted) onPartial?.(value);
      };
      return this.connection.call({ name, args, partial: onPartial !== undefined }, partial, stop.signal);
    });
    this.queue = work.catch(() => {});
    // Who stops a call gets the word at once; the next call begins when the device has really stopped.
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        stop.abort();
        reject(aborted());
      };
      const onEnd = () => {
        stop.abort();
        reject(disposed());
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      ended.addEventListener("abort", onEnd, { once: true });
      // Without a worker, what the module throws arrives as it is.
      const fail = (error: unknown) => reject(toError(error));
      work.then(resolve, fail).finally(() => {
        signal?.removeEventListener("abort", onAbort);
        ended.removeEventListener("abort", onEnd);
      });
    });
  }
}

const DEVICES = ["auto", "webgpu", "wasm"];
const DTYPES = ["f32", "f16", "q8", "q4"];

/** Loads a model for a task and wraps it. */
export async function open<T extends LoadedModel>(
  wrap: new (connection: Connection, loaded: Loaded) => T,
  task: Task,
  model: ModelSource,
  options: LoadOptions,
): Promise<T> {
  const signal = options.signal ?? new AbortController().signal;
  if (signal.aborted) throw aborted();
  const request = await loadRequest(task, model, options);
  const inWorker = options.worker ?? (typeof Worker !== "undefined" || inNode());
  const hooks: LoadHooks = {
    progress: (progress) => !signal.aborted && options.onProgress?.(progress),
    warning: (warning) => (options.onWarning ?? console.warn)(toError(warning)),
  };
  const connection = inWorker ? await WorkerConnection.start(await absolute(options.workerUrl)) : new Host();
  try {
    const loaded = await untilAborted(connection.load(request, hooks, signal), signal, () => connection.dispose());
    if (loaded.task !== task) throw wrongTask(task, loaded.task);
    return new wrap(connection, loaded);
  } catch (error) {
    // Unless the caller stopped: then the worker puts things away first.
    if (!signal.aborted) connection.dispose();
    throw toError(error);
  }
}

/** Rejects as soon as the caller stops; `after` runs when the work has ended. */
function untilAborted<T>(work: Promise<T>, signal: AbortSignal, after: () => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      work.then(after, after);
      reject(aborted());
    };
    signal.addEventListener("abort", onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}

async function loadRequest(task: Task, model: ModelSource, options: LoadOptions): Promise<LoadRequest> {
  const { device = "auto", dtype, schedule, cache = true, wasmBytes } = options;
  if (!DEVICES.includes(device)) throw notOneOf("device", device, DEVICES);
  if (dtype !== undefined && !DTYPES.includes(dtype)) throw notOneOf("dtype", dtype, DTYPES);
  const place = await resolveSource(model, options);
  return { place, task, device, dtype, schedule, cache, wasmUrl: await absolute(options.wasmUrl), wasmBytes };
}

async function absolute(url: string | URL | undefined): Promise<string | undefined> {
  return url === undefined ? undefined : (await resolveAddress(String(url))).href;
}

/** The error of an option that is none of the allowed. */
export function notOneOf(field: string, given: unknown, allowed: readonly string[]): MobileBertError {
  return new MobileBertError("invalid-input", `\`${field}\`: ${String(given)} is none of ${allowed.join(", ")}`, {
    field,
  });
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
  return new MobileBertError("unsupported", `this model does ${found}, not ${wanted}${instead}`);
}
