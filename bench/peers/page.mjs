// Runs in the browser: both engines alternate on the page's main thread.
import { QuestionAnswering } from "mobilebert";
import * as ort from "onnxruntime-web";

const TOP = 20;
const MAX_ANSWER_TOKENS = 30;

/** The peer's files with the same weights. */
const PEER_FILES = { f32: "model.onnx", q8: "model_quantized.onnx" };

/** The peer's f32 logits by length: the reference for all comparisons. */
const exact = new Map();

globalThis.load = async (dtype) => {
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.proxy = false;
  ort.env.wasm.wasmPaths = "/ort/";
  const peerStarted = performance.now();
  const peer = await ort.InferenceSession.create(`/model/${PEER_FILES[dtype]}`, {
    executionProviders: ["wasm"],
    graphOptimizationLevel: "all",
  });
  const peerLoad = performance.now() - peerStarted;
  const started = performance.now();
  const own = await QuestionAnswering.load("/model/", { device: "wasm", worker: false, cache: false, dtype });
  const ownLoad = performance.now() - started;
  globalThis.engines = { peer, own };
  return { peerLoad, ownLoad, device: own.device, peerVersion: ort.env.versions.web };
};

globalThis.unload = async () => {
  const { peer, own } = globalThis.engines;
  await Promise.all([peer.release(), own.dispose()]);
};

globalThis.compare = async (input, runs, warmUp) => {
  const { peer, own } = globalThis.engines;
  const length = input.input_ids.length;
  const tensor = (values) => new ort.Tensor("int64", BigInt64Array.from(values, BigInt), [1, length]);
  const feeds = {
    input_ids: tensor(input.input_ids),
    attention_mask: tensor(new Array(length).fill(1)),
    token_type_ids: tensor(input.token_type_ids),
  };
  const options = { topK: TOP, maxAnswerTokens: MAX_ANSWER_TOKENS, maxLength: length };
  const times = { own: [], peer: [] };
  let outputs;
  let reply;
  for (let run = 0; run < warmUp + runs; run++) {
    const first = performance.now();
    reply = await own.ask(input.question, input.context, options);
    const second = performance.now();
    outputs = await peer.run(feeds);
    const third = performance.now();
    if (run < warmUp) continue;
    times.own.push(second - first);
    times.peer.push(third - second);
  }
  const logits = { starts: outputs.start_logits.data, ends: outputs.end_logits.data };
  if (!exact.has(length)) exact.set(length, logits);
  return { times, check: check(input, reply, logits, exact.get(length)), timing: reply.timing, windows: reply.windows };
};

/** Compares our best spans, and the peer's scores for them, with the reference: largest differences over the logits' rms. */
function check(input, reply, logits, reference) {
  const scoreOf = ({ starts, ends }, start, end) => starts[input.first + start] + ends[input.first + end];
  const words = input.context.split(" ").length;
  const scores = [];
  for (let start = 0; start < words; start++) {
    for (let end = start; end < Math.min(words, start + MAX_ANSWER_TOKENS); end++)
      scores.push(scoreOf(reference, start, end));
  }
  scores.sort((a, b) => b - a);
  const values = [...reference.starts, ...reference.ends];
  const rms = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
  let [own, peer] = [0, 0];
  for (const [place, answer] of reply.answers.entries()) {
    // Each word has four letters, followed by a space.
    const [start, end] = [answer.start / 5, (answer.end - 4) / 5];
    const same = scoreOf(reference, start, end);
    own = Math.max(own, Math.abs(answer.score - same), Math.abs(answer.score - scores[place]));
    peer = Math.max(peer, Math.abs(scoreOf(logits, start, end) - same));
  }
  return { spans: reply.answers.length, rms, own: own / rms, peer: peer / rms };
}
