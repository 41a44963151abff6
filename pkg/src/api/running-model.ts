import { onAbort } from "../abort.js";
import { aborted, disposed, renamed, toError } from "../errors.js";
import type { Device, LoadTimes } from "../types.js";
import type { CallName, Connection, ModelInfo } from "../worker/protocol.js";

/** Options as errors of the wasm module name them, and as the classes call them. */
const OPTIONS = {
  doc_stride: "docStride",
  hypothesis_template: "hypothesisTemplate",
  max_answer_tokens: "maxAnswerTokens",
  max_length: "maxLength",
  max_question: "maxQuestionTokens",
  max_windows: "maxWindows",
  top_k: "topK",
};

/** A model that runs somewhere, and the queue of calls to it. The classes of a model's tasks can share it. */
export class RunningModel {
  readonly labels: readonly string[];
  readonly loadTimes: LoadTimes;
  device: Device;

  private queue: Promise<unknown> = Promise.resolve();
  private readonly end = new AbortController();

  constructor(
    private readonly connection: Connection,
    { device, labels, times }: ModelInfo,
  ) {
    this.device = device;
    this.labels = labels;
    this.loadTimes = times;
    connection.onDevice = (device) => {
      this.device = device;
    };
  }

  /** Frees all memory. Running, waiting and later calls fail. */
  dispose(): void {
    this.end.abort();
    this.connection.dispose();
  }

  /** Runs calls one at a time, in the order they were made. */
  call(
    name: CallName,
    args: unknown[],
    signal: AbortSignal | undefined,
    onPartial?: (value: unknown) => void,
  ): Promise<unknown> {
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
