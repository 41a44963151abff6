import { aborted } from "./errors.js";

/** The functions to call when a signal aborts. */
const waiting = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Calls `stop` when a signal aborts, or at once if it has; returns a function that unsubscribes. Each signal gets a single
 * listener, however many calls wait for it, because Node warns of a leak from eleven listeners on.
 */
export function onAbort(signal: AbortSignal, stop: () => void): () => void {
  if (signal.aborted) {
    stop();
    return () => {};
  }
  const stops = waiting.get(signal) ?? new Set();
  if (!waiting.has(signal)) {
    waiting.set(signal, stops);
    const stopAll = () => {
      for (const stop of [...stops]) stop();
    };
    signal.addEventListener("abort", stopAll, { once: true });
  }
  stops.add(stop);
  return () => stops.delete(stop);
}

/** Settles as `work` does, but rejects as soon as a signal aborts, or at once if it has; `work` itself goes on. */
export function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const unsubscribe = onAbort(signal, () => reject(aborted(signal.reason)));
    work.then(resolve, reject).finally(unsubscribe);
  });
}

/** Waits; rejects as soon as a signal aborts. */
export function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  let timer: ReturnType<typeof setTimeout>;
  const slept = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds);
  });
  return untilAborted(slept, signal).finally(() => clearTimeout(timer));
}
