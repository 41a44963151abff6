import assert from "node:assert/strict";
import { test } from "node:test";
import { cache } from "../src/files/cache.ts";

/** A fake cache storage that only has what `clear` uses. */
function storage(urls: Set<string>) {
  const store = {
    keys: async () => [...urls].map((url) => ({ url })),
    delete: async (key: string) => urls.delete(key),
  };
  return { open: async () => store, delete: async () => urls.clear() };
}

async function remainingAfter(model: string | URL | undefined, options = {}): Promise<string[]> {
  const urls = new Set(
    ["https://huggingface.co/a/b/resolve/main", "https://huggingface.co/a/b/resolve/dev", "https://m.example/x/y"].map(
      (base) => `${base}/model.safetensors/mobilebert-part-0`,
    ),
  );
  const before = Object.getOwnPropertyDescriptor(globalThis, "caches");
  Object.defineProperty(globalThis, "caches", { value: storage(urls), configurable: true });
  try {
    await cache.clear(model, options);
  } finally {
    if (before) Object.defineProperty(globalThis, "caches", before);
    else Reflect.deleteProperty(globalThis, "caches");
  }
  return [...urls].map((url) => new URL(url).pathname.split("/model")[0] ?? "");
}

test("a model is removed by the name it was loaded with", async () => {
  assert.deepEqual(await remainingAfter("a/b"), ["/a/b/resolve/dev", "/x/y"]);
  assert.deepEqual(await remainingAfter("a/b@dev"), ["/a/b/resolve/main", "/x/y"]);
  assert.deepEqual(await remainingAfter("a/b", { revision: "dev" }), ["/a/b/resolve/main", "/x/y"]);
  const others = ["/a/b/resolve/main", "/a/b/resolve/dev"];
  assert.deepEqual(await remainingAfter("https://m.example/x/y"), others);
  assert.deepEqual(await remainingAfter(new URL("https://m.example/x/y/")), others);
  assert.deepEqual(await remainingAfter(undefined), []);
});
