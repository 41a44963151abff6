import { onAbort } from "../abort.js";
import { aborted } from "../errors.js";

/** Time limits in milliseconds; an object, so that tests can shorten them. */
export const timeouts = {
  /** Until the headers of a response arrive. */
  response: 30_000,
  /** Until a mirror responds, before trying the next one, and until the Hub lists a repository's files. */
  mirror: 8_000,
  /** Until it is known whether a cached model is up to date, before it is used as it is. */
  check: 4_000,
  /** Until the next bytes of a response body arrive. */
  bytes: 30_000,
  /** Until a helper of a worker has started. */
  helper: 2_000,
  /** Until a helper has ended a job that is no longer needed. */
  stop: 10_000,
};

/**
 * Fetches with a time limit for the headers; for the body, see {@link chunksWithTimeout}. Once the headers have come, only
 * `stop` still ends the download.
 */
export async function fetchWithTimeout(
  url: string,
  init: RequestInit,
  signal: AbortSignal,
  limit = timeouts.response,
  stop = new AbortController(),
): Promise<Response> {
  const unsubscribe = onAbort(signal, () => stop.abort());
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    stop.abort();
  }, limit);
  try {
    return await fetch(url, { ...init, signal: stop.signal });
  } catch (error) {
    if (signal.aborted) throw aborted();
    throw timedOut ? new Error(`no response within ${limit / 1000} s`) : error;
  } finally {
    clearTimeout(timer);
    unsubscribe();
  }
}

/** Iterates over a response body; fails if no bytes arrive for too long. */
export async function* chunksWithTimeout(
  stream: ReadableStream<Uint8Array>,
  signal: AbortSignal,
  limit = timeouts.bytes,
): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  let timedOut = false;
  // Also ends a pending read.
  const cancel = () => void reader.cancel().catch(() => {});
  const unsubscribe = onAbort(signal, cancel);
  try {
    for (;;) {
      const timer = setTimeout(() => {
        timedOut = true;
        cancel();
      }, limit);
      const { done, value } = await reader.read().finally(() => clearTimeout(timer));
      if (signal.aborted) throw aborted();
      if (timedOut) throw new Error(`no data for ${limit / 1000} s`);
      if (done) return;
      yield value;
    }
  } finally {
    unsubscribe();
    await reader.cancel().catch(() => {});
  }
}
