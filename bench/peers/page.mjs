// Runs in the browser: both engines on the page's own thread, taking turns.
import { QuestionAnswering } from "mobilebert";
import * as ort from "onnxruntime-web";

const TOP = 20;
const LONGEST = 30;

globalThis.load = async () => {
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.proxy = false;
  ort.env.wasm.wasmPaths = "/ort/";
  const peerStarted = performance.now();
  const peer = await ort.InferenceSession.create("/model/model.onnx", {
    executionProviders: ["wasm"],
    graphOptimizationLevel: "all",
  });
  const peerLoad = performance.now() - peerStarted;
  const started = performance.now();
  const own = await QuestionAnswering.load("/model/", { device: "wasm", worker: false, cache: false });
  const ownLoad = performance.now() - started;
  globalThis.engines = { peer, own };
  return { peerLoad, ownLoad, device: own.device, peerVersion: ort.env.versions.web };
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
  const options = { topK: TOP, maxAnswerTokens: LONGEST, maxLength: length };
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
  const starts = outputs.start_logits.data;
  const ends = outputs.end_logits.data;
  return { times, check: check(input, reply, starts, ends), timing: reply.timing, windows: reply.windows };
};

/** Our best spans against those of the peer's logits: largest difference of a score, by the logits' rms. */
function check(input, reply, starts, ends) {
  const words = input.context.split(" ").length;
  const spans = [];
  for (let start = 0; start < words; start++) {
    for (let end = start; end < Math.min(words, start + LONGEST); end++) {
      spans.push({ start, end, score: starts[input.first + start] + ends[input.first + end] });
    }
  }
  spans.sort((a, b) => b.score - a.score);
  const squares = [...starts, ...ends].reduce((sum, value) => sum + value * value, 0);
  const rms = Math.sqrt(squares / (2 * starts.length));
  let largest = 0;
  for (const [place, answer] of reply.answers.entries()) {
    // A word is four letters and a space.
    const same = starts[input.first + answer.start / 5] + ends[input.first + (answer.end - 4) / 5];
    largest = Math.max(largest, Math.abs(answer.score - same), Math.abs(answer.score - spans[place].score));
  }
  return { spans: reply.answers.length, rms, ratio: largest / rms };
}
