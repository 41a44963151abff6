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
  let current = first;
  let at = first.start;
  let failures = 0;
  // The length of a compressed response isn't the file's, so ranges can't be requested.
  const ranges = first.bytes !== undefined;
  for (;;) {
    try {
      const { body } = current.response;
      let skip = at - current.start;
      for await (const chunk of body ? chunksWithTimeout(body, signal) : []) {
        const fresh = chunk.subarray(Math.min(skip, chunk.length));
        skip -= chunk.length - fresh.length;
        if (fresh.length === 0) continue;
        at += fresh.length;
        failures = 0;
        yield fresh;
      }
      if (first.bytes !== undefined && at < first.bytes) throw new Error(`received ${at} of ${first.bytes} bytes`);
      return;
    } catch (error) {
      if (signal.aborted) throw aborted();
      current = await retry(error);
    }
  }

  async function retry(error: unknown): Promise<Download> {
    const delay = RETRY_DELAYS[failures++];
    if (delay === undefined) throw interrupted(name, error);
    await sleep(delay, signal);
    let found: Download;
    try {
      found = parseResponse(await send(ranges ? rangeHeaders(at, first.validator, url) : {}), at);
    } catch (error) {
      if (signal.aborted) throw aborted();
      return await retry(error);
    }
    const cancel = () => void found.response.body?.cancel().catch(() => {});
    if (!found.response.ok) {
      cancel();
      return await retry(new Error(`the server responded with ${found.response.status}`));
    }
    const changed = ranges && found.validator !== first.validator;
    if (found.start > at || changed || differ(found.validator, first.validator)) {
      cancel();
      const message = `${name}: changed on the server during the download; load the model again`;
      throw new MobileBertError("network", message, { file: name });
    }
    return found;
  }
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
