import type { Tokens } from "../api/model.js";
import type { Aggregation } from "../api/token-classification.js";
import type { CallOptions, DeviceKind, Dtype, LoadOptions } from "../types.js";
import type { PipelineTensor } from "./tensor.js";

/** Progress events of a load, as in transformers.js. Bytes are only reported over all files. */
export type PipelineProgress =
  | { status: "initiate"; name: string; file: string }
  | {
      status: "progress_total";
      name: string;
      file: string;
      /** Percentage. */
      progress: number;
      /** Bytes read so far. */
      loaded: number;
      /** Total bytes. */
      total: number;
    }
  | { status: "ready"; task: string; model: string };

/** Options of {@link pipeline}, as in transformers.js, plus those of `load`. */
export interface PipelineOptions extends Omit<LoadOptions, "device" | "dtype" | "onProgress"> {
  /** The device; `"cpu"` means `"wasm"`. */
  device?: "auto" | DeviceKind | "cpu" | null | undefined;
  /** Data type of the weights; `fp32` means `f32`, `fp16` means `f16`, `int8` means `q8`. */
  dtype?: "fp32" | "fp16" | "int8" | Dtype | null | undefined;
  /** Called while the model loads. */
  progress_callback?: ((event: PipelineProgress) => void) | null | undefined;
}

/** An answer as in transformers.js, plus its offsets. */
export interface PipelineAnswer {
  /** `context.slice(start, end)`; empty if the context doesn't contain the answer. */
  answer: string;
  /** Probability among all spans of the context, 0 to 1. */
  score: number;
  /** Start offset in UTF-16 units. */
  start: number;
  /** End offset in UTF-16 units, exclusive. */
  end: number;
}

/** A label and its probability. */
export interface PipelineLabel {
  /** The label's name from `config.json`. */
  label: string;
  /** Probability, 0 to 1. */
  score: number;
}

/** A labeled token, plus its offsets. */
export interface PipelineEntity {
  /** The label's name from `config.json`. */
  entity: string;
  /** Probability, 0 to 1. */
  score: number;
  /** Position of the token in the sequence, where `[CLS]` is 0. */
  index: number;
  /** The token as spelled in the vocabulary. */
  word: string;
  /** Start offset in UTF-16 units. */
  start: number;
  /** End offset in UTF-16 units, exclusive. */
  end: number;
}

/** Adjacent tokens with the same label, merged. */
export interface PipelineEntityGroup {
  /** The label's name without `B-` or `I-`. */
  entity_group: string;
  /** Mean probability of the tokens, 0 to 1. */
  score: number;
  /** `text.slice(start, end)`. */
  word: string;
  /** Start offset in UTF-16 units. */
  start: number;
  /** End offset in UTF-16 units, exclusive. */
  end: number;
}

/** A candidate for a mask. */
export interface PipelineFilling {
  /** Probability, 0 to 1. */
  score: number;
  /** Token id. */
  token: number;
  /** The token. */
  token_str: string;
  /** The text with the mask replaced by the token. */
  sequence: string;
}

/** Members of every pipeline. */
export interface PipelineBase {
  /** The task. */
  readonly task: string;
  /** Returns the tokens of a text or a pair, as the model reads them. */
  tokenize(text: string | readonly [string, string], options?: CallOptions): Promise<Tokens>;
  /** Frees all memory. */
  dispose(): Promise<void>;
  /** Frees all memory at the end of a block with `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** One or several texts. */
export type Texts = string | readonly string[];
/** One result for one text, an array for an array. */
export type PerText<Q extends Texts, Result> = Q extends string ? Result : Result[];
/** True if the options ask for more than one result; `boolean` if their type doesn't say. */
export type ManyResults<O> = "top_k" extends keyof O ? IsMany<O["top_k"]> : false;
type IsMany<K> = K extends 1 | undefined ? false : 1 extends K ? boolean : true;
type OneOrMany<Many extends boolean, One, All> = Many extends true ? All : One;

/** Options of every call. */
export interface PipelineCallOptions extends CallOptions {
  /** Accepted and ignored: texts are truncated to the model's maximum length, except where they are read in windows. */
  truncation?: boolean | string | undefined;
  /** Accepted and ignored: results don't depend on padding. */
  padding?: boolean | string | undefined;
}

/** Options of a question, as in transformers.js and Python's `transformers`. */
export interface PipelineQuestionOptions extends PipelineCallOptions {
  /** Number of answers. With 1, the default, the result is the answer itself, otherwise an array. */
  top_k?: number | undefined;
  /** Include "no answer" as an empty answer. Default: false. */
  handle_impossible_answer?: boolean | undefined;
  /** True if answers are extended to whole words. Default: false, as in transformers.js; true in Python. */
  align_to_words?: boolean | undefined;
  /** Maximum length of an answer in tokens. Default: 30. */
  max_answer_len?: number | undefined;
  /** Maximum length of the question in tokens; a longer one is truncated. Default: 64. */
  max_question_len?: number | undefined;
  /** Length of a window in tokens, including the question. Default: 384. */
  max_seq_len?: number | undefined;
  /** Distance in tokens between the starts of two windows of a long context. Default: 128. */
  doc_stride?: number | undefined;
}
/** Options of a classification. */
export interface PipelineLabelOptions extends PipelineCallOptions {
  /** Number of labels; `null` for all. Default: 1. */
  top_k?: number | null | undefined;
}
/** Options of a token classification. */
export interface PipelineEntityOptions extends PipelineCallOptions {
  /** Labels to omit. Default: `["O"]`. */
  ignore_labels?: readonly string[] | undefined;
  /** The way tokens are merged, see {@link Aggregation}; transformers.js has `"none"` and `"simple"`. Default: `"none"`. */
  aggregation_strategy?: Aggregation | undefined;
}
/** Options of mask filling. */
export interface PipelineFillOptions extends PipelineCallOptions {
  /** Number of candidates. Default: 5. */
  top_k?: number | undefined;
  /** The only words or tokens that may fill the mask, as in Python's `transformers`. */
  targets?: string | readonly string[] | undefined;
}
/** Options of feature extraction. */
export interface PipelineFeatureOptions extends PipelineCallOptions {
  /**
   * The pooling of the tokens' vectors. Default: `"none"`, one vector per token; as in transformers.js, files of
   * sentence-transformers are ignored, which the class `Encoder` follows.
   */
  pooling?: "none" | "mean" | "cls" | "first_token" | "last_token" | "eos" | undefined;
  /** Scale vectors to unit length. Default: false. */
  normalize?: boolean | undefined;
}

/** The result of `pipeline("question-answering")`. */
export type QuestionAnsweringPipeline = PipelineBase &
  (<Q extends Texts, const O extends PipelineQuestionOptions = Record<never, never>>(
    question: Q,
    context: Q,
    options?: O,
  ) => Promise<PerText<Q, OneOrMany<ManyResults<O>, PipelineAnswer, PipelineAnswer[]>>>);
/** A pair of texts, as in Python's `transformers`. */
export interface PipelinePair {
  /** The first text. */
  text: string;
  /** The second text. */
  text_pair?: string | undefined;
}

/** One or several texts or pairs. */
export type TextsOrPairs = Texts | PipelinePair | readonly (string | PipelinePair)[];

/** The result of `pipeline("text-classification")`. */
export type TextClassificationPipeline = PipelineBase &
  (<Q extends TextsOrPairs, const O extends PipelineLabelOptions = Record<never, never>>(
    texts: Q,
    options?: O,
  ) => Promise<
    OneOrMany<ManyResults<O>, PipelineLabel[], Q extends readonly unknown[] ? PipelineLabel[][] : PipelineLabel[]>
  >);
/** The result of `pipeline("token-classification")`. */
export type TokenClassificationPipeline = PipelineBase &
  (<Q extends Texts, const O extends PipelineEntityOptions = Record<never, never>>(
    texts: Q,
    options?: O,
  ) => Promise<
    PerText<
      Q,
      O extends { aggregation_strategy: Exclude<Aggregation, "none"> } ? PipelineEntityGroup[] : PipelineEntity[]
    >
  >);
/** The result of `pipeline("fill-mask")`. */
export type FillMaskPipeline = PipelineBase &
  (<Q extends Texts>(texts: Q, options?: PipelineFillOptions) => Promise<PerText<Q, PipelineFilling[]>>);
/** The result of `pipeline("feature-extraction")`. */
export type FeatureExtractionPipeline = PipelineBase &
  ((texts: Texts, options?: PipelineFeatureOptions) => Promise<PipelineTensor>);
