import assert from "node:assert/strict";
import { test } from "node:test";
import { cacheKey } from "../src/engine/load.ts";
import type { LoadRequest } from "../src/engine/request.ts";
import { MobileBertError } from "../src/errors.ts";
import { cache } from "../src/files/cache.ts";

/** A fake cache storage that only has what `clear` uses. */
function storage(urls: Set<string>) {
  const store = {
    keys: async () => [...urls].map((url) => ({ url })),
    delete: async (key: string) => urls.delete(key),
  };
  return { open: async () => store, delete: async () => urls.clear() };
}

const MODELS = [
  "https://huggingface.co/a/b/resolve/main",
  "https://huggingface.co/a/b/resolve/dev",
  "https://m.example/x/y",
].map((base) => `${base}/model.safetensors/mobilebert-part-0`);

/** Runs a test with another global property. */
async function withGlobal(name: "caches" | "navigator", property: PropertyDescriptor, work: () => Promise<void>) {
  const before = Object.getOwnPropertyDescriptor(globalThis, name);
  Object.defineProperty(globalThis, name, { ...property, configurable: true });
  try {
    await work();
  } finally {
    if (before) Object.defineProperty(globalThis, name, before);
    else Reflect.deleteProperty(globalThis, name);
  }
}

/** The addresses that remain of those stored. */
async function remainingAfter(
  stored: readonly string[],
  model: string | URL | undefined,
  options = {},
): Promise<string[]> {
  const urls = new Set(stored);
  await withGlobal("caches", { value: storage(urls) }, () => cache.clear(model, options));
  return [...urls];
}

/** The paths of the models that remain. */
async function modelsAfter(model: string | URL | undefined, options = {}): Promise<string[]> {
  const urls = await remainingAfter(MODELS, model, options);
  return urls.map((url) => new URL(url).pathname.split("/model")[0] ?? "");
}

test("a model is removed by the name it was loaded with", async () => {
  assert.deepEqual(await modelsAfter("a/b"), ["/a/b/resolve/dev", "/x/y"]);
  assert.deepEqual(await modelsAfter("a/b@dev"), ["/a/b/resolve/main", "/x/y"]);
  assert.deepEqual(await modelsAfter("a/b", { revision: "dev" }), ["/a/b/resolve/main", "/x/y"]);
  const others = ["/a/b/resolve/main", "/a/b/resolve/dev"];
  assert.deepEqual(await modelsAfter("https://m.example/x/y"), others);
  assert.deepEqual(await modelsAfter(new URL("https://m.example/x/y/")), others);
  assert.deepEqual(await modelsAfter(undefined), []);
});

test("the files of a model are removed, those in subfolders too, but no model in a subfolder", async () => {
  const part = (path: string) => `https://m.example/x/y/${path}/mobilebert-part-0`;
  const own = ["config.json", "1_Pooling/config.json", "model-00001-of-00002.safetensors"].map(part);
  const record = "https://m.example/x/y/mobilebert-cache-record.json";
  const others = [
    ...["small/config.json", "small/1_Pooling/config.json", "small/model.safetensors"].map(part),
    "https://m.example/x/y/small/mobilebert-cache-record.json",
    "https://m.example/x/y2/config.json/mobilebert-part-0",
  ];
  const later = own.map((url) => url.replace(/0$/, "17"));
  assert.deepEqual(await remainingAfter([...own, ...later, record, ...others], "https://m.example/x/y"), others);
  const signed = own.map((url) => `${url}?key=1`);
  assert.deepEqual(await remainingAfter([...signed, `${record}?key=1`], "https://m.example/x/y?key=1"), []);
});

test("whether a model is stored can be asked by the name it is loaded with", async () => {
  const record = "https://huggingface.co/a/b/resolve/dev/mobilebert-cache-record.json";
  const stored = [record, "https://m.example/x/mobilebert-cache-record.json?key=1", ...MODELS];
  const match = async (url: string) => (stored.includes(url) ? new Response("{}") : undefined);
  await withGlobal("caches", { value: { open: async () => ({ match }) } }, async () => {
    assert.ok(await cache.has("a/b@dev"));
    assert.ok(await cache.has("a/b", { revision: "dev" }));
    assert.ok(await cache.has(new URL("https://m.example/x?key=1")));
    // Parts without a record are a download that was interrupted.
    assert.equal(await cache.has("a/b"), false);
    assert.equal(await cache.has("https://m.example/x/y/"), false);
  });
});

/** What browsers throw in sandboxed frames. */
const denied = () => {
  throw new DOMException("sandboxed", "SecurityError");
};

test("where the browser denies cache storage, there is nothing in it, and models can be loaded", async () => {
  const place = { kind: "directory" as const, base: "https://m.example/x/", mirrors: [], headers: {} };
  const request = { cache: true, place } as unknown as LoadRequest;
  for (const property of [{ get: denied }, { value: { open: async () => denied() } }]) {
    await withGlobal("caches", property, async () => {
      assert.deepEqual(await cache.list(), []);
      assert.equal(await cache.has("a/b"), false);
      await cache.clear();
      await cache.clear("https://m.example/x/");
      // The attempt to store the model warns of it.
      assert.equal(cacheKey(request), place.base);
    });
  }
  const navigator = { storage: { estimate: async () => denied() } };
  await withGlobal("navigator", { value: navigator }, async () => {
    assert.deepEqual(await cache.estimate(), { usage: 0, quota: 0 });
  });
});

test("a damaged cache storage is reported by errors of the package", async () => {
  const store = { keys: async () => denied(), delete: async () => denied(), match: async () => denied() };
  const value = { open: async () => store, delete: async () => denied() };
  await withGlobal("caches", { value }, async () => {
    for (const work of [cache.list(), cache.clear(), cache.clear("a/b"), cache.has("a/b")]) {
      await assert.rejects(work, (error) => error instanceof MobileBertError && error.code === "internal");
    }
  });
});
