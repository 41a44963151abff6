import { chunksOf } from "./bytes.js";
import { aborted, MobileBertError, toError } from "./errors.js";
import { fileSystem } from "./node.js";
import { fileUrl, type Place } from "./source.js";

/** A file whose beginning was seen; reading its chunks downloads the rest. */
export interface OpenFile {
  name: string;
  /** Size where it is known: a compressed answer does not tell. */
  bytes: number | undefined;
  /** What changes when the file does: ETag or modification date, with the size. */
  validator: string;
  chunks: AsyncIterable<Uint8Array>;
  /** Gives the connection back without reading. */
  cancel(): void;
}

/** Opens a file, or gives `undefined` where there is none of this name. */
export async function openFile(place: Place, name: string, signal: AbortSignal): Promise<OpenFile | undefined> {
  if (place.kind === "files") {
    const blob = place.files.get(name);
    return blob && fromBlob(name, blob);
  }
  const url = fileUrl(place.base, name);
  if (url.startsWith("file:")) return fromDisk(name, url);
  const response = await request(name, url, { headers: place.headers, signal });
  if (isAbsent(response)) {
    await response.body?.cancel();
    return undefined;
  }
  return fromResponse(name, response);
}

/** What a file's validator is now, or `undefined` where the server cannot be reached or says nothing. */
export async function currentValidator(place: Place, name: string, signal: AbortSignal): Promise<string | undefined> {
  if (place.kind === "files") return undefined;
  try {
    const response = await request(name, fileUrl(place.base, name), { method: "HEAD", headers: place.headers, signal });
    return response.ok ? validatorOf(response) : "";
  } catch (error) {
    if (toError(error).code === "network") return undefined;
    throw error;
  }
}

/** The error of a file that a model needs and does not have. */
export function missing(place: Place, name: string): MobileBertError {
  const where = place.kind === "files" ? "the files that were picked" : place.base;
  const hint =
    place.kind === "files"
      ? "pick config.json, model.safetensors and tokenizer.json or vocab.txt together"
      : "is it a model's directory? An address ends in `/`, an id reads `owner/name`";
  return new MobileBertError("not-found", `${name}: not in ${where}; ${hint}`, { file: name });
}

async function request(name: string, url: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, { ...init, cache: "no-cache" });
  } catch (error) {
    if (init.signal?.aborted) throw aborted();
    const said = error instanceof Error ? error.message : String(error);
    const message = `${name}: ${url} could not be fetched (${said}); is the network there, and does the server allow this page (CORS)?`;
    throw new MobileBertError("network", message, { file: name });
  }
  if (response.ok || isAbsent(response)) return response;
  const message = `${name}: ${url} answered ${response.status} ${response.statusText}`.trimEnd();
  throw new MobileBertError("network", message, { file: name, status: response.status });
}

/** The Hub answers 401 for a repository that does not exist, or that one may not see. */
function isAbsent(response: Response): boolean {
  return [401, 403, 404, 410].includes(response.status);
}

function fromResponse(name: string, response: Response): OpenFile {
  const body = response.body;
  if (!body) throw new MobileBertError("network", `${name}: the answer has no body`, { file: name });
  const type = response.headers.get("content-type") ?? "";
  return {
    name,
    bytes: sizeOf(response),
    validator: validatorOf(response),
    chunks: checked(name, type, reading(name, body)),
    cancel: () => void body.cancel().catch(() => {}),
  };
}

/** A stream that breaks off is the network's fault, not the file's. */
async function* reading(name: string, body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* chunksOf(body);
  } catch (error) {
    if (error instanceof MobileBertError) throw error;
    if (error instanceof Error && error.name === "AbortError") throw aborted();
    const said = error instanceof Error ? error.message : String(error);
    throw new MobileBertError("network", `${name}: the download broke off (${said}); try again`, { file: name });
  }
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

/** `Content-Length` counts compressed bytes where the answer is compressed. */
function sizeOf(response: Response): number | undefined {
  const length = Number(response.headers.get("content-length") ?? Number.NaN);
  const encoding = response.headers.get("content-encoding") ?? "identity";
  return encoding === "identity" && Number.isSafeInteger(length) ? length : undefined;
}

function validatorOf(response: Response): string {
  const names = ["etag", "last-modified", "content-length"];
  return names.map((name) => response.headers.get(name) ?? "").join("|");
}

function fromBlob(name: string, blob: Blob): OpenFile {
  const chunks = checked(name, "", chunksOf(blob.stream()));
  return { name, bytes: blob.size, validator: "", chunks, cancel: () => {} };
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
  return { name, bytes: size, validator: "", chunks: checked(name, "", stream), cancel: () => void stream.destroy() };
}
