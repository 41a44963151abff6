import { sleep } from "../abort.js";
import { aborted, MobileBertError, messageOf } from "../errors.js";
import { chunksWithTimeout } from "./timeouts.js";

/** Requests the file with additional headers. */
export type SendRequest = (headers: Record<string, string>) => Promise<Response>;

/** Delays in milliseconds before each retry of an interrupted download; new bytes reset the count. */
const RETRY_DELAYS = [250, 500, 1000, 2000];

/** A download, as described by a server's response. */
export interface Download {
  response: Response;
  /** Byte offset at which the response starts. */
  start: number;
  /** Size of the whole file if known; unknown for compressed responses. */
  bytes: number | undefined;
  /** Changes when the file does: ETag, modification date and size. Unknown parts are empty. */
  validator: string;
}

/** Reads the headers of a response to a request for a file, or for its bytes from `requestedStart` on. */
export function parseResponse(response: Response, requestedStart = 0): Download {
  const { start, bytes } =
    response.status === 206 ? parseRange(response, requestedStart) : { start: 0, bytes: sizeOf(response) };
  return { response, start, bytes, validator: validatorOf(response, bytes) };
}

function validatorOf({ headers }: Response, bytes: number | undefined): string {
  return [headers.get("etag") ?? "", headers.get("last-modified") ?? "", bytes ?? ""].join("|");
}

/** Returns whether two validators belong to different files; parts that are unknown in either are ignored. */
function differ(one: string, other: string): boolean {
  const [ones, others] = [one.split("|"), other.split("|")];
  return ones.some((part, i) => part !== "" && others[i] !== "" && part !== others[i]);
}

/** Returns whether a validator is more than a size: different files may have the same size. */
export function identifiesContent(validator: string): boolean {
  return !validator.startsWith("||");
}

/**
 * Headers that request a file from a byte offset on. With `If-Range`, the server sends the whole file if it has changed;
 * it is only sent to the page's own origin, because it would require a CORS preflight elsewhere.
 */
export function rangeHeaders(from: number, validator: string, url: string): Record<string, string> {
  const [etag = "", modified = ""] = validator.split("|");
  const condition = etag !== "" && !etag.startsWith("W/") ? etag : modified;
  const own = typeof location === "undefined" || new URL(url).origin === location.origin;
  return { range: `bytes=${from}-`, ...(own && condition !== "" && { "if-range": condition }) };
}

/**
 * Reads a download. If it is interrupted or stalls, resumes it with a range request, or by skipping the bytes already
 * read if the server sends the whole file again. Fails if the file has changed in the meantime.
 */
export async function* readResuming(
  name: string,
  url: string,
  first: Download,
  send: SendRequest,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const { bytes, validator } = first;
  let current: Download | undefined = first;
  let at = first.start;
  let failures = 0;
  for (;;) {
    try {
      // The length of a compressed response isn't the file's, so ranges can't be requested.
      current ??= resumed(name, first, at, await send(bytes === undefined ? {} : rangeHeaders(at, validator, url)));
      for await (const chunk of unread(current, at, signal)) {
        at += chunk.length;
        failures = 0;
        yield chunk;
      }
      if (at < (bytes ?? at)) throw new Error(`received ${at} of ${bytes} bytes`);
      return;
    } catch (error) {
      if (signal.aborted) throw aborted();
      if (error instanceof Changed) throw error;
      const delay = RETRY_DELAYS[failures++];
      if (delay === undefined) throw interrupted(name, error);
      await sleep(delay, signal);
      current = undefined;
    }
  }
}

/** The chunks of a download from a byte offset on, which it may begin before. */
async function* unread({ response, start }: Download, from: number, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  let skip = from - start;
  for await (const chunk of response.body ? chunksWithTimeout(response.body, signal) : []) {
    const rest = chunk.subarray(Math.min(skip, chunk.length));
    skip -= chunk.length - rest.length;
    if (rest.length > 0) yield rest;
  }
}

/** The file has changed on the server. */
class Changed extends MobileBertError {}

/** The rest of a file in a response; fails unless it is the same file, from `at` or before. */
function resumed(name: string, { bytes, validator }: Download, at: number, response: Response): Download {
  const found = parseResponse(response, at);
  const hasChanged = bytes === undefined ? differ(found.validator, validator) : found.validator !== validator;
  if (response.ok && found.start <= at && !hasChanged) return found;
  void response.body?.cancel().catch(() => {});
  if (!response.ok) throw new Error(`the server responded with ${response.status}`);
  const message = `${name}: changed on the server during the download; load the model again`;
  throw new Changed("network", message, { file: name });
}

function interrupted(name: string, error: unknown): MobileBertError {
  const message = `${name}: the download was interrupted (${messageOf(error)}) and could not be resumed; try again`;
  return new MobileBertError("network", message, { file: name });
}

/** The file's size. `Content-Length` counts compressed bytes if the response is compressed. */
function sizeOf({ headers }: Response): number | undefined {
  const length = Number(headers.get("content-length") ?? Number.NaN);
  const encoding = headers.get("content-encoding") ?? "identity";
  return encoding === "identity" && Number.isSafeInteger(length) ? length : undefined;
}

/** Start of a partial response, and size of the file; other origins may hide `Content-Range`. */
function parseRange(response: Response, requestedStart: number): { start: number; bytes: number | undefined } {
  const found = /^bytes (\d+)-\d+\/(\d+)$/.exec(response.headers.get("content-range") ?? "");
  if (found) return { start: Number(found[1]), bytes: Number(found[2]) };
  const rest = sizeOf(response);
  return { start: requestedStart, bytes: rest === undefined ? undefined : requestedStart + rest };
}
