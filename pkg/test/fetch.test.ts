import assert from "node:assert/strict";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { join } from "../src/bytes.ts";
import { MobileBertError } from "../src/errors.ts";
import { openFile } from "../src/fetch.ts";

async function get(name: string, listener: RequestListener, signal = new AbortController().signal) {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  try {
    const file = await openFile({ kind: "directory", base, mirrors: [base], headers: { "x-key": "1" } }, name, signal);
    return file && { bytes: file.bytes, text: new TextDecoder().decode(await join(file.chunks)) };
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

function coded(code: string, word: string) {
  return (error: unknown) =>
    error instanceof MobileBertError && error.code === code && error.message.includes(word) && error.detail.file !== "";
}

test("a file comes with its size, and with the caller's headers", async () => {
  const found = await get("config.json", (request, response) => {
    response.setHeader("content-length", 3);
    response.end(`{${request.headers["x-key"]}}`);
  });
  assert.deepEqual(found, { bytes: 3, text: "{1}" });
});

test("the length of a compressed answer is not taken for the file's", async () => {
  const packed = gzipSync("{}".padEnd(5000));
  const found = await get("config.json", (_, response) => {
    response.writeHead(200, { "content-encoding": "gzip", "content-length": packed.length });
    response.end(packed);
  });
  assert.equal(found?.bytes, undefined);
  assert.equal(found?.text.length, 5000);
});

test("a missing file is no error by itself, a failing server is", async () => {
  for (const status of [401, 403, 404, 410]) {
    assert.equal(await get("config.json", (_, response) => response.writeHead(status).end()), undefined);
  }
  const failing = get("config.json", (_, response) => response.writeHead(503).end());
  await assert.rejects(failing, coded("network", "503"));
});

test("pages and pointers in place of a file are named", async () => {
  const page = get("config.json", (_, response) => response.end("\n <!DOCTYPE html><title>App</title>"));
  await assert.rejects(page, coded("not-a-model", "HTML"));
  const typed = get("model.safetensors", (_, response) => {
    response.setHeader("content-type", "text/html; charset=utf-8");
    response.end("Not here");
  });
  await assert.rejects(typed, coded("not-a-model", "HTML"));
  const pointer = get("model.safetensors", (_, response) => response.end("version https://git-lfs.github.com/spec/v1"));
  await assert.rejects(pointer, coded("not-a-model", "git lfs pull"));
});

test("a download that breaks off is the network's fault", async () => {
  const broken = get("model.safetensors", (_, response) => {
    response.setHeader("content-length", 1000);
    response.write("0123456789");
    setTimeout(() => response.destroy(), 20);
  });
  await assert.rejects(broken, coded("network", "broke off"));
});

test("a stop in the middle of a download is `aborted`", async () => {
  const stop = new AbortController();
  const stopped = get(
    "model.safetensors",
    (_, response) => {
      response.write("0123456789");
      setTimeout(() => stop.abort(), 20);
    },
    stop.signal,
  );
  await assert.rejects(stopped, (error) => error instanceof MobileBertError && error.code === "aborted");
});
