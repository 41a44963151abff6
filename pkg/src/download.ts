import { aborted, MobileBertError } from "./errors.js";
import { patientChunks } from "./patience.js";

/** How a file is asked for: with these headers more. */
export type Ask = (headers: Record<string, string>) => Promise<Response>;

/** Waits before a download that broke off is gone on with, in milliseconds; bytes that come start them anew. */
const WAITS = [250, 500, 1000, 2000];

/** A download as one answer of a server leaves it. */
export interface Download {
  response: Response;
  /** The byte at which the answer begins. */
  start: number;
  /** Size of the whole file, where it is known: a compressed answer does not tell. */
  bytes: number | undefined;
  /** What changes when the file does: ETag and modification date, with the size. Empty parts are unknown. */
  validator: string;
}

/** Reads what an answer to a request for a file, or for the rest of one from the byte `asked` on, says of it. */
export function asDownload(response: Response, asked = 0): Download {
  const { start, bytes } = response.status === 206 ? range(response, asked) : { start: 0, bytes: sizeOf(response) };
  return { response, start, bytes, validator: validatorOf(response, bytes) };
}

/** What changes when a file does. */
function validatorOf({ headers }: Response, bytes: number | undefined): string {
  return [headers.get("etag") ?? "", headers.get("last-modified") ?? "", bytes ?? ""].join("|");
}

/** Whether two validators tell of two files; a size is known for some answers only. */
function isAnother(one: string, other: string): boolean {
  const [ones, others] = [one.split("|"), other.split("|")];
  return ones.some((part, i) => part !== "" && others[i] !== "" && part !== others[i]);
}

/** Whether a validator holds more than a size: files of one size may differ. */
export function isTelling(validator: string): boolean {
  return !validator.startsWith("||");
}

/**
 * Headers that ask for a file from a byte on. `If-Range` makes a server send the whole of a file that changed; it is
 * sent to the page's own origin only, because others would first have to be asked whether they allow it.
 */
export function rangeHeaders(from: number, validator: string, url: string): Record<string, string> {
  const [etag = "", modified = ""] = validator.split("|");
  const condition = etag !== "" && !etag.startsWith("W/") ? etag : modified;
  const own = typeof location === "undefined" || new URL(url).origin === location.origin;
  return { range: `bytes=${from}-`, ...(own && condition !== "" && { "if-range": condition }) };
}

/**
 * The bytes of a download. Where it breaks off, or stalls, it is gone on with: by a range, or by reading past what came
 * already where the server sends the whole file again. A file that is another one by then ends the download.
 */
export async function* reading(
  name: string,
  url: string,
  first: Download,
  ask: Ask,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  let current = first;
  let at = first.start;
  let failures = 0;
  // A compressed answer is not counted in the file's bytes, so no range of it can be asked for.
  const ranges = first.bytes !== undefined;
  for (;;) {
    try {
      const { body } = current.response;
      let skip = at - current.start;
      for await (const chunk of body ? patientChunks(body, signal) : []) {
        const fresh = chunk.subarray(Math.min(skip, chunk.length));
        skip -= chunk.length - fresh.length;
        if (fresh.length === 0) continue;
        at += fresh.length;
        failures = 0;
        yield fresh;
      }
      if (first.bytes !== undefined && at < first.bytes) throw new Error(`${at} of ${first.bytes} bytes came`);
      return;
    } catch (error) {
      if (signal.aborted) throw aborted();
      current = await again(error);
    }
  }

  async function again(error: unknown): Promise<Download> {
    const wait = WAITS[failures++];
    if (wait === undefined) throw brokeOff(name, error);
    await pause(wait, signal);
    let found: Download;
    try {
      found = asDownload(await ask(ranges ? rangeHeaders(at, first.validator, url) : {}), at);
    } catch (error) {
      if (signal.aborted) throw aborted();
      return await again(error);
    }
    const cancel = () => void found.response.body?.cancel().catch(() => {});
    if (!found.response.ok) {
      cancel();
      return await again(new Error(`the server answered ${found.response.status}`));
    }
    const changed = ranges && found.validator !== first.validator;
    if (found.start > at || changed || isAnother(found.validator, first.validator)) {
      cancel();
      const message = `${name}: changed on the server while it was downloaded; load the model again`;
      throw new MobileBertError("network", message, { file: name });
    }
    return found;
  }
}

function brokeOff(name: string, error: unknown): MobileBertError {
  const said = error instanceof Error ? error.message : String(error);
  const message = `${name}: the download broke off (${said}) and could not be gone on with; try again`;
  return new MobileBertError("network", message, { file: name });
}

/** `Content-Length` counts compressed bytes where the answer is compressed. */
function sizeOf({ headers }: Response): number | undefined {
  const length = Number(headers.get("content-length") ?? Number.NaN);
  const encoding = headers.get("content-encoding") ?? "identity";
  return encoding === "identity" && Number.isSafeInteger(length) ? length : undefined;
}

/** Where a partial answer begins, and how large the whole is; other origins may hide `Content-Range`. */
function range(response: Response, asked: number): { start: number; bytes: number | undefined } {
  const found = /^bytes (\d+)-\d+\/(\d+)$/.exec(response.headers.get("content-range") ?? "");
  if (found) return { start: Number(found[1]), bytes: Number(found[2]) };
  const rest = sizeOf(response);
  return { start: asked, bytes: rest === undefined ? undefined : asked + rest };
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(aborted());
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stop);
      resolve();
    }, milliseconds);
    signal.addEventListener("abort", stop, { once: true });
  });
}
