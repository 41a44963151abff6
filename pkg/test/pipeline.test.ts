import assert from "node:assert/strict";
import { test } from "node:test";
import { Encoder } from "../src/api/encoder.ts";
import { RunningModel } from "../src/api/running-model.ts";
import { MobileBertError } from "../src/errors.ts";
import { ProgressTotal } from "../src/files/progress.ts";
import { loadOptions } from "../src/pipeline/options.ts";
import { pipeline } from "../src/pipeline/pipeline.ts";
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
