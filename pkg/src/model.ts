import { checkOptions } from "./check.js";
import { aborted, disposed, invalidInput, MobileBertError, type PlainError, toError } from "./errors.js";
import { Host } from "./host.js";
import { inNode } from "./node.js";
import { LOAD } from "./options.js";
import type { CallName, Connection, Loaded, LoadHooks, LoadRequest, Task } from "./protocol.js";
import { onAbort } from "./signals.js";
import { resolveAddress, resolveSource } from "./source.js";
import type { CallOptions, Device, LoadOptions, Memory, ModelSource, Progress } from "./types.js";
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
    // Who stops a call gets the word at once; the next call begins when the device has really stopped.
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
      const forget = [onAbort(ended, () => stopWith(disposed()))];
      if (signal) forget.push(onAbort(signal, () => stopWith(aborted())));
      // Without a worker, what the module throws arrives as it is.
      const fail = (error: unknown) => reject(toError(error));
      work.then(resolve, fail).finally(() => {
        for (const each of forget) each();
      });
    });
  }
}

/** Loads a model for a task and wraps it. */
export async function open<T extends LoadedModel>(
  wrap: new (connection: Connection, loaded: Loaded) => T,
  task: Task,
  model: ModelSource,
  options: LoadOptions,
): Promise<T> {
  checkOptions(options, LOAD);
  if (options.signal?.aborted) throw aborted();
  const request = await loadRequest(task, model, options);
  const workerUrl = await absolute("workerUrl", options.workerUrl);
  const inWorker = options.worker ?? (typeof Worker !== "undefined" || inNode());
  const listeners = new Listeners(options);
  const { signal } = listeners;
  const connection = inWorker ? await WorkerConnection.start(workerUrl) : new Host();
  try {
    const loading = connection.load(request, listeners, signal);
    const loaded = await untilAborted(loading, signal, () => connection.dispose());
    if (loaded.task !== task) throw wrongTask(task, loaded.task);
    return new wrap(connection, loaded);
  } catch (error) {
    // Unless the caller stopped: then the worker puts things away first.
    if (!signal.aborted) connection.dispose();
    throw listeners.thrown ? listeners.thrown.error : toError(error);
  } finally {
    listeners.end();
  }
}

/** The caller's listeners. One that throws stops the load, which then fails with what it threw. */
class Listeners implements LoadHooks {
  thrown: { error: unknown } | undefined;
  /** To be called when the load has ended. */
  readonly end: () => void = () => {};
  private readonly stop = new AbortController();

  constructor(private readonly options: LoadOptions) {
    if (options.signal?.aborted) this.stop.abort();
    else if (options.signal) this.end = onAbort(options.signal, () => this.stop.abort());
  }

  /** Aborted by the caller, or by what a listener threw. */
  get signal(): AbortSignal {
    return this.stop.signal;
  }

  // Functions of their own, not methods: they are handed on one by one.
  readonly progress = (progress: Progress): void => {
    if (!this.signal.aborted) this.tell(() => this.options.onProgress?.(progress));
  };

  readonly warning = (warning: PlainError): void => {
    this.tell(() => (this.options.onWarning ?? console.warn)(toError(warning)));
  };

  private tell(listener: () => void): void {
    try {
      listener();
    } catch (error) {
      this.thrown ??= { error };
      this.stop.abort();
    }
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
  const place = await resolveSource(model, options);
  const wasmUrl = await absolute("wasmUrl", options.wasmUrl);
  return { place, task, device, dtype, schedule, cache, wasmUrl, wasmBytes };
}

async function absolute(field: string, url: string | URL | undefined): Promise<string | undefined> {
  if (url === undefined) return undefined;
  try {
    return (await resolveAddress(String(url))).href;
  } catch {
    throw invalidInput(field, `"${url}" is no address`);
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
  const message = `this model does ${found}, not ${wanted}${instead}`;
  return new MobileBertError("unsupported", message, { task: found });
}
