import { invalidInput, toError } from "../errors.js";
import { checkOptions, LOAD } from "../options.js";
import type { LoadOptions } from "../types.js";
import { MODULES } from "./model-files.js";
import { fileUrl, resolveSource } from "./source.js";
import { chunksOf } from "./streams.js";

/** A cached model. */
export interface CachedModel {
  /** URL of its directory. */
  model: string;
  /** Its files with their sizes in bytes. */
  files: { name: string; bytes: number }[];
  /** Total bytes of all files. */
  bytes: number;
  /** Time of storage, as an ISO date. */
  stored: string;
}

/** Stored with a model's files once all of them were read and verified; without it, they aren't used. */
export interface CacheRecord extends CachedModel {
  /** Text of `files.json`, the Hub's commit, or the weights' validator if there is neither; changes when the model does. */
  version: string;
  hasManifest: boolean;
  /** The weights' validator, unless there is a `files.json`. */
  validator?: string;
}

const CACHE_NAME = "mobilebert-models";
const RECORD = "mobilebert-cache-record.json";
const PART_NAME = "mobilebert-part-";
/**
 * Size of the parts in which files are stored, so that interrupted downloads can be resumed. All but a file's last one have
 * it exactly: tabs that download the same file at once then store the same parts.
 */
const PART_BYTES = 4 << 20;
/** Headers of a stored part. */
const START = "x-mobilebert-start";
const BYTES = "x-mobilebert-bytes";
const VALIDATOR = "x-mobilebert-validator";

/** Options of a load that a model's place depends on. */
type PlaceOptions = Pick<LoadOptions, "endpoint" | "revision">;

/** The models in the browser's cache storage. */
export const cache = {
  /** Lists all complete models. */
  async list(): Promise<CachedModel[]> {
    const models: CachedModel[] = [];
    try {
      const store = await openStore();
      for (const request of (await store?.keys()) ?? []) {
        if (!new URL(request.url).pathname.endsWith(`/${RECORD}`)) continue;
        const record = (await (await store?.match(request))?.json()) as CacheRecord | undefined;
        if (record)
          models.push({ model: record.model, files: record.files, bytes: record.bytes, stored: record.stored });
      }
    } catch (error) {
      throw toError(error);
    }
    return models;
  },

  /** Returns whether a model, given as for `load`, is complete: loading it downloads nothing but a newer version. */
  async has(model: string | URL, options: PlaceOptions = {}): Promise<boolean> {
    const base = await baseOf(model, options);
    try {
      return (await findRecord(base)) !== undefined;
    } catch (error) {
      throw toError(error);
    }
  },

  /** Returns the browser's estimate of the bytes used by, and available to, this origin. */
  async estimate(): Promise<{ usage: number; quota: number }> {
    // Fails where there is no origin, as in sandboxed frames.
    const found = await globalThis.navigator?.storage?.estimate?.().catch(() => undefined);
    return { usage: found?.usage ?? 0, quota: found?.quota ?? 0 };
  },

  /** Removes one model, given as for `load`, or all. Pass the `options` it was loaded with. */
  async clear(model?: string | URL, options: PlaceOptions = {}): Promise<void> {
    checkPlace(options);
    const base = model === undefined ? undefined : await baseOf(model, options);
    try {
      if (base !== undefined) await remove(base);
      else if (await openStore()) await caches.delete(CACHE_NAME);
    } catch (error) {
      throw toError(error);
    }
  },
};

// A function, because a constant would keep the checks of all options in the worker, which needs none.
function checkPlace(options: PlaceOptions): void {
  const { endpoint, revision } = LOAD;
  checkOptions(options, { endpoint, revision });
}

/** The URL of a model's directory, from its name and the options it was loaded with. */
async function baseOf(model: string | URL, options: PlaceOptions): Promise<string> {
  checkPlace(options);
  const place = await resolveSource(model, options);
  if (place.kind === "files") throw invalidInput("model", "selected files are not cached");
  return place.base;
}

/** Finds the record of a complete model. */
export async function findRecord(base: string): Promise<CacheRecord | undefined> {
  const response = await (await openStore())?.match(fileUrl(base, RECORD));
  return response && ((await response.json()) as CacheRecord);
}

/** The cached parts of a file: none, its first ones, or all of it. */
export interface StoredParts {
  count: number;
  bytes: number;
  /** The file's validator at the time of storage. */
  validator: string;
}

/** Finds the cached parts of a file. Parts that don't start where the previous one ends are ignored. */
export async function findParts(base: string, name: string): Promise<StoredParts> {
  const found: StoredParts = { count: 0, bytes: 0, validator: "" };
  const store = await openStore();
  for (;;) {
    const headers = (await store?.match(partUrl(base, name, found.count)))?.headers;
    const validator = headers?.get(VALIDATOR) ?? "";
    const bytes = Number(headers?.get(BYTES) ?? Number.NaN);
    if (Number.isNaN(bytes) || Number(headers?.get(START)) !== found.bytes) return found;
    if (found.count > 0 && validator !== found.validator) return found;
    found.count++;
    found.bytes += bytes;
    found.validator = validator;
  }
}

/** Reads a file's parts in order. */
export async function* readParts(base: string, name: string, count: number): AsyncGenerator<Uint8Array> {
  const store = await openStore();
  for (let index = 0; index < count; index++) {
    const body = (await store?.match(partUrl(base, name, index)))?.body;
    if (body) yield* chunksOf(body);
  }
}

/** Marks a model as complete. */
export async function commit(record: CacheRecord): Promise<void> {
  const store = await openStore();
  await store?.put(fileUrl(record.model, RECORD), new Response(JSON.stringify(record)));
}

/** Marks a model as incomplete, before its files are overwritten. */
export async function uncommit(base: string): Promise<void> {
  await (await openStore())?.delete(fileUrl(base, RECORD));
}

/** Removes a model: the record first, so that an interruption leaves nothing that looks complete. */
export async function remove(base: string): Promise<void> {
  const store = await openStore();
  if (!store) return;
  await store.delete(fileUrl(base, RECORD));
  const directory = fileUrl(base, "").split("?")[0] ?? base;
  for (const { url } of await store.keys()) {
    const [path = ""] = url.slice(directory.length).split("?");
    const [name = "", part] = path.split(`/${PART_NAME}`);
    // Other files in subfolders belong to other models.
    const isOwn = name === RECORD || (part !== undefined && (!name.includes("/") || MODULES.includes(name)));
    if (url.startsWith(directory) && isOwn) await store.delete(url);
  }
}

/** The state of storing a file. */
export interface StoreState {
  /** Bytes of the file so far, including those of an earlier load. */
  bytes: number;
  /** The reason if the file can't be stored: no room, or a private window. */
  failure: unknown;
}

/**
 * Passes chunks on and stores them in parts, after the parts that are already stored. An interrupted load leaves
 * complete parts behind, from which the next load resumes; they are only used after {@link commit}. If storing fails,
 * the model still loads.
 */
export function storeWhileReading(
  base: string,
  name: string,
  validator: string,
  stored: StoredParts,
  chunks: AsyncIterable<Uint8Array>,
): { chunks: AsyncIterable<Uint8Array>; state: StoreState } {
  const state: StoreState = { bytes: stored.bytes, failure: undefined };
  async function* pass(): AsyncGenerator<Uint8Array> {
    const store = await openStore();
    if (!store) state.failure = "cache storage is not available";
    let index = stored.count;
    let start = stored.bytes;
    let pending: BlobPart[] = [];
    let size = 0;
    let written: Promise<void> = Promise.resolve();
    const write = async () => {
      // One part at a time, while the next one arrives.
      await written;
      if (!store || state.failure !== undefined || size === 0) return;
      const headers = { [START]: String(start), [BYTES]: String(size), [VALIDATOR]: validator };
      written = store
        .put(partUrl(base, name, index++), new Response(new Blob(pending), { headers }))
        .catch((error: unknown) => {
          state.failure = error ?? "no reason given";
        });
      pending = [];
      start += size;
      size = 0;
    };
    try {
      for await (const chunk of chunks) {
        state.bytes += chunk.length;
        for (let at = 0; at < chunk.length && state.failure === undefined; ) {
          const room = PART_BYTES - ((start + size) % PART_BYTES);
          // A copy: the consumer may transfer the chunk's memory.
          const taken = chunk.slice(at, at + room) as Uint8Array<ArrayBuffer>;
          pending.push(taken);
          size += taken.length;
          at += taken.length;
          if (taken.length === room) await write();
        }
        yield chunk;
      }
      // Not after an interruption: half a part would replace the whole one of another tab.
      await write();
    } finally {
      await written;
    }
  }
  return { chunks: pass(), state };
}

function partUrl(base: string, name: string, index: number): string {
  return fileUrl(base, `${name}/${PART_NAME}${index}`);
}

/** The text stored under a URL that no model has. */
export async function findText(url: string): Promise<string | undefined> {
  return await (await (await openStore())?.match(url))?.text();
}

/** Stores a text under a URL that no model has. */
export async function storeText(url: string, text: string): Promise<void> {
  await (await openStore())?.put(url, new Response(text));
}

/**
 * Cache storage only exists in secure contexts. Private windows may refuse it, and sandboxed frames even asking for it. Not
 * exported: outside of browsers, TypeScript doesn't know the type.
 */
async function openStore(): Promise<Cache | undefined> {
  try {
    return await caches.open(CACHE_NAME);
  } catch {
    return undefined;
  }
}
