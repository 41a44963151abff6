import assert from "node:assert/strict";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { modelVersion } from "../src/engine/load.ts";
import { MobileBertError } from "../src/errors.ts";
import { timeouts } from "../src/files/timeouts.ts";

const silent: RequestListener = () => {};
const stalls: RequestListener = (_, response) => response.write("[");

/** Checks the version of a cached model, on a host that answers like this; `validator` is that of a model without `files.json`. */
async function check(answer: RequestListener, validator?: string, { signal } = new AbortController()) {
  const server = createServer(answer).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const version = {
    version: "[]",
    hasManifest: validator === undefined,
    ...(validator !== undefined && { validator }),
  };
  const record = { model: base, files: [], bytes: 0, stored: "2026-01-01", ...version };
  const store = { match: async () => new Response(JSON.stringify(record)) };
  const before = Object.getOwnPropertyDescriptor(globalThis, "caches");
  Object.defineProperty(globalThis, "caches", { value: { open: async () => store }, configurable: true });
  const limit = timeouts.check;
  timeouts.check = answer === silent || answer === stalls ? 100 : limit;
  try {
    const place = { kind: "directory" as const, base, mirrors: [base], headers: {} };
    return (await modelVersion(place, undefined, base, signal)).record?.version;
  } finally {
    timeouts.check = limit;
    if (before) Object.defineProperty(globalThis, "caches", before);
    else Reflect.deleteProperty(globalThis, "caches");
    server.closeAllConnections();
    server.close();
  }
}

test("a cached model is used if the server doesn't say soon that there is another version", async () => {
  for (const answer of [silent, stalls]) assert.equal(await check(answer), "[]");
  assert.equal(await check(silent, "1||"), "[]");
});

test("a cached model is used if it is up to date, and not if there is another version or none", async () => {
  const missing: RequestListener = (_, response) => response.writeHead(404).end();
  const tagged: RequestListener = (_, response) => response.writeHead(200, { etag: "1", "content-length": 5 }).end();
  assert.equal(await check((_, response) => response.end("[]")), "[]");
  assert.equal(await check((_, response) => response.end("[ ]")), undefined);
  assert.equal(await check(missing), undefined);
  assert.equal(await check(tagged, "1||5"), "[]");
  assert.equal(await check(tagged, "2||5"), undefined);
  assert.equal(await check(missing, "1||5"), undefined);
});

test("aborting while a cached model is checked fails with `aborted`", async () => {
  for (const validator of [undefined, "1||5"]) {
    const stop = new AbortController();
    const stopped = check(() => stop.abort(), validator, stop);
    await assert.rejects(stopped, (error) => error instanceof MobileBertError && error.code === "aborted");
  }
});
