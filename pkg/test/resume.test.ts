import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { MobileBertError } from "../src/errors.ts";
import { type CachedPrefix, openFile } from "../src/files/fetch.ts";
import { join } from "../src/files/streams.ts";
import { Random } from "./random.mjs";

const random = new Random(11);
const content = Uint8Array.from({ length: 300_000 }, () => random.below(256));

interface Served {
  /** Number of bytes after which each connection is cut; later ones aren't cut. */
  cuts: number[];
  etag?: string | undefined;
  /** True if the server ignores ranges and always sends the whole file. */
  ignoresRange?: boolean;
  /** Called before each response, to change what is served. */
  onRequest?: (served: Served, count: number) => void;
  content?: Uint8Array;
}

/** Downloads from a server that cuts connections; returns the file and the requests. */
async function download(served: Served, prefix?: CachedPrefix) {
  const requests: { range: string | undefined; condition: string | undefined }[] = [];
  const listener = (request: IncomingMessage, response: ServerResponse) => {
    served.onRequest?.(served, requests.length);
    const all = served.content ?? content;
    const { range } = request.headers;
    const condition = request.headers["if-range"] as string | undefined;
    requests.push({ range, condition });
    const current = condition === undefined || condition === served.etag;
    const from = range && !served.ignoresRange && current ? Number(/^bytes=(\d+)-$/.exec(range)?.[1]) : 0;
    if (served.etag) response.setHeader("etag", served.etag);
    if (from >= all.length) return response.writeHead(416, { "content-range": `bytes */${all.length}` }).end();
    if (from > 0) response.setHeader("content-range", `bytes ${from}-${all.length - 1}/${all.length}`);
    response.writeHead(from > 0 ? 206 : 200, { "content-length": all.length - from });
    const cut = served.cuts.shift();
    if (cut === undefined) return response.end(all.subarray(from));
    response.write(all.subarray(from, from + cut), () => setTimeout(() => response.destroy(), 20));
  };
  const server = createServer(listener).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  try {
    const place = { kind: "directory", base, mirrors: [base], headers: {} } as const;
    const file = await openFile(place, "model.safetensors", new AbortController().signal, prefix);
    assert.ok(file);
    const { start, bytes } = file;
    return { start, bytes, got: await join(file.chunks), requests };
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

const failsWith = (code: string, word: RegExp) => (error: unknown) =>
  error instanceof MobileBertError && error.code === code && word.test(error.message);

test("a download that is cut twice resumes where it was cut, with the same ETag", async () => {
  const { got, bytes, requests } = await download({ cuts: [100_000, 50_000], etag: '"a"' });
  assert.deepEqual(got, content);
  assert.equal(bytes, content.length);
  assert.equal(requests.length, 3);
  assert.equal(requests[0]?.range, undefined);
  const starts = requests.slice(1).map(({ range }) => Number(/^bytes=(\d+)-$/.exec(range ?? "")?.[1]));
  assert.ok((starts[0] ?? 0) > 0 && (starts[1] ?? 0) > (starts[0] ?? 0), `requested from ${starts}`);
  for (const { condition } of requests.slice(1)) assert.equal(condition, '"a"');
});

test("without range support the file is sent again, and the bytes already read are skipped", async () => {
  const { got, requests } = await download({ cuts: [100_000], etag: '"a"', ignoresRange: true });
  assert.deepEqual(got, content);
  assert.equal(requests.length, 2);
});

test("without an ETag, the size decides whether it is the same file", async () => {
  const { got } = await download({ cuts: [100_000] });
  assert.deepEqual(got, content);
});

test("a weak ETag isn't sent as a condition, and a different one ends the download", async () => {
  const same = await download({ cuts: [100_000], etag: 'W/"a"' });
  assert.deepEqual(same.got, content);
  assert.equal(same.requests[1]?.condition, undefined);
  const onRequest = (served: Served, count: number) => {
    if (count === 1) served.etag = 'W/"b"';
  };
  const changed = download({ cuts: [100_000], etag: 'W/"a"', onRequest });
  await assert.rejects(changed, failsWith("network", /changed on the server/));
});

test("two versions of a file are never mixed", async () => {
  const onRequest = (served: Served, count: number) => {
    if (count === 1) Object.assign(served, { etag: '"b"', content: content.slice().reverse() });
  };
  const changed = download({ cuts: [100_000], etag: '"a"', onRequest });
  await assert.rejects(changed, failsWith("network", /changed on the server/));
});

test("a connection that is repeatedly cut without new bytes fails with `network`", async () => {
  const cut = download({ cuts: [1000, 0, 0, 0, 0, 0, 0], etag: '"a"' });
  await assert.rejects(cut, failsWith("network", /interrupted/));
});

test("a compressed response is read again from the start, because ranges count compressed bytes", async () => {
  const packed = gzipSync(content);
  let requests = 0;
  const server = createServer((request, response) => {
    assert.equal(request.headers.range, undefined);
    response.writeHead(200, { "content-encoding": "gzip", "content-length": packed.length, etag: '"a"' });
    if (requests++ > 0) return response.end(packed);
    response.write(packed.subarray(0, packed.length >> 1), () => setTimeout(() => response.destroy(), 20));
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  try {
    const place = { kind: "directory", base, mirrors: [base], headers: {} } as const;
    const file = await openFile(place, "model.safetensors", new AbortController().signal);
    assert.ok(file);
    assert.deepEqual(await join(file.chunks), content);
    assert.equal(requests, 2);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

test("cached bytes of an earlier load aren't requested again, unless the file has changed", async () => {
  const half = content.length >> 1;
  const prefix = { bytes: half, validator: `"a"||${content.length}` };
  const same = await download({ cuts: [], etag: '"a"' }, prefix);
  assert.equal(same.start, half);
  assert.deepEqual(same.got, content.subarray(half));
  const other = await download({ cuts: [], etag: '"b"' }, prefix);
  assert.equal(other.start, 0);
  assert.deepEqual(other.got, content);
  const shorter = await download({ cuts: [], etag: '"a"', content: content.subarray(0, 1000) }, prefix);
  assert.equal(shorter.start, 0);
  assert.equal(shorter.got.length, 1000);
  const unidentified = await download({ cuts: [] }, { bytes: half, validator: `||${content.length}` });
  assert.equal(unidentified.requests[0]?.range, undefined, "a size alone doesn't identify a file");
});
