import { chunksOf } from "./bytes.js";
import { type Ask, asDownload, isTelling, rangeHeaders, reading } from "./download.js";
import { aborted, MobileBertError, toError } from "./errors.js";
import { fileSystem } from "./node.js";
import { patience, patientFetch } from "./patience.js";
import { fileUrl, type Place } from "./source.js";

/** A file whose beginning was seen; reading its chunks downloads the rest. */
export interface OpenFile {
  name: string;
  /** The byte at which the chunks begin: not 0 where the bytes before are at hand from an earlier load. */
  start: number;
  /** Size where it is known: a compressed answer does not tell. */
  bytes: number | undefined;
  /** What changes when the file does: ETag or modification date, with the size. */
  validator: string;
  chunks: AsyncIterable<Uint8Array>;
  /** Whether the server calls it a page: many send one where there is no such file. Its chunks are an error then. */
  isPage: boolean;
  /** Gives the connection back without reading. */
  cancel(): void;
}

/** The beginning of a file that an earlier load left behind. */
export interface Beginning {
  bytes: number;
  validator: string;
}

/** Opens a file, or gives `undefined` where there is none of this name; `onAbsent` then hears the server's status. */
export async function openFile(
  place: Place,
  name: string,
  signal: AbortSignal,
  beginning?: Beginning,
  onAbsent?: (status: number) => void,
): Promise<OpenFile | undefined> {
  if (place.kind === "files") {
    const blob = place.files.get(name);
    return blob && fromBlob(name, blob);
  }
  const url = fileUrl(place.base, name);
  if (url.startsWith("file:")) return fromDisk(name, url);
  const ask: Ask = (headers) => {
    // The rest of a file is nothing for the browser's own cache, which would hold other requests up while it waits.
    const cache = "range" in headers ? "no-store" : place.anew ? "reload" : "no-cache";
    return request(name, url, { headers: { ...place.headers, ...headers }, cache }, signal);
  };
  const asked = beginning && isTelling(beginning.validator) ? beginning : undefined;
  let response = await ask(asked ? rangeHeaders(asked.bytes, asked.validator, url) : {});
  const resumes = response.status === 206 && asDownload(response, asked?.bytes).validator === asked?.validator;
  if ((response.status === 206 && !resumes) || response.status === 416) {
    // Another file than the one whose beginning is at hand, or nothing is left of it: from the start.
    await response.body?.cancel();
    response = await ask({});
  }
  if (isAbsent(response)) {
    await response.body?.cancel();
    onAbsent?.(response.status);
    return undefined;
  }
  return fromResponse(name, url, response, asked?.bytes ?? 0, ask, signal);
}

/**
 * Of several addresses of one directory the first that answers for its `config.json`. All files of a load come from
 * one mirror, so that they belong together.
 */
export async function chooseMirror(place: Place, signal: AbortSignal): Promise<Place> {
  if (place.kind === "files" || place.mirrors.length < 2) return place;
  for (const base of place.mirrors) {
    try {
      const init = { method: "HEAD", headers: place.headers };
      const response = await request("config.json", fileUrl(base, "config.json"), init, signal, patience.mirror);
      if (response.ok) return { ...place, base };
    } catch (error) {
      if (toError(error).code !== "network") throw error;
    }
  }
  // None answers: the first request to the first of them will say so.
  return place;
}

/** What a file's validator is now, or `undefined` where the server cannot be reached or says nothing. */
export async function currentValidator(place: Place, name: string, signal: AbortSignal): Promise<string | undefined> {
  if (place.kind === "files") return undefined;
  try {
    const response = await request(name, fileUrl(place.base, name), { method: "HEAD", headers: place.headers }, signal);
    return response.ok ? asDownload(response).validator : "";
  } catch (error) {
    if (toError(error).code === "network") return undefined;
    throw error;
  }
}

async function request(
  name: string,
  url: string,
  init: RequestInit,
  signal: AbortSignal,
  limit?: number,
): Promise<Response> {
  let response: Response;
  try {
    response = await patientFetch(url, { cache: "no-cache", ...init }, signal, limit);
  } catch (error) {
    if (signal.aborted) throw aborted();
    const said = error instanceof Error ? error.message : String(error);
    const message = `${name}: ${url} could not be fetched (${said}); is the network there, and does the server allow this page (CORS)?`;
    throw new MobileBertError("network", message, { file: name });
  }
  if (response.ok || isAbsent(response) || response.status === 416) return response;
  const message = `${name}: ${url} answered ${response.status} ${response.statusText}`.trimEnd();
  throw new MobileBertError("network", message, { file: name, status: response.status });
}

/** The Hub answers 401 for a repository that does not exist, or that one may not see. */
function isAbsent(response: Response): boolean {
  return [401, 403, 404, 410].includes(response.status);
}

function fromResponse(
  name: string,
  url: string,
  response: Response,
  asked: number,
  ask: Ask,
  signal: AbortSignal,
): OpenFile {
  const download = asDownload(response, asked);
  const { start, bytes, validator } = download;
  const type = response.headers.get("content-type") ?? "";
  const chunks = reading(name, url, download, ask, signal);
  return {
    name,
    start,
    bytes,
    validator,
    chunks: start === 0 ? checked(name, type, chunks) : chunks,
    isPage: type.startsWith("text/html"),
    cancel: () => void response.body?.cancel().catch(() => {}),
  };
}

/** Looks at the first bytes: many servers answer a missing file with a page, and checkouts leave pointers behind. */
async function* checked(name: string, type: string, chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let first = true;
  for await (const chunk of chunks) {
    if (first && chunk.length > 0) {
      first = false;
      const head = new TextDecoder().decode(chunk.subarray(0, 200)).trimStart().toLowerCase();
      if (type.startsWith("text/html") || /^<(!doctype|html|head|body|\?xml)/.test(head)) {
        const message = `${name}: the server sent an HTML page in its place; check the model's address`;
        throw new MobileBertError("not-a-model", message, { file: name });
      }
      if (head.startsWith("version https://git-lfs")) {
        const message = `${name}: a Git LFS pointer stands in its place; fetch the file itself (git lfs pull)`;
        throw new MobileBertError("not-a-model", message, { file: name });
      }
    }
    yield chunk;
  }
}

function fromBlob(name: string, blob: Blob): OpenFile {
  const chunks = checked(name, "", chunksOf(blob.stream()));
  return { name, start: 0, bytes: blob.size, validator: "", chunks, isPage: false, cancel: () => {} };
}

/** Node's own files; `fetch` does not read them. */
async function fromDisk(name: string, url: string): Promise<OpenFile | undefined> {
  const { open } = await fileSystem();
  const handle = await open(new URL(url)).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
    throw new MobileBertError("network", `${name}: ${error.message}`, { file: name });
  });
  if (!handle) return undefined;
  const { size } = await handle.stat();
  const stream = handle.createReadStream({ highWaterMark: 1 << 20 });
  const cancel = () => void stream.destroy();
  return { name, start: 0, bytes: size, validator: "", chunks: checked(name, "", stream), isPage: false, cancel };
}
