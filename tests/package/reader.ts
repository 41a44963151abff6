// Checks the package's types as a user's strict compiler sees them; compiled by `contents.test.mjs`.
import {
  type Answer,
  type Classification,
  MobileBertError,
  type PipelineAnswer,
  type PipelineLabel,
  pipeline,
  QuestionAnswering,
  TextClassification,
} from "mobilebert";

/** True if two types are identical. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const is = <Expected>() => ({ the: <Given>(_given: Given, _same: Same<Expected, Given>) => {} });

const qa = await QuestionAnswering.load("models/x/", {
  device: "auto",
  onProgress: ({ phase, loaded }) => [phase, loaded],
});
const { answers }: { answers: Answer[] } = await qa.ask("Who?", "Ada.", {
  topK: 2,
  signal: new AbortController().signal,
});
const start: number | undefined = answers[0]?.start;
is<Float32Array>().the((await qa.explain("Who?", "Ada.", { answer: answers[0], layer: 0, head: 0 })).attention, true);
is<Float32Array | undefined>().the((await qa.explain("Who?", "Ada.")).attention, true);
// @ts-expect-error: unknown device
await QuestionAnswering.load("models/x/", { device: "npu" });
// @ts-expect-error: unknown option
await QuestionAnswering.load("models/x/", { devise: "wasm" });
await QuestionAnswering.load(new Map([["config.json", new Blob(["{}"])]]), { wasmBytes: new ArrayBuffer(4) });
await QuestionAnswering.load({ "config.json": new Blob(["{}"]) }, { wasmBytes: new Uint8Array(4) });
const code = new MobileBertError("aborted", "").code satisfies string;

const topics = await TextClassification.load("models/y/");
declare const texts: string[];
is<Classification>().the(await topics.classify("a text"), true);
is<Classification>().the(await topics.classify(["a premise", "a hypothesis"]), true);
// If there are two texts, they are a pair with a single result.
is<Classification | Classification[]>().the(await topics.classify(texts), true);
is<Classification[]>().the(await topics.classify(texts.map((text) => [text])), true);
is<Classification[]>().the(await topics.classify(texts.map((text) => [text, "a hypothesis"])), true);
is<Classification[]>().the(await topics.classify(["a", "b", "c"]), true);
is<Classification[]>().the(await topics.classify(["a"]), true);

const classify = await pipeline("sentiment-analysis", "models/y/");
const answer = await pipeline("question-answering", "models/x/");
declare const top_k: number;
declare const options: { top_k?: number | null };
is<PipelineLabel[]>().the(await classify("a"), true);
is<PipelineLabel[]>().the(await classify(["a", "b"], { top_k: 1 }), true);
is<PipelineLabel[][]>().the(await classify(["a"], { top_k: null }), true);
is<PipelineLabel[] | PipelineLabel[][]>().the(await classify(["a"], { top_k }), true);
is<PipelineLabel[] | PipelineLabel[][]>().the(await classify(["a"], options), true);
is<PipelineAnswer | PipelineAnswer[]>().the(await answer("q", "c", { top_k }), true);

export { code, start };
