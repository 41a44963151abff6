import { Encoder } from "./encoder.js";
import { FillMask } from "./fill-mask.js";
import { notOneOf } from "./model.js";
import { QuestionAnswering } from "./question-answering.js";
import { TextClassification } from "./text-classification.js";
import { TokenClassification } from "./token-classification.js";
import type { DeviceKind, Dtype, LoadOptions, ModelSource, Progress } from "./types.js";

/** Events of a load, in the words of transformers.js. */
export type PipelineProgress =
  | { status: "initiate"; name: string; file: string }
  | {
      status: "progress" | "progress_total";
      name: string;
      file: string;
      progress: number;
      loaded: number;
      total: number;
    }
  | { status: "ready"; task: string; model: string };

/** Options of {@link pipeline}, in the words of transformers.js; those of `load` are taken, too. */
export interface PipelineOptions extends Omit<LoadOptions, "device" | "dtype" | "onProgress"> {
  device?: "auto" | DeviceKind | "cpu";
  dtype?: "fp32" | "fp16" | "q8" | "int8" | "q4" | Dtype;
  progress_callback?: (event: PipelineProgress) => void;
}

/** An answer as transformers.js gives it, with its place added. */
export interface PipelineAnswer {
  answer: string;
  score: number;
  start: number;
  end: number;
}

/** A label with its probability. */
export interface PipelineLabel {
  label: string;
  score: number;
}

/** A labelled word, with its place added. */
export interface PipelineEntity {
  entity: string;
  score: number;
  index: number;
  word: string;
  start: number;
  end: number;
}

/** A word for a mask. */
export interface PipelineFilling {
  score: number;
  token_str: string;
  sequence: string;
}

/** Numbers in rows, as transformers.js' `Tensor` gives them. */
export interface PipelineTensor {
  type: "float32";
  dims: number[];
  data: Float32Array;
  tolist(): number[][];
}

interface Disposable {
  dispose(): Promise<void>;
}

/** Calls of `pipeline("question-answering")`. */
export type QuestionAnsweringPipeline = Disposable &
  ((question: string, context: string, options?: { top_k?: number }) => Promise<PipelineAnswer | PipelineAnswer[]>);
/** Calls of `pipeline("text-classification")`. */
export type TextClassificationPipeline = Disposable &
  ((
    texts: string | readonly string[],
    options?: { top_k?: number | null },
  ) => Promise<PipelineLabel[] | PipelineLabel[][]>);
/** Calls of `pipeline("token-classification")`. */
export type TokenClassificationPipeline = Disposable &
  ((
    texts: string | readonly string[],
    options?: { ignore_labels?: string[] },
  ) => Promise<PipelineEntity[] | PipelineEntity[][]>);
/** Calls of `pipeline("fill-mask")`. */
export type FillMaskPipeline = Disposable &
  ((
    texts: string | readonly string[],
    options?: { top_k?: number },
  ) => Promise<PipelineFilling[] | PipelineFilling[][]>);
/** Calls of `pipeline("feature-extraction")`. */
export type FeatureExtractionPipeline = Disposable &
  ((
    texts: string | readonly string[],
    options?: { pooling?: "mean" | "cls"; normalize?: boolean },
  ) => Promise<PipelineTensor>);

/** What each task's pipeline is. */
export interface Pipelines {
  "question-answering": QuestionAnsweringPipeline;
  "text-classification": TextClassificationPipeline;
  "sentiment-analysis": TextClassificationPipeline;
  "token-classification": TokenClassificationPipeline;
  "fill-mask": FillMaskPipeline;
  "feature-extraction": FeatureExtractionPipeline;
}

/**
 * For those who come from transformers.js: a function that takes that library's arguments and gives its results. Where
 * it differs: places (`start`, `end`) are always given, contexts of any length are read, and `question-answering` can
 * find that there is no answer (an empty one).
 */
export async function pipeline<Name extends keyof Pipelines>(
  task: Name,
  model: ModelSource,
  options: PipelineOptions = {},
): Promise<Pipelines[Name]> {
  const make = makers[task];
  if (!make) throw notOneOf("task", task, Object.keys(makers));
  const name = typeof model === "string" || model instanceof URL ? String(model) : "files";
  const made = await make(model, loadOptions(name, options));
  options.progress_callback?.({ status: "ready", task, model: name });
  return made as Pipelines[Name];
}

const makers: { [Name in keyof Pipelines]: (model: ModelSource, options: LoadOptions) => Promise<Pipelines[Name]> } = {
  "question-answering": questionAnswering,
  "text-classification": textClassification,
  "sentiment-analysis": textClassification,
  "token-classification": tokenClassification,
  "fill-mask": fillMask,
  "feature-extraction": featureExtraction,
};

async function questionAnswering(source: ModelSource, load: LoadOptions): Promise<QuestionAnsweringPipeline> {
  const model = await QuestionAnswering.load(source, load);
  const call = async (question: string, context: string, { top_k: topK = 1 }: { top_k?: number } = {}) => {
    const { answers, noAnswer } = await model.ask(question, context, { topK });
    const found: PipelineAnswer[] = answers.map(({ text, probability, start, end }) => {
      return { answer: text, score: probability, start, end };
    });
    if (topK !== 1) return found;
    return found[0] ?? { answer: "", score: noAnswer.probability, start: 0, end: 0 };
  };
  return callable(model, call);
}

async function textClassification(source: ModelSource, load: LoadOptions): Promise<TextClassificationPipeline> {
  const model = await TextClassification.load(source, load);
  const call = async (texts: string | readonly string[], { top_k: topK = 1 }: { top_k?: number | null } = {}) => {
    const results: PipelineLabel[][] = [];
    for (const text of typeof texts === "string" ? [texts] : texts) {
      const { labels } = await model.classify(text);
      const scores = labels.map(({ label, probability }) => ({ label, score: probability }));
      results.push(topK === null ? scores : scores.slice(0, topK));
    }
    if (topK === 1) return results.flat();
    return typeof texts === "string" ? (results[0] ?? []) : results;
  };
  return callable(model, call);
}

async function tokenClassification(source: ModelSource, load: LoadOptions): Promise<TokenClassificationPipeline> {
  const model = await TokenClassification.load(source, load);
  const call = (
    texts: string | readonly string[],
    { ignore_labels: ignored = ["O"] }: { ignore_labels?: string[] } = {},
  ) =>
    forEach(texts, async (text) => {
      const { entities } = await model.label(text, { aggregation: "none" });
      // Position 0 of the sequence is [CLS].
      const all = entities.map(({ label, probability, text: word, start, end }, i) => {
        return { entity: label, score: probability, index: i + 1, word, start, end };
      });
      return all.filter(({ entity }) => !ignored.includes(entity));
    });
  return callable(model, call);
}

async function fillMask(source: ModelSource, load: LoadOptions): Promise<FillMaskPipeline> {
  const model = await FillMask.load(source, load);
  const call = (texts: string | readonly string[], { top_k: topK = 5 }: { top_k?: number } = {}) =>
    forEach(texts, async (text) => {
      const { masks } = await model.fill(text, { topK });
      return (masks[0] ?? []).map(({ token, probability, sequence }) => {
        return { score: probability, token_str: token, sequence };
      });
    });
  return callable(model, call);
}

async function featureExtraction(source: ModelSource, load: LoadOptions): Promise<FeatureExtractionPipeline> {
  const model = await Encoder.load(source, load);
  const call = async (
    texts: string | readonly string[],
    options: { pooling?: "mean" | "cls"; normalize?: boolean } = {},
  ) => {
    const vectors = await model.encode(texts, options);
    const width = vectors[0]?.length ?? 0;
    const data = new Float32Array(vectors.length * width);
    for (const [i, vector] of vectors.entries()) data.set(vector, i * width);
    const tolist = () => vectors.map((vector) => Array.from(vector));
    return { type: "float32" as const, dims: [vectors.length, width], data, tolist };
  };
  return callable(model, call);
}

function callable<F extends object>(model: Disposable, call: F): F & Disposable {
  return Object.assign(call, { dispose: () => model.dispose() });
}

async function forEach<T>(
  texts: string | readonly string[],
  work: (text: string) => Promise<T[]>,
): Promise<T[] | T[][]> {
  if (typeof texts === "string") return await work(texts);
  const results: T[][] = [];
  for (const text of texts) results.push(await work(text));
  return results;
}

const DTYPES: Record<string, Dtype> = { fp32: "f32", fp16: "f16", int8: "q8" };

function loadOptions(name: string, options: PipelineOptions): LoadOptions {
  const { device, dtype, progress_callback: report, ...rest } = options;
  const load: LoadOptions = rest;
  if (device) load.device = device === "cpu" ? "wasm" : device;
  if (dtype) load.dtype = DTYPES[dtype] ?? (dtype as Dtype);
  if (report) load.onProgress = translator(name, report);
  return load;
}

function translator(name: string, report: (event: PipelineProgress) => void) {
  const begun = new Set<string>();
  return ({ file, loaded, total }: Progress) => {
    if (file && !begun.has(file)) {
      begun.add(file);
      report({ status: "initiate", name, file });
    }
    const progress = total > 0 ? (100 * loaded) / total : 0;
    report({ status: "progress_total", name, file, progress, loaded, total });
  };
}
