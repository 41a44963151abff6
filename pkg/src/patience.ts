import { aborted } from "./errors.js";

/** How long a server is waited for, in milliseconds; an object, so that tests need not wait as long. */
export const patience = {
  /** For the head of an answer. */
  answer: 30_000,
  /** For the head of a mirror's answer, before the next one is asked. */
  mirror: 8_000,
  /** For the next bytes of an answer. */
  bytes: 30_000,
};

/** A request whose answer must begin within a time; what comes of its body is for {@link patientChunks} to watch. */
export async function patientFetch(
  url: string,
  init: RequestInit,
  signal: AbortSignal,
  limit = patience.answer,
): Promise<Response> {
  const stop = new AbortController();
  const onAbort = () => stop.abort();
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    stop.abort();
  }, limit);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    if (signal.aborted) throw aborted();
    return await fetch(url, { ...init, signal: stop.signal });
  } catch (error) {
    if (signal.aborted) throw aborted();
    throw late ? new Error(`no answer came for ${limit / 1000} s`) : error;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  }
}

/** The chunks of an answer's body. A server that sends nothing for too long is given up. */
export async function* patientChunks(
  stream: ReadableStream<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  const limit = patience.bytes;
  let late = false;
  // Ends the read that waits, too.
  const cancel = () => void reader.cancel().catch(() => {});
  signal.addEventListener("abort", cancel, { once: true });
  try {
    for (;;) {
      const timer = setTimeout(() => {
        late = true;
        cancel();
      }, limit);
      const { done, value } = await reader.read().finally(() => clearTimeout(timer));
      if (signal.aborted) throw aborted();
      if (late) throw new Error(`no byte came for ${limit / 1000} s`);
      if (done) return;
      yield value;
    }
  } finally {
    signal.removeEventListener("abort", cancel);
    await reader.cancel().catch(() => {});
  }
}
