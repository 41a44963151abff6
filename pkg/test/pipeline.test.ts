import assert from "node:assert/strict";
import { test } from "node:test";
import { Encoder } from "../src/api/encoder.ts";
import { RunningModel } from "../src/api/running-model.ts";
import { MobileBertError } from "../src/errors.ts";
import { ProgressTotal } from "../src/files/progress.ts";
import { loadOptions } from "../src/pipeline/options.ts";
import { pipeline } from "../src/pipeline/pipeline.ts";
import { tensor } from "../src/pipeline/tensor.ts";
import type { PipelineOptions, PipelineProgress } from "../src/pipeline/types.ts";
import type { Connection } from "../src/worker/protocol.ts";
import { chosen, loadTimes } from "./loaded.ts";

/** Returns a pipeline whose model isn't loaded. */
async function withoutFiles(options: PipelineOptions = {}) {
  const connection: Connection = {
    load: () => assert.fail("loaded"),
    call: async () => [Float32Array.of(1, 2)],
    dispose: () => {},
  };
  const device = { kind: "wasm" as const, adapter: "", fallback: false, reason: "test", threads: 1, chosen };
  const model = new Encoder(
    new RunningModel(connection, { device, task: "feature-extraction", labels: [], times: loadTimes }),
  );
  const { load } = Encoder;
  Encoder.load = async () => model;
  try {
    return { model, embed: await pipeline("feature-extraction", "models/x/", options) };
  } finally {
    Encoder.load = load;
  }
}

test("a progress callback gets the events of each file, as user interfaces for transformers.js expect", () => {
  const events: PipelineProgress[] = [];
  const { onProgress } = loadOptions("a/b", { progress_callback: (event) => events.push(event) });
  assert.ok(onProgress);
  const total = new ProgressTotal(onProgress);
  total.enter("download");
  total.expect("config.json", 10);
  total.expect("model.safetensors", 30);
  total.advance("download", "config.json", 10);
  total.advance("cache", "model.safetensors", 15);
  total.advance("cache", "model.safetensors", 15);
  total.enter("verify", "model.safetensors");
  // After a lost GPU, files are read again.
  total.restart("config.json");
  total.advance("cache", "config.json", 5);
  const ofFiles = events.filter(({ status }) => status !== "progress_total");
  assert.deepEqual(
    ofFiles.map((event) => ["file" in event && event.file, event.status, "progress" in event && event.progress]),
    [
      ["config.json", "initiate", false],
      ["config.json", "download", false],
      ["config.json", "progress", 100],
      ["config.json", "done", false],
      ["model.safetensors", "initiate", false],
      ["model.safetensors", "download", false],
      ["model.safetensors", "progress", 50],
      ["model.safetensors", "progress", 100],
      ["model.safetensors", "done", false],
    ],
  );
  const totals = events.flatMap((event) => (event.status === "progress_total" ? [event.progress] : []));
  assert.deepEqual(totals, [0, 25, 62.5, 100, 100, 100]);
});

test("a file of unknown size is done at its end, and the total isn't 100 % before all sizes are known", () => {
  const events: PipelineProgress[] = [];
  const { onProgress } = loadOptions("a/b", { progress_callback: (event) => events.push(event) });
  assert.ok(onProgress);
  const total = new ProgressTotal(onProgress);
  total.expect("config.json", 10);
  total.expect("model.safetensors", undefined);
  total.advance("download", "config.json", 10);
  total.finish("download", "config.json");
  total.advance("download", "model.safetensors", 20);
  total.advance("download", "model.safetensors", 20);
  total.finish("download", "model.safetensors");
  const shown = events.flatMap((event) => ("progress" in event ? [[event.status, event.progress, event.total]] : []));
  assert.deepEqual(shown, [
    ["progress", 100, 10],
    ["progress_total", 0, 0],
    ["progress", 0, 0],
    ["progress_total", 0, 0],
    ["progress", 0, 0],
    ["progress_total", 0, 0],
    ["progress", 100, 40],
    ["progress_total", 100, 50],
  ]);
  const done = events.flatMap((event) => (event.status === "done" ? [event.file] : []));
  assert.deepEqual(done, ["config.json", "model.safetensors"]);
});

test("slices of a tensor are checked by name", () => {
  const matrix = tensor(Float32Array.of(0, 1, 2, 3, 4, 5), [2, 3]);
  assert.deepEqual(matrix.slice(null, [1, null]).tolist(), [
    [1, 2],
    [4, 5],
  ]);
  assert.deepEqual(matrix.slice([0, Number.POSITIVE_INFINITY], -1).tolist(), [2, 5]);
  assert.equal(matrix.slice(1, 1).slice().item(), 4);
  for (const slices of [[[0.5, 1]], [{}], ["1"], [[0, 1, 2]], [[0, "1"]], [[Number.NaN, 1]], [null, null, 0]]) {
    assert.throws(
      () => matrix.slice(...(slices as never[])),
      (error) => error instanceof MobileBertError && error.code === "invalid-input" && error.detail.field === "slices",
      JSON.stringify(slices),
    );
  }
});

test("devices and data types have the names of transformers.js, too", () => {
  const { device, dtype } = loadOptions("a/b", { device: "gpu", dtype: "auto" });
  assert.deepEqual([device, dtype], ["webgpu", undefined]);
  const old = loadOptions("a/b", { device: "cpu", dtype: "int8" });
  assert.deepEqual([old.device, old.dtype], ["wasm", "q8"]);
  const none = loadOptions("a/b", { device: null, dtype: null });
  assert.deepEqual([none.device, none.dtype], [undefined, undefined]);
});

test("a pipeline has its model, which says where it runs", async () => {
  const { model, embed } = await withoutFiles();
  assert.equal(embed.model, model);
  assert.equal(embed.model.device.kind, "wasm");
});

test("quantized vectors, which transformers.js has, are refused with a reason, and accepted as not wanted", async () => {
  const { embed } = await withoutFiles();
  const quantize = embed("text", { pooling: "mean", quantize: true } as never);
  await assert.rejects(quantize, (error) => {
    return error instanceof MobileBertError && error.detail.field === "quantize" && /32-bit floats/.test(error.message);
  });
  const { dims } = await embed("text", { pooling: "mean", quantize: false } as never);
  assert.deepEqual(dims, [1, 2]);
});
