import { fileUrl } from "./source.js";

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

  /** Forgets one model, or all. */
  async clear(model?: string): Promise<void> {
    if (typeof caches === "undefined") return;
    if (model === undefined) await caches.delete(STORE);
    else await forget(model);
  },
};

/** The record of a complete model. */
export async function findRecord(base: string): Promise<CacheRecord | undefined> {
  const response = await (await openStore())?.match(fileUrl(base, RECORD));
  return response && ((await response.json()) as CacheRecord);
}

/** A kept file, whole or not at all. */
export async function findFile(base: string, name: string): Promise<ReadableStream<Uint8Array> | undefined> {
  const response = await (await openStore())?.match(fileUrl(base, name));
  return response?.body ?? undefined;
}

/** Says that a model's files are complete. */
export async function commit(record: CacheRecord): Promise<void> {
  const store = await openStore();
  await store?.put(fileUrl(record.model, RECORD), new Response(JSON.stringify(record)));
}

/** Forgets a model: the record first, so that an interruption leaves nothing that looks complete. */
export async function forget(base: string): Promise<void> {
  const store = await openStore();
  if (!store) return;
  await store.delete(fileUrl(base, RECORD));
  const directory = fileUrl(base, "").split("?")[0] ?? base;
  for (const request of await store.keys()) if (request.url.startsWith(directory)) await store.delete(request);
}

/**
 * Passes chunks on and stores them beside. Storing that fails (no quota, private window) ends quietly: the model
 * loads all the same, and `stored` tells that it must not be committed.
 */
export function storing(base: string, name: string, chunks: AsyncIterable<Uint8Array>) {
  const state = { stored: true, bytes: 0 };
  async function* pass(): AsyncGenerator<Uint8Array> {
    const store = await openStore();
    const through = new TransformStream<Uint8Array, Uint8Array>(undefined, { highWaterMark: 8 });
    const writer = through.writable.getWriter();
    const failed = () => {
      state.stored = false;
    };
    const url = fileUrl(base, name);
    const put = store ? store.put(url, new Response(through.readable)).catch(failed) : Promise.resolve(failed());
    let complete = false;
    try {
      for await (const chunk of chunks) {
        state.bytes += chunk.length;
        // A copy: the stream keeps the chunk until it is written, the consumer may hand its memory on.
        if (state.stored) await Promise.race([writer.ready.then(() => writer.write(chunk.slice())), put]).catch(failed);
        yield chunk;
      }
      complete = true;
    } finally {
      if (complete && state.stored) await writer.close().catch(failed);
      else await writer.abort().catch(() => {});
      await put;
    }
  }
  return { chunks: pass(), state };
}

/** Cache storage exists in secure contexts only, and private windows may refuse it. */
async function openStore(): Promise<Cache | undefined> {
  if (typeof caches === "undefined") return undefined;
  return await caches.open(STORE).catch(() => undefined);
}
