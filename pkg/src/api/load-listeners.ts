import { onAbort } from "../abort.js";
import { type PlainError, toError } from "../errors.js";
import type { LoadOptions, Progress } from "../types.js";
import type { LoadHooks } from "../worker/protocol.js";

/** Calls the caller's listeners. If one throws, the load is aborted and fails with that error. */
export class LoadListeners implements LoadHooks {
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
