import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { join } from "../src/bytes.ts";
import { MobileBertError } from "../src/errors.ts";
import { type Beginning, openFile } from "../src/fetch.ts";
import { Random } from "./random.ts";

const random = new Random(11);
const content = Uint8Array.from({ length: 300_000 }, () => random.below(256));

interface Served {
  /** Bytes after which each connection is cut; the last one stays whole. */
  cuts: number[];
  etag?: string | undefined;
  /** The server sends the whole file whatever is asked for. */
  ignoresRange?: boolean;
  /** Called before each answer, to change what is served. */
  onRequest?: (served: Served, count: number) => void;
  content?: Uint8Array;
}

/** A host of one file that breaks connections off, and what it was asked. */
async function download(served: Served, beginning?: Beginning) {
  const asked: { range: string | undefined; condition: string | undefined }[] = [];
  const listener = (request: IncomingMessage, response: ServerResponse) => {
    served.onRequest?.(served, asked.length);
    const all = served.content ?? content;
    const { range } = request.headers;
    const condition = request.headers["if-range"] as string | undefined;
    asked.push({ range, condition });
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
    const file = await openFile(place, "model.safetensors", new AbortController().signal, beginning);
    assert.ok(file);
    const { start, bytes } = file;
    return { start, bytes, got: await join(file.chunks), asked };
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

const failsWith = (code: string, word: RegExp) => (error: unknown) =>
  error instanceof MobileBertError && error.code === code && word.test(error.message);

test("a download that is cut twice goes on where it was cut, under the same ETag", async () => {
  const { got, bytes, asked } = await download({ cuts: [100_000, 50_000], etag: '"a"' });
  assert.deepEqual(got, content);
  assert.equal(bytes, content.length);
  assert.equal(asked.length, 3);
  assert.equal(asked[0]?.range, undefined);
  const starts = asked.slice(1).map(({ range }) => Number(/^bytes=(\d+)-$/.exec(range ?? "")?.[1]));
  assert.ok((starts[0] ?? 0) > 0 && (starts[1] ?? 0) > (starts[0] ?? 0), `asked from ${starts}`);
  for (const { condition } of asked.slice(1)) assert.equal(condition, '"a"');
});

test("a server that knows no ranges sends the file again, and what came is passed over", async () => {
  const { got, asked } = await download({ cuts: [100_000], etag: '"a"', ignoresRange: true });
  assert.deepEqual(got, content);
  assert.equal(asked.length, 2);
});

test("without an ETag the size decides whether it is the same file", async () => {
  const { got } = await download({ cuts: [100_000] });
  assert.deepEqual(got, content);
});

test("a weak ETag makes no condition, and another one ends the download", async () => {
  const same = await download({ cuts: [100_000], etag: 'W/"a"' });
  assert.deepEqual(same.got, content);
  assert.equal(same.asked[1]?.condition, undefined);
  const onRequest = (served: Served, count: number) => {
    if (count === 1) served.etag = 'W/"b"';
  };
  const changed = download({ cuts: [100_000], etag: 'W/"a"', onRequest });
  await assert.rejects(changed, failsWith("network", /changed on the server/));
});

test("a file that changed meanwhile is not put together from two", async () => {
  const onRequest = (served: Served, count: number) => {
    if (count === 1) Object.assign(served, { etag: '"b"', content: content.slice().reverse() });
  };
  const changed = download({ cuts: [100_000], etag: '"a"', onRequest });
  await assert.rejects(changed, failsWith("network", /changed on the server/));
});

test("a connection that is always cut without a new byte ends as `network`", async () => {
  const cut = download({ cuts: [1000, 0, 0, 0, 0, 0, 0], etag: '"a"' });
  await assert.rejects(cut, failsWith("network", /broke off/));
});

test("a compressed answer is read anew from its beginning, for ranges count compressed bytes", async () => {
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

test("the beginning that an earlier load left is not asked for again, unless the file is another one", async () => {
  const half = content.length >> 1;
  const beginning = { bytes: half, validator: `"a"||${content.length}` };
  const same = await download({ cuts: [], etag: '"a"' }, beginning);
  assert.equal(same.start, half);
  assert.deepEqual(same.got, content.subarray(half));
  const other = await download({ cuts: [], etag: '"b"' }, beginning);
  assert.equal(other.start, 0);
  assert.deepEqual(other.got, content);
  const shorter = await download({ cuts: [], etag: '"a"', content: content.subarray(0, 1000) }, beginning);
  assert.equal(shorter.start, 0);
  assert.equal(shorter.got.length, 1000);
  const untold = await download({ cuts: [] }, { bytes: half, validator: `||${content.length}` });
  assert.equal(untold.asked[0]?.range, undefined, "a size alone is no reason to trust a beginning");
});
