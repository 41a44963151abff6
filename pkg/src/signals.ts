const waiting = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Calls `stop` when a signal aborts, until the function that is given back is called. A signal has one listener,
 * however many calls wait for it: Node warns of a leak from eleven on.
 */
export function onAbort(signal: AbortSignal, stop: () => void): () => void {
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
