import { chunksOf } from "./bytes.js";
import { checkOptions } from "./check.js";
import { invalidInput } from "./errors.js";
import { LOAD } from "./options.js";
import { fileUrl, resolveSource } from "./source.js";
import type { LoadOptions } from "./types.js";

/** A model that the browser keeps. */
export interface CachedModel {
  /** Address of its directory. */
  model: string;
  /** Its files, and their sizes in bytes. */
  files: { name: string; bytes: number }[];
  /** Bytes of all files together. */
  bytes: number;
  /** When it was stored, as an ISO date. */
  stored: string;
}

/** What is noted beside a model's files once all of them were read and checked; without it they do not count. */
export interface CacheRecord extends CachedModel {
  /** Text of `files.json`, or the weights' validator where there is none: a change means that the model changed. */
  version: string;
  hasManifest: boolean;
}

const STORE = "mobilebert-models";
const RECORD = "mobilebert-cache-record.json";
const PART_NAME = "mobilebert-part-";
/** Files are kept in parts of about this size, so that one that did not come whole is not lost. */
const PART = 4 << 20;
/** Headers that a kept part carries. */
const START = "x-mobilebert-start";
const BYTES = "x-mobilebert-bytes";
const VALIDATOR = "x-mobilebert-validator";

/** The models kept by the browser. */
export const cache = {
  /** Models that are complete. */
  async list(): Promise<CachedModel[]> {
    const store = await openStore();
    if (!store) return [];
    const models: CachedModel[] = [];
    for (const request of await store.keys()) {
      if (!new URL(request.url).pathname.endsWith(`/${RECORD}`)) continue;
      const record = (await (await store.match(request))?.json()) as CacheRecord | undefined;
      if (record) models.push({ model: record.model, files: record.files, bytes: record.bytes, stored: record.stored });
    }
    return models;
  },

  /** Bytes that this page's origin uses, and may use, as the browser estimates them. */
  async estimate(): Promise<{ usage: number; quota: number }> {
    const found = await globalThis.navigator?.storage?.estimate?.();
    return { usage: found?.usage ?? 0, quota: found?.quota ?? 0 };
  },

  /** Forgets one model, named as for `load`, or all. `options` are those under which it was loaded. */
  async clear(model?: string | URL, options: Pick<LoadOptions, "endpoint" | "revision"> = {}): Promise<void> {
    const { endpoint, revision } = LOAD;
    checkOptions(options, { endpoint, revision });
    const place = model === undefined ? undefined : await resolveSource(model, options);
    if (place?.kind === "files") throw invalidInput("model", "files that were picked are not kept");
    if (typeof caches === "undefined") return;
    if (place) await forget(place.base);
    else await caches.delete(STORE);
  },
};

/** The record of a complete model. */
export async function findRecord(base: string): Promise<CacheRecord | undefined> {
  const response = await (await openStore())?.match(fileUrl(base, RECORD));
  return response && ((await response.json()) as CacheRecord);
}

/** What stands of a file in the cache: nothing, its beginning or all of it. */
export interface KeptParts {
  count: number;
  bytes: number;
  /** The validator that the file had when it was stored. */
  validator: string;
}

/** Looks up what stands of a file. Parts that do not go on where the one before ends do not count. */
export async function findParts(base: string, name: string): Promise<KeptParts> {
  const kept: KeptParts = { count: 0, bytes: 0, validator: "" };
  const store = await openStore();
  for (;;) {
    const headers = (await store?.match(partUrl(base, name, kept.count)))?.headers;
    const validator = headers?.get(VALIDATOR) ?? "";
    const bytes = Number(headers?.get(BYTES) ?? Number.NaN);
    if (Number.isNaN(bytes) || Number(headers?.get(START)) !== kept.bytes) return kept;
    if (kept.count > 0 && validator !== kept.validator) return kept;
    kept.count++;
    kept.bytes += bytes;
    kept.validator = validator;
  }
}

/** The bytes of a file's parts, in order. */
export async function* readParts(base: string, name: string, count: number): AsyncGenerator<Uint8Array> {
  const store = await openStore();
  for (let index = 0; index < count; index++) {
    const body = (await store?.match(partUrl(base, name, index)))?.body;
    if (body) yield* chunksOf(body);
  }
}

/** Says that a model's files are complete. */
export async function commit(record: CacheRecord): Promise<void> {
  const store = await openStore();
  await store?.put(fileUrl(record.model, RECORD), new Response(JSON.stringify(record)));
}

/** Takes back that a model's files are complete, before they are written over. */
export async function uncommit(base: string): Promise<void> {
  await (await openStore())?.delete(fileUrl(base, RECORD));
}

/** Forgets a model: the record first, so that an interruption leaves nothing that looks complete. */
export async function forget(base: string): Promise<void> {
  const store = await openStore();
  if (!store) return;
  await store.delete(fileUrl(base, RECORD));
  const directory = fileUrl(base, "").split("?")[0] ?? base;
  for (const { url } of await store.keys()) {
    // Not what lies in a folder below: that is another model's.
    const rest = url.startsWith(directory) ? (url.slice(directory.length).split("?")[0] ?? "") : "";
    const [name, part = ""] = rest.split("/");
    if (name === RECORD || part.startsWith(PART_NAME)) await store.delete(url);
  }
}

/** What became of the storing of a file. */
export interface Storing {
  /** Bytes of the file so far, those of an earlier load included. */
  bytes: number;
  /** Why the file cannot be kept, if it cannot: no room, or a window that keeps nothing. */
  failure: unknown;
}

/**
 * Passes chunks on and stores them beside, in parts, behind the parts that stand already. A load that breaks off
 * leaves whole parts behind, from which the next load goes on; only {@link commit} makes a model of them. Storing that
 * fails ends quietly: the model loads all the same.
 */
export function storing(
  base: string,
  name: string,
  validator: string,
  before: KeptParts,
  chunks: AsyncIterable<Uint8Array>,
): { chunks: AsyncIterable<Uint8Array>; state: Storing } {
  const state: Storing = { bytes: before.bytes, failure: undefined };
  async function* pass(): AsyncGenerator<Uint8Array> {
    const store = await openStore();
    if (!store) state.failure = "there is no cache storage here";
    let index = before.count;
    let start = before.bytes;
    let gathered: BlobPart[] = [];
    let size = 0;
    let written: Promise<void> = Promise.resolve();
    const write = async () => {
      // One part at a time, while the next one comes.
      await written;
      if (!store || state.failure !== undefined || size === 0) return;
      const headers = { [START]: String(start), [BYTES]: String(size), [VALIDATOR]: validator };
      written = store
        .put(partUrl(base, name, index++), new Response(new Blob(gathered), { headers }))
        .catch((error: unknown) => {
          state.failure = error ?? "no reason given";
        });
      gathered = [];
      start += size;
      size = 0;
    };
    try {
      for await (const chunk of chunks) {
        state.bytes += chunk.length;
        if (state.failure === undefined) {
          // A copy: the consumer may hand the chunk's memory on.
          gathered.push(chunk.slice() as Uint8Array<ArrayBuffer>);
          size += chunk.length;
          if (size >= PART) await write();
        }
        yield chunk;
      }
    } finally {
      await write();
      await written;
    }
  }
  return { chunks: pass(), state };
}

function partUrl(base: string, name: string, index: number): string {
  return fileUrl(base, `${name}/${PART_NAME}${index}`);
}

/** Cache storage exists in secure contexts only, and private windows may refuse it. */
async function openStore(): Promise<Cache | undefined> {
  if (typeof caches === "undefined") return undefined;
  return await caches.open(STORE).catch(() => undefined);
}
