import type { DeviceKind, Dtype, LoadOptions } from "./types.js";

/** Events of a load, in the words of transformers.js; of bytes there is the total of all files alone. */
export type PipelineProgress =
  | { status: "initiate"; name: string; file: string }
  | {
      status: "progress_total";
      name: string;
      file: string;
      /** Per cent. */
      progress: number;
      /** Bytes. */
      loaded: number;
      /** Bytes. */
      total: number;
    }
  | { status: "ready"; task: string; model: string };

/** Options of {@link pipeline}, in the words of transformers.js; those of `load` are taken, too. */
export interface PipelineOptions extends Omit<LoadOptions, "device" | "dtype" | "onProgress"> {
  /** Where to compute; `"cpu"` is `"wasm"`. */
  device?: "auto" | DeviceKind | "cpu" | null;
  /** How weights are kept; `fp32` is `f32`, `fp16` is `f16`, `int8` is `q8`. */
  dtype?: "fp32" | "fp16" | "int8" | Dtype | null;
  /** Called while the model loads. */
  progress_callback?: ((event: PipelineProgress) => void) | null;
}

/** An answer as transformers.js gives it, with its place added. */
export interface PipelineAnswer {
  /** `context.slice(start, end)`; empty where the text does not hold the answer. */
  answer: string;
  /** Probability among all spans of the context, 0 to 1. */
  score: number;
  /** First UTF-16 unit. */
  start: number;
  /** One past the last UTF-16 unit. */
  end: number;
}

/** A label with its probability. */
export interface PipelineLabel {
  /** The label as `config.json` names it. */
  label: string;
  /** Probability, 0 to 1. */
  score: number;
}

/** A labelled word piece, with its place added. */
export interface PipelineEntity {
  /** The label as `config.json` names it. */
  entity: string;
  /** Probability, 0 to 1. */
  score: number;
  /** Place in the sequence of word pieces, where `[CLS]` is 0. */
  index: number;
  /** The piece as the vocabulary spells it. */
  word: string;
  /** First UTF-16 unit. */
  start: number;
  /** One past the last UTF-16 unit. */
  end: number;
}

/** Neighbouring pieces of one label, joined. */
export interface PipelineEntityGroup {
  /** The label without `B-` or `I-`. */
  entity_group: string;
  /** Mean probability of the pieces, 0 to 1. */
  score: number;
  /** `text.slice(start, end)`. */
  word: string;
  /** First UTF-16 unit. */
  start: number;
  /** One past the last UTF-16 unit. */
  end: number;
}

/** A word for a mask. */
export interface PipelineFilling {
  /** Probability, 0 to 1. */
  score: number;
  /** The piece's number in the vocabulary. */
  token: number;
  /** The piece. */
  token_str: string;
  /** The whole text with the piece in the mask's place. */
  sequence: string;
}

/** Numbers in rows, as the `Tensor` of transformers.js has them. */
export interface PipelineTensor {
  /** Always 32-bit floats. */
  type: "float32";
  /** `[texts, width]`, or `[texts, word pieces, width]` without pooling. */
  dims: number[];
  /** All numbers, row by row. */
  data: Float32Array;
  /** How many numbers. */
  size: number;
  /** The same as arrays of arrays, nested as `dims` says. */
  tolist(): unknown[];
}

/** What every pipeline can do besides being called. */
export interface PipelineBase {
  /** What it does. */
  readonly task: string;
  /** Frees all memory. */
  dispose(): Promise<void>;
}

/** One or several texts. */
export type Texts = string | readonly string[];
/** One result for one text, a list for a list. */
export type PerText<Q extends Texts, Result> = Q extends string ? Result : Result[];
/** Whether the options ask for another number of results than one; `boolean` where their type leaves it open. */
export type ManyResults<O> = "top_k" extends keyof O ? IsMany<O["top_k"]> : false;
type IsMany<K> = K extends 1 | undefined ? false : 1 extends K ? boolean : true;
type OneOrMany<Many extends boolean, One, All> = Many extends true ? All : One;

/** Options of a question, in the words of transformers.js and of Python's `transformers`. */
export interface PipelineQuestionOptions {
  /** How many answers; with 1, the default, the answer itself is given, else a list. */
  top_k?: number;
  /** Whether "the text does not hold it" may be the answer, an empty one. Default false. */
  handle_impossible_answer?: boolean;
}
/** Options of a classification. */
export interface PipelineLabelOptions {
  /** How many labels; `null` for all. Default 1. */
  top_k?: number | null;
}
/** Options of a token classification. */
export interface PipelineEntityOptions {
  /** Labels to leave out. Default `["O"]`. */
  ignore_labels?: readonly string[];
  /** Whether pieces of one label are joined. Default `"none"`. */
  aggregation_strategy?: "none" | "simple";
}
/** Options of a masked text. */
export interface PipelineFillOptions {
  /** How many pieces. Default 5. */
  top_k?: number;
}
/** Options of an encoding. */
export interface PipelineFeatureOptions {
  /** How the pieces' vectors become one. Default `"none"`: they stay apart. */
  pooling?: "none" | "mean" | "cls" | "first_token";
  /** Whether vectors are scaled to length one. Default false. */
  normalize?: boolean;
}

/** Calls of `pipeline("question-answering")`. */
export type QuestionAnsweringPipeline = PipelineBase &
  (<Q extends Texts, const O extends PipelineQuestionOptions = Record<never, never>>(
    question: Q,
    context: Q,
    options?: O,
  ) => Promise<PerText<Q, OneOrMany<ManyResults<O>, PipelineAnswer, PipelineAnswer[]>>>);
/** Calls of `pipeline("text-classification")`. */
export type TextClassificationPipeline = PipelineBase &
  (<Q extends Texts, const O extends PipelineLabelOptions = Record<never, never>>(
    texts: Q,
    options?: O,
  ) => Promise<OneOrMany<ManyResults<O>, PipelineLabel[], PerText<Q, PipelineLabel[]>>>);
/** Calls of `pipeline("token-classification")`. */
export type TokenClassificationPipeline = PipelineBase &
  (<Q extends Texts, const O extends PipelineEntityOptions = Record<never, never>>(
    texts: Q,
    options?: O,
  ) => Promise<PerText<Q, O extends { aggregation_strategy: "simple" } ? PipelineEntityGroup[] : PipelineEntity[]>>);
/** Calls of `pipeline("fill-mask")`. */
export type FillMaskPipeline = PipelineBase &
  (<Q extends Texts>(texts: Q, options?: PipelineFillOptions) => Promise<PerText<Q, PipelineFilling[]>>);
/** Calls of `pipeline("feature-extraction")`. */
export type FeatureExtractionPipeline = PipelineBase &
  ((texts: Texts, options?: PipelineFeatureOptions) => Promise<PipelineTensor>);

/** What each task's pipeline is. */
export interface Pipelines {
  /** Spans of a context that answer a question. */
  "question-answering": QuestionAnsweringPipeline;
  /** Labels of a text. */
  "text-classification": TextClassificationPipeline;
  /** Another name of `text-classification`. */
  "sentiment-analysis": TextClassificationPipeline;
  /** Labels of the words of a text. */
  "token-classification": TokenClassificationPipeline;
  /** Another name of `token-classification`. */
  ner: TokenClassificationPipeline;
  /** Words in place of `[MASK]`. */
  "fill-mask": FillMaskPipeline;
  /** Vectors of texts or of their word pieces. */
  "feature-extraction": FeatureExtractionPipeline;
  /** Another name of `feature-extraction`. */
  embeddings: FeatureExtractionPipeline;
}
