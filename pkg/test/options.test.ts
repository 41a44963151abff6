import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { runInNewContext } from "node:vm";
import { Encoder } from "../src/api/encoder.ts";
import { FillMask } from "../src/api/fill-mask.ts";
import type { LoadedModel } from "../src/api/model.ts";
import { QuestionAnswering } from "../src/api/question-answering.ts";
import { RunningModel } from "../src/api/running-model.ts";
import { similarity } from "../src/api/similarity.ts";
import { TextClassification } from "../src/api/text-classification.ts";
import { TextRanking } from "../src/api/text-ranking.ts";
import { TokenClassification } from "../src/api/token-classification.ts";
import { ZeroShotClassification } from "../src/api/zero-shot-classification.ts";
import { MobileBertError } from "../src/errors.ts";
import { cache } from "../src/files/cache.ts";
import { callable } from "../src/pipeline/calls.ts";
import { pipeline } from "../src/pipeline/pipeline.ts";
import type { Call, Connection } from "../src/worker/protocol.ts";
import { chosen, loadTimes } from "./loaded.ts";

/** A model that must not be called: invalid arguments are rejected before. */
const never: Connection = {
  load: () => assert.fail("loaded"),
  call: ({ name }: Call) => Promise.reject(new Error(`${name} was called`)),
  dispose: () => {},
};

function made<T extends LoadedModel>(wrap: new (running: RunningModel) => T, connection = never): T {
  const device = { kind: "wasm" as const, adapter: "", fallback: false, reason: "test", threads: 1, chosen };
  return new wrap(new RunningModel(connection, { device, task: "", labels: [], times: loadTimes }));
}

/** Matches an `invalid-input` error that names the field in `detail`, with a message that matches `words`. */
function naming(field: string, words = /./) {
  return (error: unknown) => {
    assert.ok(error instanceof MobileBertError, String(error));
    assert.equal(error.code, "invalid-input", error.message);
    assert.equal(error.detail.field, field, error.message);
    assert.match(error.message, words);
    return true;
  };
}

// These tests call the API as JavaScript does, without types.
// biome-ignore lint/suspicious/noExplicitAny: see above
type Any = any;
const load = QuestionAnswering.load as Any;
const pipe = pipeline as Any;

test("`load` names the invalid argument", async () => {
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
    simd: "avx2",
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
  for (const endpoint of ["", " ", [], ["https://example.org", ""]]) {
    await assert.rejects(load("owner/name", { endpoint }), naming("endpoint", /empty; pass a URL, or omit it/));
    await assert.rejects((cache as Any).clear("owner/name", { endpoint }), naming("endpoint"));
  }
  await assert.rejects(load("owner/name", { endpoint: "http://[" }), naming("endpoint", /not a valid URL/));
  for (const name of ["wasmUrl", "workerUrl"]) {
    for (const url of ["", " "]) await assert.rejects(load("models/x/", { [name]: url }), naming(name, /empty/));
  }
});

test("headers that can't be sent are named without their values", async () => {
  for (const headers of [{ "a b": "secret" }, { authorization: "Bearer secret\nx" }, { authorization: "secret →" }]) {
    await assert.rejects(load("https://example.org/m/", { headers }), (error: MobileBertError) => {
      assert.doesNotMatch(error.message, /secret/);
      return naming("headers", /HTTP doesn't allow/)(error);
    });
  }
});

test("values of another realm, such as a frame or a test runner's sandbox, are accepted", async () => {
  const foreign = (expression: string) => runInNewContext(expression);
  const vector = foreign("Float32Array.of(3, 4)");
  assert.ok(!(vector instanceof Float32Array));
  assert.equal(similarity(vector, Float32Array.of(3, 4)), 1);
  const encoder = made(Encoder) as Any;
  assert.equal(await encoder.similarity(vector, vector), 1);
  for (const corpus of [[vector], foreign("[Float32Array.of(3, 4)]"), foreign("Float32Array.of(3, 4, 6, 8)")]) {
    assert.equal((await encoder.search(vector, corpus)).documents[0].score, 1);
  }
  for (const bytes of ["new ArrayBuffer(1)", "new Uint8Array(1)"]) {
    const options = { wasmBytes: foreign(bytes), worker: false };
    await assert.rejects(load("models/none/", options), (error: MobileBertError) => error.code !== "invalid-input");
  }
  await assert.rejects(encoder.similarity(foreign("[0.5]"), vector), naming("a"));
});

test("an unknown option is named, along with the known ones", async () => {
  await assert.rejects(load("models/x/", { devise: "wasm" }), naming("devise", /device, dtype/));
  const qa = made(QuestionAnswering) as Any;
  await assert.rejects(qa.ask("q", "c", { singal: undefined }), naming("singal", /signal, topK/));
  await assert.rejects(
    (made(TextClassification) as Any).classify("a", { topK: 1 }),
    naming("topK", /use one of signal/),
  );
  await assert.rejects(
    (made(TokenClassification) as Any).label("a", { toString: 1 }),
    naming("toString", /aggregation/),
  );
  await assert.rejects((made(FillMask) as Any).fill("a", { top_k: 1 }), naming("top_k", /topK/));
  await assert.rejects((made(Encoder) as Any).encode("a", { normalise: true }), naming("normalise", /normalize/));
  await assert.rejects((cache as Any).clear("models/x/", { cache: false }), naming("cache", /endpoint, revision/));
  await assert.rejects((cache as Any).has("models/x/", { cache: false }), naming("cache", /endpoint, revision/));
  await assert.rejects((cache as Any).has(), naming("model", /not a model source/));
});

test("a call names the invalid argument, and numbers as in JavaScript", async () => {
  const qa = made(QuestionAnswering) as Any;
  await assert.rejects(qa.ask(), naming("question"));
  await assert.rejects(qa.ask("q"), naming("context"));
  await assert.rejects(qa.ask("q", "c", null), naming("options"));
  await assert.rejects(qa.ask("q", "c", { signal: {} }), naming("signal", /AbortSignal/));
  await assert.rejects(qa.ask("q", "c", { onPartial: {} }), naming("onPartial", /function/));
  for (const name of ["topK", "maxAnswerTokens", "docStride", "maxLength", "maxQuestionTokens", "maxWindows"]) {
    for (const value of [-1, 0, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 40, "2", null, () => 3]) {
      await assert.rejects(qa.ask("q", "c", { [name]: value }), naming(name, /an integer/), `${name}: ${value}`);
    }
  }
  await assert.rejects(qa.explain("q"), naming("context"));
  await assert.rejects(qa.explain("q", "c", { topK: 1 }), naming("topK", /answer, layer, head/));
  for (const name of ["layer", "head"]) {
    for (const value of [-1, 0.5, Number.NaN, 2 ** 40, "0", null]) {
      await assert.rejects(
        qa.explain("q", "c", { [name]: value }),
        naming(name, /an integer from 0/),
        `${name}: ${value}`,
      );
    }
  }
  for (const answer of [null, 3, "c", [], {}, { start: 0 }, { start: 0, end: "1" }, { start: -1, end: 1 }]) {
    await assert.rejects(qa.explain("q", "c", { answer }), naming("answer", /a span/));
  }
  for (const [start, end] of [
    [1, 1],
    [1, 0],
    [0, 2],
  ]) {
    await assert.rejects(
      qa.explain("q", "c", { answer: { start, end } }),
      naming("answer", /not a span of the context/),
    );
  }
  await assert.rejects((made(FillMask) as Any).fill("a", { topK: -1 }), naming("topK", /-1 is not an integer/));
  const encoder = made(Encoder) as Any;
  await assert.rejects(encoder.encode("a", { pooling: "median" }), naming("pooling", /cls, max, mean, .*, none/));
  await assert.rejects(encoder.encode("a", { maxLength: 0 }), naming("maxLength", /an integer/));
  await assert.rejects(encoder.similarity("a"), naming("b"));
  await assert.rejects(encoder.similarity("a", [0.5]), naming("b", /`Float32Array\.from/));
  await assert.rejects(encoder.search("a", [5]), naming("corpus"));
  await assert.rejects(encoder.search("a", ["b"], { topK: 0 }), naming("topK", /an integer/));
  const zeroShot = made(ZeroShotClassification) as Any;
  await assert.rejects(zeroShot.classify(["a"], ["b"]), naming("text"));
  await assert.rejects(zeroShot.classify("a", "b, c"), naming("labels", /array of strings/));
  await assert.rejects(zeroShot.classify("a", ["b"], { multiLabel: 1 }), naming("multiLabel"));
  await assert.rejects(zeroShot.classify("a", ["b"], { hypothesisTemplate: null }), naming("hypothesisTemplate"));
  const ranking = made(TextRanking) as Any;
  await assert.rejects(ranking.rank(5, ["a"]), naming("query"));
  await assert.rejects(ranking.rank("a", "b"), naming("documents", /array of strings/));
  await assert.rejects(ranking.rank("a", ["b"], { topK: -1 }), naming("topK", /an integer/));
  await assert.rejects(encoder.encode("a", { normalize: 1 }), naming("normalize"));
  const labels = made(TokenClassification) as Any;
  await assert.rejects(labels.label("a", { aggregation: "last" }), naming("aggregation", /none, simple, first/));
  await assert.rejects(labels.label("a", { ignoreLabels: "O" }), naming("ignoreLabels", /array of strings/));
  await assert.rejects((made(FillMask) as Any).fill("a", { targets: "b" }), naming("targets", /array of strings/));
  for (const texts of [null, 5, [5], [["a", 5]], [["a", "b", "c"]], { text: "a", text_pair: "b" }]) {
    await assert.rejects((made(TextClassification) as Any).classify(texts), naming("text"));
  }
});

test("a hole in an array is rejected like `undefined`", async () => {
  const holes = new Array(3);
  await assert.rejects((made(TextClassification) as Any).classify(holes), naming("text", /not a string/));
  const encoder = made(Encoder) as Any;
  await assert.rejects(encoder.encode(holes), naming("texts", /not a string/));
  await assert.rejects(encoder.search("a", holes), naming("corpus", /not an array of texts/));
  await assert.rejects((made(TextRanking) as Any).rank("a", holes), naming("documents", /array of strings/));
  const zeroShot = made(ZeroShotClassification) as Any;
  await assert.rejects(zeroShot.classify("a", holes), naming("labels", /array of strings/));
  const classifier = made(TextClassification) as Any;
  const pair = ["a", "b"];
  delete pair[1];
  for (const texts of [pair, [pair], new Array(2)]) await assert.rejects(classifier.classify(texts), naming("text"));
});

test("a hole in an array is rejected by pipelines, too", async () => {
  const { load } = TextClassification;
  const { load: loadEncoder } = Encoder;
  Object.assign(TextClassification, { load: async () => made(TextClassification) });
  Object.assign(Encoder, { load: async () => made(Encoder) });
  try {
    const holes = ["a", "b"];
    delete holes[1];
    const classify = await pipe("sentiment-analysis", "models/x/");
    await assert.rejects(classify(holes), naming("texts", /undefined is not a text or a pair/));
    const embed = await pipe("embeddings", "models/x/");
    await assert.rejects(embed(holes), naming("texts", /undefined is not a text/));
  } finally {
    Object.assign(TextClassification, { load });
    Object.assign(Encoder, { load: loadEncoder });
  }
});

test("valid options pass, including those that are `undefined`", async () => {
  const qa = made(QuestionAnswering);
  const options = { topK: 1, maxWindows: undefined, signal: new AbortController().signal, onPartial: () => {} };
  await assert.rejects(qa.ask("q", "c", options as Any), /ask was called/);
});

test("the module gets the given numbers, with a default of three answers", async () => {
  const asked: unknown[] = [];
  const call = async ({ args }: Call) => {
    asked.push(args[2]);
    return { answers: [] };
  };
  const qa = made(QuestionAnswering, { ...never, call });
  await qa.ask("q", "c");
  await qa.ask("q", "c", { topK: 5, docStride: 64, signal: new AbortController().signal });
  assert.deepEqual(asked, [{ topK: 3 }, { topK: 5, docStride: 64 }]);
});

test("the module gets the place of an answer, without its text", async () => {
  const asked: unknown[] = [];
  const call = async ({ args }: Call) => {
    asked.push(args[2]);
    return { words: [] };
  };
  const qa = made(QuestionAnswering, { ...never, call });
  const answer = { text: "b", start: 1, end: 2, probability: 1, score: 3, variants: [] };
  await qa.explain("q", "abc", { answer, layer: 0, head: 3, signal: new AbortController().signal });
  assert.deepEqual(asked, [{ answer: { start: 1, end: 2 }, layer: 0, head: 3 }]);
});

describe("errors of the module", () => {
  /** A connection whose calls fail. */
  const failing = (field: string, problem: string) => {
    const error = new MobileBertError("invalid-input", `\`${field}\`: ${problem}`, { field });
    return { ...never, call: () => Promise.reject(error) };
  };

  test("name options as the classes do", async () => {
    const qa = made(QuestionAnswering, failing("doc_stride", "doc_stride 3 and max_question 4"));
    await assert.rejects(qa.ask("q", "c"), naming("docStride", /^`docStride`: docStride 3 and maxQuestionTokens 4$/));
    await assert.rejects(qa.explain("q", "c"), naming("docStride"));
    const encoder = made(Encoder, failing("max_length", "is 1, but a token and 2 special tokens need room"));
    await assert.rejects(encoder.encode("text", { maxLength: 1 }), naming("maxLength", /^`maxLength`: is 1/));
    const zeroShot = made(ZeroShotClassification, failing("hypothesis_template", "has no {}"));
    await assert.rejects(zeroShot.classify("text", ["a"]), naming("hypothesisTemplate", /^`hypothesisTemplate`/));
  });

  test("that name no option stay as they are", async () => {
    const encoder = made(Encoder, failing("texts", "text 0 has 9 ids above vocab_size"));
    await assert.rejects(encoder.encode("text"), naming("texts", /above vocab_size$/));
  });

  test("name options as in transformers.js in a pipeline", async () => {
    const qa = made(QuestionAnswering, failing("max_length", "max_length 3 and max_question 4"));
    const ask = callable("question-answering", qa, (question: string) => qa.ask(question, "context"));
    await assert.rejects(ask("q"), naming("max_seq_len", /^`max_seq_len`: max_seq_len 3 and max_question_len 4$/));
    const zeroShot = made(ZeroShotClassification, failing("hypothesis_template", "has no {}"));
    const classify = callable("zero-shot-classification", zeroShot, (text: string) => zeroShot.classify(text, ["a"]));
    await assert.rejects(classify("text"), naming("hypothesis_template", /^`hypothesis_template`: has no/));
  });
});

test("`pipeline()` names unsupported options of transformers.js, with advice on what to use instead", async () => {
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
    // `null` asks for nothing: the load continues, and fails because the directory doesn't exist.
    const passes = pipe("ner", "models/none/", { [name]: null, worker: false, wasmBytes: new Uint8Array() });
    await assert.rejects(passes, (error) => error instanceof MobileBertError && error.code !== "invalid-input");
  }
  await assert.rejects(pipe("ner", "models/x/", { dtype: "q4f16" }), naming("dtype", /fp32, fp16, int8/));
  await assert.rejects(pipe("ner", "models/x/", { device: "cuda" }), naming("device", /webgpu, wasm, cpu/));
  await assert.rejects(pipe("ner", "models/x/", { progress_callback: 5 }), naming("progress_callback"));
});
