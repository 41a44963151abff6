import assert from "node:assert/strict";
import { test } from "node:test";
import { cache } from "../src/files/cache.ts";
import { findChoice, storeChoice } from "../src/files/choices.ts";

/** Runs `body` with a cache storage in memory, or with one that refuses everything. */
async function withCaches(refuses: boolean, body: () => Promise<void>): Promise<void> {
  const stored = new Map<string, string>();
  const refuse = () => {
    if (refuses) throw new DOMException("no room", "QuotaExceededError");
  };
  const store = {
    match: async (url: string) => {
      refuse();
      return stored.has(url) ? new Response(stored.get(url)) : undefined;
    },
    put: async (url: string, response: Response) => {
      refuse();
      // As a browser does, which takes only addresses of this kind.
      assert.match(new URL(url).protocol, /^https?:$/);
      stored.set(url, await response.text());
    },
    keys: async () => [...stored.keys()].map((url) => ({ url })),
  };
  const caches = { open: async () => store, delete: async () => stored.clear() };
  const before = Object.getOwnPropertyDescriptor(globalThis, "caches");
  Object.defineProperty(globalThis, "caches", { value: caches, configurable: true });
  try {
    await body();
  } finally {
    if (before) Object.defineProperty(globalThis, "caches", before);
    else Reflect.deleteProperty(globalThis, "caches");
  }
}

const KEY = "nvidia ampere (webgpu) | Mozilla/5.0 (X11) ?&#/% | mobilebert q8-24-512";

test("a choice is found under its key, in place of an earlier one", async () => {
  await withCaches(false, async () => {
    assert.equal(await findChoice(KEY), undefined);
    await storeChoice(KEY, "first");
    await storeChoice(KEY, "second");
    await storeChoice(`${KEY}-24`, "another network");
    assert.equal(await findChoice(KEY), "second");
    assert.equal(await findChoice(KEY.toLowerCase()), undefined);
  });
});

test("a choice isn't listed as a model, and is forgotten with the models", async () => {
  await withCaches(false, async () => {
    await storeChoice(KEY, "first");
    assert.deepEqual(await cache.list(), []);
    await cache.clear();
    assert.equal(await findChoice(KEY), undefined);
  });
});

test("a storage that refuses, or none, fails nothing", async () => {
  await withCaches(true, async () => {
    await storeChoice(KEY, "first");
    assert.equal(await findChoice(KEY), undefined);
  });
  await storeChoice(KEY, "first");
  assert.equal(await findChoice(KEY), undefined);
});
