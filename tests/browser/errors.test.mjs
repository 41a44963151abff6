import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { chromium, newPage } from "./support/browsers.mjs";
import { withMemory } from "./support/limited-memory.mjs";
import { damagedCopies, edit, findModels, writeManifest } from "./support/models.mjs";
import { startServer } from "./support/server.mjs";
import { makeModels } from "./support/tiny-model.mjs";

const weights = "model.safetensors";

/** Faults in a model's files, with the expected error code and what its message must name. */
const faults = {
  "html-config": {
    damage: (folder) => writeFile(join(folder, "tokenizer.json"), "<!doctype html><title>Not found</title>"),
    code: "not-a-model",
    names: "tokenizer.json",
  },
  "html-weights": {
    damage: (folder) => writeFile(join(folder, weights), "<!doctype html><title>Not found</title>"),
    code: "not-a-model",
    names: weights,
  },
  truncated: {
    damage: (folder) => edit(join(folder, weights), (bytes) => bytes.subarray(0, bytes.length >> 1)),
    code: "corrupt",
    names: "safetensors",
  },
  "lying-header": {
    damage: (folder) => edit(join(folder, weights), (bytes) => bytes.fill(0xff, 0, 8)),
    code: "not-a-model",
    names: "safetensors",
  },
  "absurd-config": {
    damage: (folder) =>
      edit(join(folder, "config.json"), (bytes) => {
        const config = JSON.parse(bytes.toString());
        return JSON.stringify({ ...config, num_attention_heads: 7 });
      }),
    code: "corrupt",
    names: "num_attention_heads",
  },
  "wrong-hash": {
    damage: async (folder) => {
      const files = [];
      for (const name of ["config.json", "tokenizer.json", weights]) {
        const bytes = await readFile(join(folder, name));
        const sha256 = createHash("sha256").update(bytes).digest("hex");
        files.push({ name, bytes: bytes.length, sha256: name === weights ? sha256.replace(/^./, "x") : sha256 });
      }
      files[2].sha256 = files[1].sha256;
      await writeFile(join(folder, "files.json"), JSON.stringify(files));
    },
    code: "integrity",
    names: weights,
  },
  "small-vocabulary": {
    damage: (folder) =>
      edit(join(folder, "config.json"), (bytes) => JSON.stringify({ ...JSON.parse(bytes.toString()), vocab_size: 90 })),
    code: "corrupt",
    names: "vocab_size",
  },
  "no-tokenizer": {
    damage: (folder) => edit(join(folder, "tokenizer.json"), () => "{}"),
    code: undefined,
    names: "tokenizer.json",
  },
};

let server;
let browser;
let page;
let damaged;
let models;
let made;

before(async () => {
  models = await findModels();
  damaged = await damagedCopies(
    models.sentiment.folder,
    Object.fromEntries(Object.entries(faults).map(([name, { damage }]) => [name, damage])),
  );
  made = await makeModels({
    tiny: {},
    listed: { hidden: 128, layers: 4, intermediate: 512 },
    sweep: { hidden: 256, layers: 2, intermediate: 1024, positions: 512, task: "text-classification" },
  });
  await writeManifest(made.folders.listed);
  server = await startServer([...damaged.folders, ...Object.values(made.folders)]);
  browser = await chromium();
  ({ page } = await newPage(browser));
  await page.goto(`${server.address}style.css`);
  await page.evaluate(`globalThis.withMemory = ${withMemory}`);
  await page.evaluate(async (models) => {
    globalThis.mobilebert = await import("/pkg/dist/index.js");
    const { QuestionAnswering, TextClassification } = globalThis.mobilebert;
    globalThis.good = await TextClassification.load(`/models/${models.sentiment.name}/`, { device: "wasm" });
    globalThis.answering = await QuestionAnswering.load("/models/tiny/", { device: "wasm" });
    /** The outcome of a promise, in a form that can be sent to the test. */
    globalThis.outcome = async (promise) => {
      try {
        return { value: await promise };
      } catch (error) {
        const known = error instanceof globalThis.mobilebert.MobileBertError;
        return { known, code: error.code, message: error.message, detail: error.detail };
      }
    };
  }, models);
});

after(async () => {
  await browser?.close();
  await server?.stop();
  await damaged?.remove();
  await made?.remove();
});

/** Runs in the page and expects an error with this code; afterwards, a loaded model must still work. */
async function expectError(code, work, ...args) {
  const got = await page.evaluate(work, ...args);
  assert.equal(got.known, true, `not a MobileBertError: ${JSON.stringify(got)}`);
  if (code) assert.equal(got.code, code, got.message);
  const { value } = await page.evaluate(() => globalThis.outcome(globalThis.good.classify("A wonderful film.")));
  assert.equal(value?.labels.length, 2, "the model that was loaded before no longer works");
  return got;
}

for (const [name, { code, names }] of Object.entries(faults)) {
  test(`a damaged model (${name}) gives ${code ?? "a typed error"} that names ${names}`, async () => {
    const got = await expectError(
      code,
      (name) =>
        globalThis.outcome(globalThis.mobilebert.TextClassification.load(`/models/${name}/`, { device: "wasm" })),
      name,
    );
    assert.ok(`${got.message} ${JSON.stringify(got.detail)}`.includes(names), got.message);
  });
}

test("a directory without a model is `not-found`", async () => {
  const got = await expectError("not-found", () =>
    globalThis.outcome(globalThis.mobilebert.QuestionAnswering.load("/models/nothing-here/")),
  );
  assert.match(got.message, /config\.json/);
});

test("incomplete selected files are `not-found`", async () => {
  const got = await expectError("not-found", () => {
    const files = { "config.json": new Blob(["{}"]) };
    return globalThis.outcome(globalThis.mobilebert.QuestionAnswering.load(files));
  });
  assert.match(got.message, /tokenizer\.json/);
});

test("an unreachable host is `network`", async () => {
  await expectError("network", () =>
    globalThis.outcome(globalThis.mobilebert.QuestionAnswering.load("a/b", { endpoint: "https://127.0.0.1:9" })),
  );
});

test("a model for a different task is `unsupported`, and the error names the class to use", async () => {
  const got = await expectError(
    "unsupported",
    (name) => globalThis.outcome(globalThis.mobilebert.QuestionAnswering.load(`/models/${name}/`, { device: "wasm" })),
    models.sentiment.name,
  );
  assert.match(got.message, /classif/i);
});

test("WebGPU without a GPU is `unsupported`, and the error says why", async () => {
  const got = await expectError(
    "unsupported",
    (name) =>
      globalThis.outcome(globalThis.mobilebert.TextClassification.load(`/models/${name}/`, { device: "webgpu" })),
    models.sentiment.name,
  );
  assert.match(got.message, /WebGPU|adapter/);
});

test("an unknown task, option or schedule is named, along with what is allowed", async () => {
  const task = await expectError("invalid-input", () =>
    globalThis.outcome(globalThis.mobilebert.pipeline("translation", "/models/x/")),
  );
  assert.match(task.message, /translation.*question-answering/);
  const option = await expectError("invalid-input", () =>
    globalThis.outcome(globalThis.answering.ask("Who?", "Ada.", { topk: 3 })),
  );
  assert.match(option.message, /topk.*topK/);
  const schedule = await expectError(
    "invalid-input",
    (name) => globalThis.outcome(globalThis.mobilebert.TextClassification.load(name, { schedule: "fast" })),
    `/models/${models.sentiment.name}/`,
  );
  assert.match(schedule.message, /fast.*tiled, chain, operations/);
});

test("invalid options and arguments are `invalid-input`, along with what is allowed", async () => {
  const dtype = await expectError("invalid-input", () =>
    globalThis.outcome(globalThis.mobilebert.TextClassification.load("/models/x/", { dtype: "f8" })),
  );
  assert.match(dtype.message, /f32, f16, q8, q4/);
  const device = await expectError("invalid-input", () =>
    globalThis.outcome(globalThis.mobilebert.TextClassification.load("/models/x/", { device: "tpu" })),
  );
  assert.match(device.message, /auto, webgpu, wasm/);
  await expectError("invalid-input", () => globalThis.outcome(globalThis.good.classify(7)));
  await expectError("invalid-input", () => globalThis.outcome(globalThis.good.classify(["a", ["b", "c", "d"]])));
});

test("empty, huge and malformed texts are answered or rejected by name", async () => {
  for (const text of ["", "  \n "]) {
    const got = await expectError(
      "invalid-input",
      (text) => globalThis.outcome(globalThis.answering.ask("Who?", text)),
      text,
    );
    assert.equal(got.detail.field, "context");
  }
  const read = await page.evaluate(async () => {
    const huge = `${"a long way off, ".repeat(70_000)}the end.`;
    const asked = await globalThis.answering.ask("what is it?", huge, { maxWindows: 2 });
    const lone = "\ud800 the end \udfff";
    const broken = await globalThis.answering.ask("what \udc00 is it?", lone);
    const long = await globalThis.answering.ask("what ".repeat(100_000), "it is the end.");
    const classified = await globalThis.good.classify([huge, lone, "\0\u202e", "🇫🇷 ".repeat(1000)]);
    return {
      huge: [asked.windowsDone, asked.windows > 1000, asked.truncated],
      slice: broken.answers.every(({ text, start, end }) => text === lone.slice(start, end)),
      cut: long.truncated,
      classified: classified.map(({ labels, truncated }) => [labels.length, truncated]),
    };
  });
  assert.deepEqual(read, {
    huge: [2, true, true],
    slice: true,
    cut: true,
    classified: [
      [2, true],
      [2, false],
      [2, false],
      [2, true],
    ],
  });
});

test("if the browser has no room the model still runs, with a `quota` warning", async () => {
  const session = await page.createCDPSession();
  const { origin } = new URL(server.address);
  await page.evaluate(() => globalThis.mobilebert.cache.clear());
  await session.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: 1_000_000 });
  const got = await page.evaluate(async (name) => {
    const warnings = [];
    const { TextClassification, cache } = globalThis.mobilebert;
    const onWarning = (warning) => warnings.push({ code: warning.code, message: warning.message });
    const model = await TextClassification.load(`/models/${name}/`, { device: "wasm", onWarning });
    const { labels } = await model.classify("A wonderful film.");
    await model.dispose();
    return { warnings, labels: labels.length, kept: await cache.list() };
  }, models.sentiment.name);
  await session.send("Storage.overrideQuotaForOrigin", { origin });
  assert.equal(got.labels, 2);
  assert.deepEqual(got.kept, []);
  assert.deepEqual(
    got.warnings.map(({ code }) => code),
    ["quota"],
  );
  assert.match(got.warnings[0].message, /downloaded again next time/);
});

test("running out of memory is `out-of-memory` at any point, and other models still work", async () => {
  const ends = await page.evaluate(async (name) => {
    const wasm = new Uint8Array(await (await fetch("/pkg/wasm/mobilebert_bg.wasm")).arrayBuffer());
    const { TextClassification } = globalThis.mobilebert;
    const text = "A wonderful film. ".repeat(100);
    const once = async (megabytes) => {
      let phase = "start";
      const onProgress = (progress) => {
        phase = progress.phase;
      };
      const wasmBytes = globalThis.withMemory(wasm, megabytes);
      const options = { device: "wasm", cache: false, wasmBytes, onProgress };
      const loaded = await globalThis.outcome(TextClassification.load(name, options));
      if (loaded.code) return { megabytes, phase, ...loaded };
      const asked = await globalThis.outcome(loaded.value.classify(text));
      await loaded.value.dispose();
      return { megabytes, phase: "call", code: asked.code, message: asked.message };
    };
    const ends = [];
    for (let megabytes = 0; ends.at(-1)?.code !== undefined || megabytes === 0; megabytes++) {
      ends.push(await once(megabytes));
      const { labels } = await globalThis.good.classify("Another model.");
      if (labels.length !== 2) throw new Error("the other model no longer works");
    }
    return ends;
  }, "/models/sweep/");
  const failed = ends.filter(({ code }) => code !== undefined);
  const shown = ends.map(({ megabytes, phase, code, message }) => `${megabytes} MB, ${phase}: ${code}: ${message}`);
  assert.deepEqual([...new Set(failed.map(({ code }) => code))], ["out-of-memory"], shown.join("\n"));
  // Both where the module checks before it allocates, and where it can only trap.
  for (const words of [/tensor/, /refused the wasm module \d+ bytes/]) {
    assert.ok(
      failed.some(({ message }) => words.test(message)),
      `${words} was never reported:\n${shown.join("\n")}`,
    );
  }
  assert.ok(
    new Set(failed.map(({ phase }) => phase)).size > 1,
    `it always failed in the same phase:\n${shown.join("\n")}`,
  );
});

test("if a call without a worker runs out of memory it fails, and so do later calls", async () => {
  const codes = await page.evaluate(async () => {
    const wasm = new Uint8Array(await (await fetch("/pkg/wasm/mobilebert_bg.wasm")).arrayBuffer());
    const options = { device: "wasm", cache: false, worker: false, wasmBytes: globalThis.withMemory(wasm, 2) };
    const model = await globalThis.mobilebert.QuestionAnswering.load("/models/tiny/", options);
    const codes = [];
    for (const context of ["it is the end. ".repeat(500_000), "it is the end."]) {
      codes.push((await globalThis.outcome(model.ask("what is it?", context))).code);
    }
    return codes;
  });
  assert.deepEqual(codes, ["out-of-memory", "out-of-memory"]);
});

test("a worker that can't be loaded is reported with its URL", async () => {
  const got = await expectError("not-found", () =>
    globalThis.outcome(globalThis.mobilebert.TextClassification.load("/models/x/", { workerUrl: "/nowhere.js" })),
  );
  assert.match(got.message, /nowhere\.js.*workerUrl/);
});

test("an aborted load is `aborted`, in every phase", async () => {
  const types = await readFile(join(import.meta.dirname, "../../pkg/src/types.ts"), "utf8");
  const phases = /phase: (("\w+"( \| )?)+);/.exec(types)[1].match(/\w+/g);
  assert.ok(phases.length >= 6, `the type only has ${phases}`);
  const stopped = await page.evaluate(async (phases) => {
    const { QuestionAnswering, cache } = globalThis.mobilebert;
    const load = (options) => QuestionAnswering.load("/models/listed/", { device: "wasm", ...options });
    const stoppedAt = async (moment) => {
      const stop = new AbortController();
      let reached = false;
      const onProgress = (progress) => {
        reached ||= moment(progress);
        if (reached) stop.abort();
      };
      const ended = await globalThis.outcome(load({ signal: stop.signal, onProgress }));
      return { reached, code: ended.code };
    };
    const stopped = {};
    for (const phase of phases) {
      await cache.clear();
      if (phase === "cache") await (await load()).dispose();
      stopped[phase] = await stoppedAt((progress) => progress.phase === phase);
    }
    await cache.clear();
    stopped.halfway = await stoppedAt(({ loaded, total }) => loaded > total / 2);
    const { code } = await globalThis.outcome(load({ signal: AbortSignal.abort() }));
    stopped.before = { reached: true, code };
    return stopped;
  }, phases);
  for (const [moment, { reached, code }] of Object.entries(stopped)) {
    assert.deepEqual([reached, code], [true, "aborted"], moment);
  }
  // A load may be aborted after everything was verified; then the cached files must be complete.
  const partly = await page.evaluate(async () => {
    const wrong = [];
    for (const { model, files } of await globalThis.mobilebert.cache.list()) {
      for (const { name, bytes } of files) {
        const served = await (await fetch(new URL(name, model))).arrayBuffer();
        if (served.byteLength !== bytes) wrong.push(`${name}: ${bytes} of ${served.byteLength}`);
      }
    }
    return wrong;
  });
  assert.deepEqual(partly, [], "an aborted load left an incomplete model in the cache");
});

test("calls to a disposed model are `disposed`, whether running, waiting or later", async () => {
  const codes = await page.evaluate(async (name) => {
    const model = await globalThis.mobilebert.TextClassification.load(`/models/${name}/`, { device: "wasm" });
    const running = globalThis.outcome(model.classify("First."));
    const waiting = globalThis.outcome(model.classify("Second."));
    await model.dispose();
    const late = globalThis.outcome(model.classify("Third."));
    return (await Promise.all([running, waiting, late])).map(({ code }) => code);
  }, models.sentiment.name);
  assert.deepEqual(codes, ["disposed", "disposed", "disposed"]);
});
