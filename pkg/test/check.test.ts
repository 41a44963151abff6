import assert from "node:assert/strict";
import { test } from "node:test";
import { cache } from "../src/cache.ts";
import { Encoder } from "../src/encoder.ts";
import { MobileBertError } from "../src/errors.ts";
import { FillMask } from "../src/fill-mask.ts";
import type { LoadedModel } from "../src/model.ts";
import { pipeline } from "../src/pipeline.ts";
import type { Call, Connection, Loaded } from "../src/protocol.ts";
import { QuestionAnswering } from "../src/question-answering.ts";
import { TextClassification } from "../src/text-classification.ts";
import { TokenClassification } from "../src/token-classification.ts";

/** A model that must not be asked: what is wrong with a call is said before. */
const never: Connection = {
  load: () => assert.fail("loaded"),
  call: ({ name }: Call) => Promise.reject(new Error(`${name} was asked`)),
  dispose: () => {},
};

function made<T extends LoadedModel>(wrap: new (connection: Connection, loaded: Loaded) => T): T {
  const device = { kind: "wasm" as const, adapter: "", fallback: false, reason: "test" };
  return new wrap(never, { device, task: "", labels: [] });
}

/** An `invalid-input` that names the field, in `detail` and in words, and says more than that. */
function naming(field: string, words = /./) {
  return (error: unknown) => {
    assert.ok(error instanceof MobileBertError, String(error));
    assert.equal(error.code, "invalid-input", error.message);
    assert.equal(error.detail.field, field, error.message);
    assert.match(error.message, words);
    return true;
  };
}

// The callers of these tests are JavaScript: no type stands in their way.
// biome-ignore lint/suspicious/noExplicitAny: see above
type Any = any;
const load = QuestionAnswering.load as Any;
const pipe = pipeline as Any;

test("a load names the argument that makes no sense", async () => {
  for (const model of [undefined, null, 5, true, ""]) await assert.rejects(load(model), naming("model", /owner\/name/));
  for (const address of ["data:text/plain,x", "blob:https://example.org/1", "javascript:void 0"]) {
    await assert.rejects(load(address), naming("model", new RegExp(`${address.split(":")[0]}:`)));
  }
  for (const options of [null, 5, "wasm", [], new AbortController().signal]) {
    await assert.rejects(load("models/x/", options), naming("options"));
  }
  const wrong = {
    device: "npu",
    dtype: 8,
    schedule: "",
    worker: 1,
    signal: {},
    onProgress: 5,
    onWarning: "console",
    endpoint: 5,
    revision: 1,
    headers: new Headers({ authorization: "x" }),
    cache: "no",
    wasmUrl: 5,
    wasmBytes: "bytes",
    workerUrl: null,
  };
  for (const [name, value] of Object.entries(wrong)) {
    await assert.rejects(load("models/x/", { [name]: value }), naming(name), name);
  }
  await assert.rejects(load("owner/name", { endpoint: ["https://example.org", 5] }), naming("endpoint"));
  await assert.rejects(load("owner/name", { endpoint: "http://[" }), naming("endpoint", /no address/));
});

test("an option that does not exist is named, with those that do", async () => {
  await assert.rejects(load("models/x/", { devise: "wasm" }), naming("devise", /device, dtype/));
  const qa = made(QuestionAnswering) as Any;
  await assert.rejects(qa.ask("q", "c", { singal: undefined }), naming("singal", /signal, topK/));
  await assert.rejects(
    (made(TextClassification) as Any).classify("a", { topK: 1 }),
    naming("topK", /there are signal/),
  );
  await assert.rejects(
    (made(TokenClassification) as Any).label("a", { toString: 1 }),
    naming("toString", /aggregation/),
  );
  await assert.rejects((made(FillMask) as Any).fill("a", { top_k: 1 }), naming("top_k", /topK/));
  await assert.rejects((made(Encoder) as Any).encode("a", { normalise: true }), naming("normalise", /normalize/));
  await assert.rejects((cache as Any).clear("models/x/", { cache: false }), naming("cache", /endpoint, revision/));
});

test("a call names the argument that makes no sense, numbers as JavaScript spells them", async () => {
  const qa = made(QuestionAnswering) as Any;
  await assert.rejects(qa.ask(), naming("question"));
  await assert.rejects(qa.ask("q"), naming("context"));
  await assert.rejects(qa.ask("q", "c", null), naming("options"));
  await assert.rejects(qa.ask("q", "c", { signal: {} }), naming("signal", /AbortSignal/));
  await assert.rejects(qa.ask("q", "c", { onPartial: {} }), naming("onPartial", /function/));
  for (const name of ["topK", "maxAnswerTokens", "docStride", "maxLength", "maxQuestionTokens", "maxWindows"]) {
    for (const value of [-1, 0, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 40, "2", null, () => 3]) {
      await assert.rejects(qa.ask("q", "c", { [name]: value }), naming(name, /whole number/), `${name}: ${value}`);
    }
  }
  await assert.rejects((made(FillMask) as Any).fill("a", { topK: -1 }), naming("topK", /-1 is not a whole number/));
  await assert.rejects((made(Encoder) as Any).encode("a", { pooling: "max" }), naming("pooling", /mean, cls, none/));
  await assert.rejects((made(Encoder) as Any).encode("a", { normalize: 1 }), naming("normalize"));
  const labels = made(TokenClassification) as Any;
  await assert.rejects(labels.label("a", { aggregation: "max" }), naming("aggregation", /none, simple/));
  for (const texts of [null, 5, [5], [["a", 5]], [["a", "b", "c"]], { text: "a", text_pair: "b" }]) {
    await assert.rejects((made(TextClassification) as Any).classify(texts), naming("text"));
  }
});

test("sensible options pass, those left out by `undefined` among them", async () => {
  const qa = made(QuestionAnswering);
  const options = { topK: 1, maxWindows: undefined, signal: new AbortController().signal, onPartial: () => {} };
  await assert.rejects(qa.ask("q", "c", options as Any), /ask was asked/);
});

test("the module gets the numbers that were given, and three answers where none was", async () => {
  const asked: unknown[] = [];
  const device = { kind: "wasm" as const, adapter: "", fallback: false, reason: "test" };
  const call = async ({ args }: Call) => {
    asked.push(args[2]);
    return { answers: [] };
  };
  const qa = new QuestionAnswering({ ...never, call }, { device, task: "", labels: [] });
  await qa.ask("q", "c");
  await qa.ask("q", "c", { topK: 5, docStride: 64, signal: new AbortController().signal });
  assert.deepEqual(asked, [{ topK: 3 }, { topK: 5, docStride: 64 }]);
});

test("what the module says of an option names it as JavaScript does", async () => {
  const said = new MobileBertError("invalid-input", "`doc_stride`: doc_stride 3 and max_question 4", {
    field: "doc_stride",
  });
  const device = { kind: "wasm" as const, adapter: "", fallback: false, reason: "test" };
  const connection = { ...never, call: () => Promise.reject(said) };
  const qa = new QuestionAnswering(connection, { device, task: "", labels: [] });
  await assert.rejects(qa.ask("q", "c"), naming("docStride", /^`docStride`: docStride 3 and maxQuestionTokens 4$/));
});

test("`pipeline()` names what transformers.js takes and there is none of here, with what to do instead", async () => {
  await assert.rejects(pipe("sentiment-analysis"), naming("model", /no task has a default model/));
  await assert.rejects(pipe("sentiment-analysis", null), naming("model", /owner\/name/));
  await assert.rejects(pipe("ner", "models/x/", null), naming("options"));
  await assert.rejects(pipe("ner", "models/x/", { progress: 1 }), naming("progress", /progress_callback/));
  const foreign = {
    quantized: /dtype: "q8"/,
    local_files_only: /never looked up on the Hub/,
    cache_dir: /`cache`/,
    subfolder: /directory/,
    model_file_name: /model\.safetensors/,
    config: /config\.json/,
    use_external_data_format: /safetensors/,
    session_options: /ONNX/,
    onProgress: /progress_callback/,
  };
  for (const [name, words] of Object.entries(foreign)) {
    await assert.rejects(pipe("ner", "models/x/", { [name]: "x" }), naming(name, words));
    // Nothing is asked for: the load goes on, to a directory that is not there.
    const passes = pipe("ner", "models/none/", { [name]: null, worker: false, wasmBytes: new Uint8Array() });
    await assert.rejects(passes, (error) => error instanceof MobileBertError && error.code !== "invalid-input");
  }
  await assert.rejects(pipe("ner", "models/x/", { dtype: "q4f16" }), naming("dtype", /fp32, fp16, int8/));
  await assert.rejects(pipe("ner", "models/x/", { device: "cuda" }), naming("device", /webgpu, wasm, cpu/));
  await assert.rejects(pipe("ner", "models/x/", { progress_callback: 5 }), naming("progress_callback"));
});
