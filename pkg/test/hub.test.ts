import assert from "node:assert/strict";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { MobileBertError } from "../src/errors.ts";
import { locateRepository } from "../src/files/hub.ts";
import { timeouts } from "../src/files/timeouts.ts";

/** Locates a repository on a host that answers like this. */
async function locateOn(answer: RequestListener, id: string, follows = false, { signal } = new AbortController()) {
  const server = createServer(answer).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/${id}/resolve/main/`;
  const hub = { name: id, revision: "main" };
  try {
    const place = { kind: "directory" as const, base, mirrors: [base], headers: {}, id, hub };
    return await locateRepository(place, follows, signal);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

/** Files by the id of their repository; "a/onnx" was made from "a/original". */
async function locate(repositories: Record<string, string[]>, id: string, follows: boolean): Promise<string> {
  const answer: RequestListener = ({ url = "" }, response) => {
    const name = /^\/api\/models\/([^/]+\/[^/]+)\/revision\/main\?/.exec(url)?.[1] ?? "";
    const siblings = repositories[name]?.map((rfilename) => ({ rfilename, size: 1 }));
    const cardData = name === "a/onnx" ? { base_model: "a/original" } : {};
    response.end(JSON.stringify({ sha: "1", siblings, cardData }));
  };
  const { place } = await locateOn(answer, id, follows);
  return place.kind === "directory" ? new URL(place.base).pathname : "";
}

const ONNX = ["config.json", "onnx/model.onnx"];

test("a file that isn't a model's weights doesn't hide that a repository has only ONNX files", async () => {
  const original = ["config.json", "pytorch_model.bin"];
  for (const other of ["training_args.bin", "optimizer.bin", "adapter_model.safetensors", "vocab.index.json"]) {
    const repositories = { "a/onnx": [...ONNX, other], "a/original": original };
    await assert.rejects(locate(repositories, "a/onnx", false), (error) => {
      assert.ok(error instanceof MobileBertError, other);
      assert.equal(error.code, "unsupported", other);
      assert.deepEqual(error.detail.baseModels, ["a/original"]);
      return /has only ONNX files/.test(error.message);
    });
    assert.equal(await locate(repositories, "a/onnx", true), "/a/original/resolve/main/");
  }
});

test("weights next to ONNX files are read, in each form that is looked for", async () => {
  for (const name of [
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
  ]) {
    assert.equal(await locate({ "a/onnx": [...ONNX, name] }, "a/onnx", true), "/a/onnx/resolve/main/", name);
  }
});

/** Begins the list of a repository's files, and never ends it. */
const stalls: RequestListener = (_, response) => response.write('{"sha":"1","siblings":[');

test("a list of files that stalls is done without: the files themselves decide", async () => {
  const { mirror } = timeouts;
  timeouts.mirror = 100;
  try {
    const { place, repository } = await locateOn(stalls, "a/b");
    assert.equal(repository, undefined);
    assert.ok(place.kind === "directory" && place.base.endsWith("/a/b/resolve/main/"));
  } finally {
    timeouts.mirror = mirror;
  }
});

test("aborting while the list of files stalls takes effect at once", async () => {
  const stop = new AbortController();
  const stopping: RequestListener = (request, response) => {
    stalls(request, response);
    setTimeout(() => stop.abort(), 30);
  };
  await assert.rejects(locateOn(stopping, "a/b", false, stop), (error) => {
    return error instanceof MobileBertError && error.code === "aborted";
  });
});
