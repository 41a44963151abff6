import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, symlink } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { MobileBertError } from "../src/errors.ts";
import { chooseMirror, openFile } from "../src/files/fetch.ts";
import { missing } from "../src/files/model-files.ts";
import { join } from "../src/files/streams.ts";
import { timeouts } from "../src/files/timeouts.ts";

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

test("what can't be read from the disk is an error that names the file", {
  skip: process.platform !== "linux",
}, async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "mobilebert-"));
  try {
    await mkdir(path.join(folder, "model.safetensors"));
    // A process's memory begins where nothing can be read.
    await symlink("/proc/self/mem", path.join(folder, "vocab.txt"));
    const base = `${pathToFileURL(folder)}/`;
    for (const [name, code, words] of [
      ["model.safetensors", "network", "directory"],
      ["vocab.txt", "network", "EIO"],
    ] as const) {
      const file = await openFile(
        { kind: "directory", base, mirrors: [base], headers: {} },
        name,
        new AbortController().signal,
      );
      assert.ok(file);
      await assert.rejects(join(file.chunks), (error) => {
        return coded(code, words)(error) && (error as MobileBertError).detail.file === name;
      });
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("a file is fetched with the caller's headers, and its size is known", async () => {
  const found = await get("config.json", (request, response) => {
    response.setHeader("content-length", 3);
    response.end(`{${request.headers["x-key"]}}`);
  });
  assert.deepEqual(found, { bytes: 3, text: "{1}" });
});

test("the length of a compressed response isn't taken for the file's size", async () => {
  const packed = gzipSync("{}".padEnd(5000));
  const found = await get("config.json", (_, response) => {
    response.writeHead(200, { "content-encoding": "gzip", "content-length": packed.length });
    response.end(packed);
  });
  assert.equal(found?.bytes, undefined);
  assert.equal(found?.text.length, 5000);
});

test("a missing file isn't an error by itself, but a failing server is", async () => {
  for (const status of [401, 403, 404, 410]) {
    assert.equal(await get("config.json", (_, response) => response.writeHead(status).end()), undefined);
  }
  const failing = get("config.json", (_, response) => response.writeHead(503).end());
  await assert.rejects(failing, coded("network", "503"));
});

test("the reason why a server can't be reached is named", async () => {
  const server = createServer(() => {}).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  await new Promise((resolve) => server.close(resolve));
  const place = { kind: "directory" as const, base, mirrors: [base], headers: {} };
  const refused = openFile(place, "config.json", new AbortController().signal);
  await assert.rejects(refused, coded("network", "ECONNREFUSED"));
});

test("HTML pages and LFS pointers instead of a file are reported", async () => {
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

test("a scheme that isn't fetched is the reason why a model isn't found", async () => {
  for (const base of ["ftp://example.org/m/", "s3://bucket/m/"]) {
    const place = { kind: "directory" as const, base, mirrors: [base], headers: {} };
    const statuses: number[] = [];
    const note = (status: number) => void statuses.push(status);
    const { signal } = new AbortController();
    assert.equal(await openFile(place, "config.json", signal, undefined, note), undefined);
    assert.deepEqual(statuses, [], "a status was reported without a response");
    const { code, message } = missing(place, "config.json", statuses[0]);
    assert.equal(code, "not-found");
    assert.ok(message.includes(base), message);
    assert.match(message, /only `http:` and `https:` URLs are fetched/);
  }
  const web = { kind: "directory" as const, base: "https://example.org/m/", mirrors: [], headers: {} };
  assert.doesNotMatch(missing(web, "config.json", 404).message, /are fetched/);
});

test("an interrupted download is a network error", async () => {
  const broken = get("model.safetensors", (_, response) => {
    response.setHeader("content-length", 1000);
    response.write("0123456789");
    setTimeout(() => response.destroy(), 20);
  });
  await assert.rejects(broken, coded("network", "interrupted"));
});

test("aborting a download fails with `aborted`", async () => {
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

/** Runs a test with shorter timeouts. */
async function withShortTimeouts(work: () => Promise<void>) {
  const before = { ...timeouts };
  Object.assign(timeouts, { response: 600, mirror: 600, bytes: 600 });
  await work().finally(() => Object.assign(timeouts, before));
}

test("a stalled download is resumed with a range request", () =>
  withShortTimeouts(async () => {
    const asked: (string | undefined)[] = [];
    const found = await get("model.safetensors", ({ headers }, response) => {
      asked.push(headers.range);
      response.setHeader("etag", '"1"');
      if (headers.range) {
        response.writeHead(206, { "content-range": "bytes 4-9/10", "content-length": 6 }).end("456789");
      } else {
        response.writeHead(200, { "content-length": 10 }).write("0123");
      }
    });
    assert.equal(found?.text, "0123456789");
    assert.deepEqual(asked, [undefined, "bytes=4-"]);
  }));

test("a server that never responds is a network error that states the timeout", () =>
  withShortTimeouts(async () => {
    await assert.rejects(
      get("config.json", () => {}),
      coded("network", "no response within 0.6 s"),
    );
  }));

test("aborting while a server stalls takes effect at once, whether it has responded or not", async () => {
  for (const begins of [false, true]) {
    const stop = new AbortController();
    const stalls: RequestListener = (_, response) => {
      if (begins) response.write("0123");
      setTimeout(() => stop.abort(), 30);
    };
    const stopped = get("model.safetensors", stalls, stop.signal);
    await assert.rejects(stopped, (error) => error instanceof MobileBertError && error.code === "aborted");
  }
});

test("a mirror that doesn't respond is skipped", () =>
  withShortTimeouts(async () => {
    const silent = createServer(() => {}).listen(0, "127.0.0.1");
    const answers = createServer((_, response) => response.end("{}")).listen(0, "127.0.0.1");
    const servers = [silent, answers];
    await Promise.all(servers.map((server) => new Promise((resolve) => server.once("listening", resolve))));
    const mirrors = servers.map((server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    try {
      const place = { kind: "directory" as const, base: mirrors[0] ?? "", mirrors, headers: {} };
      const chosen = await chooseMirror(place, new AbortController().signal);
      assert.equal(chosen.kind === "directory" && chosen.base, mirrors[1]);
    } finally {
      for (const server of servers) {
        server.closeAllConnections();
        server.close();
      }
    }
  }));

test("a forbidden file is `not-found` with the HTTP status and a hint about `headers`", async () => {
  const base = "https://example.org/owner/name/resolve/main/";
  const place = { kind: "directory" as const, base, mirrors: [base], headers: {} };
  for (const status of [401, 403]) {
    const error = missing(place, "config.json", status);
    assert.deepEqual([error.code, error.detail], ["not-found", { file: "config.json", status }]);
    assert.match(error.message, /headers: \{ authorization/);
  }
  const absent = missing(place, "config.json", 404);
  assert.equal(absent.detail.status, 404);
  assert.doesNotMatch(absent.message, /authorization/);
});

test("the error for a missing model says that its name was taken for a Hugging Face id", () => {
  const base = "https://example.org/models/x/resolve/main/";
  const error = missing({ kind: "directory", base, mirrors: [base], headers: {}, id: "models/x" }, "config.json", 401);
  assert.match(error.message, /"models\/x" was taken for a Hugging Face id; .* end in `\/`/);
});
