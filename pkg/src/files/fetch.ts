import { aborted, MobileBertError, toError } from "../errors.js";
import { fileSystem } from "../node.js";
import { identifiesContent, parseResponse, rangeHeaders, readResuming, type SendRequest } from "./resume.js";
import { fileUrl, type Place } from "./source.js";
import { chunksOf } from "./streams.js";
import { fetchWithTimeout, timeouts } from "./timeouts.js";

/** An opened file; reading its chunks downloads it. */
export interface OpenFile {
  name: string;
  /** Byte offset at which the chunks start; not 0 if the bytes before are cached from an earlier load. */
  start: number;
  /** Size if known; unknown for compressed responses. */
  bytes: number | undefined;
  /** Changes when the file does: ETag, modification date and size. */
  validator: string;
  chunks: AsyncIterable<Uint8Array>;
  /** True if the server sent an HTML page, as many do for missing files. Reading its chunks fails. */
  isPage: boolean;
  /** Closes the connection without reading. */
  cancel(): void;
}

/** The first bytes of a file, cached by an earlier load. */
export interface CachedPrefix {
  bytes: number;
  validator: string;
}

/** Opens a file. Returns `undefined` if it doesn't exist, and passes the HTTP status, if any, to `onMissing`. */
export async function openFile(
  place: Place,
  name: string,
  signal: AbortSignal,
  prefix?: CachedPrefix,
  onMissing?: (status: number) => void,
): Promise<OpenFile | undefined> {
  if (place.kind === "files") {
    const blob = place.files.get(name);
    return blob && fromBlob(name, blob);
  }
  const url = fileUrl(place.base, name);
  if (url.startsWith("file:")) return fromDisk(name, url);
  const send: SendRequest = (headers) => {
    // Range responses aren't worth caching, and the browser's HTTP cache would block other requests meanwhile.
    const cache = "range" in headers ? "no-store" : place.bypassHttpCache ? "reload" : "no-cache";
    return request(name, url, { headers: { ...place.headers, ...headers }, cache }, signal);
  };
  const cached = prefix && identifiesContent(prefix.validator) ? prefix : undefined;
  let response = await send(cached ? rangeHeaders(cached.bytes, cached.validator, url) : {});
  const resumes = response.status === 206 && parseResponse(response, cached?.bytes).validator === cached?.validator;
  if ((response.status === 206 && !resumes) || response.status === 416) {
    // The file has changed, or there is nothing left of it: start from the beginning.
    await response.body?.cancel();
    response = await send({});
  }
  if (isMissing(response)) {
    await response.body?.cancel();
    if (response.status > 0) onMissing?.(response.status);
    return undefined;
  }
  return fromResponse(name, url, response, cached?.bytes ?? 0, send, signal);
}

/**
 * Chooses the first mirror that responds with `config.json`. All files of a load come from the same mirror, so that
 * they match.
 */
export async function chooseMirror(place: Place, signal: AbortSignal): Promise<Place> {
  if (place.kind === "files" || place.mirrors.length < 2) return place;
  for (const base of place.mirrors) {
    try {
      const init = { method: "HEAD", headers: place.headers };
      const response = await request("config.json", fileUrl(base, "config.json"), init, signal, timeouts.mirror);
      if (response.ok) return { ...place, base };
    } catch (error) {
      if (toError(error).code !== "network") throw error;
    }
  }
  // None responds: the first request to the first mirror will report it.
  return place;
}

/**
 * Returns a file's current validator, or `undefined` if it doesn't exist any more. A refusal or a page, such as that of a
 * proxy, says nothing about the file: it fails like a server that can't be reached.
 */
export async function currentValidator(place: Place, name: string, signal: AbortSignal): Promise<string | undefined> {
  if (place.kind === "files") return undefined;
  const response = await request(name, fileUrl(place.base, name), { method: "HEAD", headers: place.headers }, signal);
  const { ok, status } = response;
  if (isRefused(status) || isPage(response)) {
    throw new MobileBertError("network", `${name}: the server responded with ${status}`, { file: name, status });
  }
  return ok ? parseResponse(response).validator : undefined;
}

/** Sends a request. Fails unless the response is one that callers handle: a success, a missing file or range. */
export async function request(
  name: string,
  url: string,
  init: RequestInit,
  signal: AbortSignal,
  limit?: number,
): Promise<Response> {
  let response: Response;
  try {
    response = await fetchWithTimeout(url, { cache: "no-cache", ...init }, signal, limit);
  } catch (error) {
    if (signal.aborted) throw aborted();
    // An extension's own files need no network: the request for a missing one fails.
    if (!/^https?:/.test(url)) return Response.error();
    const message = `${name}: could not fetch ${url} (${reasonOf(error)}); check the network, and whether the server allows this page (CORS)`;
    throw new MobileBertError("network", message, { file: name });
  }
  if (response.ok || isMissing(response) || response.status === 416) return response;
  const message = `${name}: ${url} responded with ${response.status} ${response.statusText}`.trimEnd();
  throw new MobileBertError("network", message, { file: name, status: response.status });
}

/** Node's message is "fetch failed"; the reason is in the error's cause. */
function reasonOf(error: unknown): string {
  const { message, cause } = Object(error) as Partial<Error>;
  const { message: reason, code } = Object(cause) as { message?: string; code?: string };
  return reason || code || message || String(error);
}

/** The Hub responds with 401 for repositories that don't exist or aren't accessible. A request that failed has status 0. */
function isMissing(response: Response): boolean {
  return [0, 401, 403, 404, 410].includes(response.status);
}

/** Returns whether a status means that the server doesn't let the client read a file. */
export function isRefused(status: number | undefined): boolean {
  return status === 401 || status === 403;
}

function isPage({ headers }: Response): boolean {
  return (headers.get("content-type") ?? "").startsWith("text/html");
}

function fromResponse(
  name: string,
  url: string,
  response: Response,
  requestedStart: number,
  send: SendRequest,
  signal: AbortSignal,
): OpenFile {
  const download = parseResponse(response, requestedStart);
  const { start, bytes, validator } = download;
  const page = isPage(response);
  const chunks = readResuming(name, url, download, send, signal);
  return {
    name,
    start,
    bytes,
    validator,
    chunks: start === 0 ? rejectPlaceholders(name, page, chunks, url) : chunks,
    isPage: page,
    cancel: () => void response.body?.cancel().catch(() => {}),
  };
}

/** Checks the first bytes: many servers send a page for a missing file, and checkouts may contain LFS pointers. */
async function* rejectPlaceholders(
  name: string,
  isPage: boolean,
  chunks: AsyncIterable<Uint8Array>,
  url?: string,
): AsyncGenerator<Uint8Array> {
  let first = true;
  for await (const chunk of chunks) {
    if (first && chunk.length > 0) {
      first = false;
      const head = new TextDecoder().decode(chunk.subarray(0, 200)).trimStart().toLowerCase();
      if (isPage || /^<(!doctype|html|head|body|\?xml)/.test(head)) {
        const place = url === undefined ? "" : ` ${url}`;
        const message = `${name}: the server sent an HTML page instead of the file${place}; check the model's URL`;
        throw new MobileBertError("not-a-model", message, { file: name });
      }
      if (head.startsWith("version https://git-lfs")) {
        const message = `${name}: this is a Git LFS pointer, not the file itself; run git lfs pull`;
        throw new MobileBertError("not-a-model", message, { file: name });
      }
    }
    yield chunk;
  }
}

function fromBlob(name: string, blob: Blob): OpenFile {
  const chunks = rejectPlaceholders(name, false, chunksOf(blob.stream()));
  return { name, start: 0, bytes: blob.size, validator: "", chunks, isPage: false, cancel: () => {} };
}

/** Opens a file in Node; `fetch` doesn't support `file:` URLs. */
async function fromDisk(name: string, url: string): Promise<OpenFile | undefined> {
  const { open } = await fileSystem();
  const handle = await open(new URL(url)).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
    throw unreadable(name, error);
  });
  if (!handle) return undefined;
  const { size } = await handle.stat();
  const stream = handle.createReadStream({ highWaterMark: 1 << 20 });
  const cancel = () => void stream.destroy();
  return {
    name,
    start: 0,
    bytes: size,
    validator: "",
    chunks: rejectPlaceholders(name, false, naming(name, stream)),
    isPage: false,
    cancel,
  };
}

/** Passes chunks on; an error while reading them names the file. */
async function* naming(name: string, chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks;
  } catch (error) {
    throw unreadable(name, error as Error);
  }
}

function unreadable(name: string, { message }: Error): MobileBertError {
  return new MobileBertError("network", `${name}: ${message}`, { file: name });
}
