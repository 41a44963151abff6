// Loads with a cache, from a host that may misbehave; the engine is a fake that accepts all files.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createServer, type ServerResponse } from "node:http";
import { register } from "node:module";
import type { AddressInfo } from "node:net";
import { after, before, beforeEach, test } from "node:test";
import { gzipSync } from "node:zlib";
import { loadModel } from "../src/engine/load.ts";
import type { LoadRequest } from "../src/engine/request.ts";
import { MobileBertError } from "../src/errors.ts";
import { cache } from "../src/files/cache.ts";
import { ProgressTotal } from "../src/files/progress.ts";
import type { Progress } from "../src/types.ts";
import { MemoryCaches } from "./memory-caches.ts";

const script = (text: string) => `data:text/javascript,${encodeURIComponent(text)}`;
const engine = script(`export default async () => ({});
export const refusedBytes = () => 0;
const loader = { beginFile() {}, push() {}, choiceKey() {}, finish: async () => ({}), free() {} };
export const Loader = { create: async () => loader };`);
register(
  script(`export const resolve = (name, context, next) =>
    name === "#wasm" ? { url: ${JSON.stringify(engine)}, shortCircuit: true } : next(name, context);`),
);

const files = {
  "config.json": '{"model_type": "bert"}',
  "tokenizer.json": "{}",
  "model.safetensors": "some weights",
};

/** A `files.json` of the files above. */
function manifest(note: string): string {
  const list = Object.entries(files).map(([name, text]) => {
    return { name, bytes: text.length, sha256: createHash("sha256").update(text).digest("hex") };
  });
  return JSON.stringify({ note, files: list });
}

/** The files that the host has. */
let served: Record<string, string>;
/** Answers a request in place of the host, and returns true, or doesn't. */
let answer: (name: string, response: ServerResponse) => unknown;
const server = createServer(({ url = "", method }, response) => {
  const name = url.slice(1);
  if (answer(name, response)) return;
  const text = served[name];
  if (text === undefined) return response.writeHead(404).end();
  response.writeHead(200, { "content-length": text.length, etag: '"1"' }).end(method === "HEAD" ? undefined : text);
});
let base: string;
before(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});
after(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  served = { ...files };
  answer = () => false;
});

/** Loads the model; returns its progress. */
async function load(): Promise<Progress[]> {
  const seen: Progress[] = [];
  const request: LoadRequest = {
    place: { kind: "directory", base, mirrors: [base], headers: {} },
    followBaseModel: false,
    task: "text-classification",
    device: "wasm",
    dtype: undefined,
    schedule: undefined,
    splitSpecialTokens: undefined,
    simd: "simd128",
    cache: true,
    wasmUrl: undefined,
    wasmBytes: Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0),
    threads: 1,
  };
  const progress = new ProgressTotal((one) => seen.push(one));
  await loadModel(request, progress, ({ message }) => assert.fail(message), new AbortController().signal);
  return seen;
}

/** The phases in which files were read. */
async function phases(): Promise<string[]> {
  const reading = (await load()).filter(({ file, phase }) => file !== "" && phase !== "verify");
  return [...new Set(reading.map(({ phase }) => phase))];
}

const coded = (code: string) => (error: unknown) => error instanceof MobileBertError && error.code === code;

/** What hosts, proxies and captive portals send instead of a file. */
const refusals: Record<string, (response: ServerResponse) => void> = {
  "401": (response) => response.writeHead(401).end(),
  "403": (response) => response.writeHead(403).end(),
  "503": (response) => response.writeHead(503).end(),
  page: (response) => response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html>"),
  "page without its type": (response) => response.end("<!doctype html>"),
};

test("a cached model is used while the host refuses to send files, or sends pages in their place", async () => {
  for (const list of [manifest("1"), undefined]) {
    served = { ...files, ...(list && { "files.json": list }) };
    await new MemoryCaches().during(async () => {
      assert.deepEqual(await phases(), ["download"]);
      for (const [name, refuse] of Object.entries(refusals)) {
        // Without a list, only the headers of the weights are asked for.
        if (!list && name === "page without its type") continue;
        answer = (_, response) => refuse(response) ?? true;
        assert.deepEqual(await phases(), ["cache"], name);
        answer = () => false;
        assert.deepEqual(await phases(), ["cache"], `after ${name}`);
      }
    });
  }
});

test("a cached model isn't lost when a newer version can't be downloaded", async () => {
  served = { ...files, "files.json": manifest("1") };
  await new MemoryCaches().during(async () => {
    await load();
    for (const refuse of Object.values(refusals)) {
      served["files.json"] = manifest("2");
      answer = (name, response) => (name === "files.json" ? false : (refuse(response) ?? true));
      await assert.rejects(load());
      assert.ok(await cache.has(base));
      served["files.json"] = manifest("1");
      assert.deepEqual(await phases(), ["cache"]);
    }
  });
});

test("a newer version replaces the cached one, and one that is damaged leaves nothing in the cache", async () => {
  served = { ...files, "files.json": manifest("1") };
  const storage = new MemoryCaches();
  await storage.during(async () => {
    await load();
    served["files.json"] = manifest("2");
    assert.deepEqual(await phases(), ["download"]);
    assert.deepEqual(await phases(), ["cache"]);
    served["files.json"] = manifest("3");
    served["model.safetensors"] = "same length!";
    await assert.rejects(load(), coded("integrity"));
    assert.deepEqual([...storage.stored.keys()], []);
  });
});

test("a model that is gone isn't taken from the cache", async () => {
  for (const status of [404, 410]) {
    await new MemoryCaches().during(async () => {
      answer = () => false;
      await load();
      answer = (_, response) => response.writeHead(status).end();
      await assert.rejects(load(), coded("not-found"));
    });
  }
});

test("files of unknown size are counted until their end, and then their size is known", async () => {
  const packed = (text: string) => gzipSync(text);
  answer = (name, response) => {
    const text = served[name];
    if (text === undefined) return false;
    return response.writeHead(200, { "content-encoding": "gzip" }).end(packed(text));
  };
  await new MemoryCaches().during(async () => {
    const seen = await load();
    for (const [name, { length }] of Object.entries(files)) {
      const last = seen.filter(({ file }) => file === name).at(-1);
      assert.deepEqual([last?.fileLoaded, last?.fileTotal], [length, length], name);
    }
    const sum = Object.values(files).reduce((sum, { length }) => sum + length, 0);
    const last = seen.at(-1);
    assert.deepEqual([last?.loaded, last?.total, last?.totalKnown], [sum, sum, true]);
    const early = seen.filter(({ file, fileTotal }) => file !== "" && fileTotal === 0);
    assert.ok(early.length > 0 && early.every(({ totalKnown }) => !totalKnown));
  });
});
