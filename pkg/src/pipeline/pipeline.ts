import { Encoder } from "../api/encoder.js";
import { FillMask } from "../api/fill-mask.js";
import { QuestionAnswering } from "../api/question-answering.js";
import { TextClassification } from "../api/text-classification.js";
import { TokenClassification } from "../api/token-classification.js";
import { invalidInput } from "../errors.js";
import {
  areStrings,
  type Checks,
  checkOptions,
  isBoolean,
  isCount,
  isStringOrStrings,
  MAX_INTEGER,
  notOneOf,
  oneOf,
  orNull,
} from "../options.js";
import type { LoadOptions, ModelSource } from "../types.js";
import { callable, forEach } from "./calls.js";
import { checkModel, checkTexts, loadOptions, TEXT_CALL, textsOrPairs } from "./options.js";
import { tensor } from "./tensor.js";
import { type TextRankingPipeline, textRanking } from "./text-ranking.js";
import type {
  FeatureExtractionPipeline,
  FillMaskPipeline,
  PipelineAnswer,
  PipelineEntityOptions,
  PipelineFeatureOptions,
  PipelineFillOptions,
  PipelineLabel,
  PipelineLabelOptions,
  PipelineOptions,
  PipelineQuestionOptions,
  QuestionAnsweringPipeline,
  TextClassificationPipeline,
  Texts,
  TextsOrPairs,
  TokenClassificationPipeline,
} from "./types.js";
import { type ZeroShotClassificationPipeline, zeroShotClassification } from "./zero-shot-classification.js";

/** The pipeline type of each task. */
export interface Pipelines {
  /** Answers questions with spans of a context. */
  "question-answering": QuestionAnsweringPipeline;
  /** Classifies texts. */
  "text-classification": TextClassificationPipeline;
  /** Alias of `text-classification`. */
  "sentiment-analysis": TextClassificationPipeline;
  /** Scores labels of your own for texts. */
  "zero-shot-classification": ZeroShotClassificationPipeline;
  /** Orders documents by their relevance for a query. */
  "text-ranking": TextRankingPipeline;
  /** Labels the words of a text. */
  "token-classification": TokenClassificationPipeline;
  /** Alias of `token-classification`. */
  ner: TokenClassificationPipeline;
  /** Predicts the words behind `[MASK]`. */
  "fill-mask": FillMaskPipeline;
  /** Computes vectors of texts or of their tokens. */
  "feature-extraction": FeatureExtractionPipeline;
  /** Alias of `feature-extraction`. */
  embeddings: FeatureExtractionPipeline;
}

/**
 * Loads a model and returns a function with the arguments and results of transformers.js. Differences: offsets (`start`,
 * `end`) are always included, answers and aggregated words are slices of the original text, contexts can have any
 * length, and scores of answers are probabilities among all spans.
 */
export async function pipeline<Name extends keyof Pipelines>(
  task: Name,
  model: ModelSource,
  options: PipelineOptions = {},
): Promise<Pipelines[Name]> {
  if (!Object.hasOwn(makers, task)) throw notOneOf("task", task, Object.keys(makers));
  checkModel(model);
  const name = typeof model === "string" || model instanceof URL ? String(model) : "files";
  const made = await makers[task](model, loadOptions(name, options));
  try {
    options.progress_callback?.({ status: "ready", task: made.task, model: name });
  } catch (error) {
    await made.dispose();
    throw error;
  }
  return made;
}

const makers: { [Name in keyof Pipelines]: (model: ModelSource, options: LoadOptions) => Promise<Pipelines[Name]> } = {
  "question-answering": questionAnswering,
  "text-classification": textClassification,
  "sentiment-analysis": textClassification,
  "zero-shot-classification": zeroShotClassification,
  "text-ranking": textRanking,
  "token-classification": tokenClassification,
  ner: tokenClassification,
  "fill-mask": fillMask,
  "feature-extraction": featureExtraction,
  embeddings: featureExtraction,
};

const QUESTION: Checks<PipelineQuestionOptions> = {
  top_k: isCount,
  handle_impossible_answer: isBoolean,
  align_to_words: isBoolean,
  max_answer_len: isCount,
  max_question_len: isCount,
  max_seq_len: isCount,
  doc_stride: isCount,
  ...TEXT_CALL,
};
const LABEL: Checks<PipelineLabelOptions> = { top_k: orNull(isCount), ...TEXT_CALL };
const ENTITY: Checks<PipelineEntityOptions> = {
  ignore_labels: areStrings,
  aggregation_strategy: oneOf("none", "simple", "first", "average", "max"),
  ...TEXT_CALL,
};
const FILL: Checks<PipelineFillOptions> = { top_k: isCount, targets: isStringOrStrings, ...TEXT_CALL };
/** The names of transformers.js. */
const POOLINGS = { mean: "mean", cls: "cls", first_token: "cls", last_token: "lasttoken", eos: "lasttoken" } as const;

const FEATURE: Checks<PipelineFeatureOptions> = {
  pooling: oneOf("none", ...Object.keys(POOLINGS)),
  normalize: isBoolean,
  ...TEXT_CALL,
};

async function questionAnswering(source: ModelSource, load: LoadOptions): Promise<QuestionAnsweringPipeline> {
  const model = await QuestionAnswering.load(source, load);
  const one = async (question: string, context: string, options: PipelineQuestionOptions) => {
    const { top_k: topK = 1, handle_impossible_answer: maybeNone = false, signal } = options;
    const { answers, noAnswer } = await model.ask(question, context, {
      topK,
      distinct: false,
      alignToWords: options.align_to_words ?? false,
      maxAnswerTokens: options.max_answer_len,
      maxQuestionTokens: options.max_question_len,
      maxLength: options.max_seq_len,
      docStride: options.doc_stride,
      signal,
    });
    const found: PipelineAnswer[] = answers.map(({ text, probability, start, end }) => {
      return { answer: text, score: probability, start, end };
    });
    if (maybeNone || found.length === 0) found.push({ answer: "", score: noAnswer.probability, start: 0, end: 0 });
    found.sort((a, b) => b.score - a.score);
    return topK === 1 ? (found[0] as PipelineAnswer) : found.slice(0, topK);
  };
  const call = async (question: Texts, context: Texts, options: PipelineQuestionOptions = {}) => {
    checkTexts("question", question);
    checkTexts("context", context);
    checkOptions(options, QUESTION);
    if (typeof question === "string" && typeof context === "string") return await one(question, context, options);
    if (typeof question === "string" || typeof context === "string" || question.length !== context.length) {
      throw invalidInput("context", "pass one context per question");
    }
    return await Promise.all(question.map((text, i) => one(text, context[i] as string, options)));
  };
  return callable("question-answering", model, call) as QuestionAnsweringPipeline;
}

async function textClassification(source: ModelSource, load: LoadOptions): Promise<TextClassificationPipeline> {
  const model = await TextClassification.load(source, load);
  const call = async (texts: TextsOrPairs, options: PipelineLabelOptions = {}) => {
    const list = textsOrPairs(texts);
    checkOptions(options, LABEL);
    const { top_k: topK = 1, signal } = options;
    // One call for all, so that the model can batch them and share them among workers.
    const results = (await model.classify(list, { signal })).map(({ labels }): PipelineLabel[] =>
      labels.slice(0, topK ?? labels.length).map(({ label, probability }) => ({ label, score: probability })),
    );
    if (!Array.isArray(texts)) return results[0] as PipelineLabel[];
    return topK === 1 ? results.flat() : results;
  };
  return callable("text-classification", model, call) as TextClassificationPipeline;
}

async function tokenClassification(source: ModelSource, load: LoadOptions): Promise<TokenClassificationPipeline> {
  const model = await TokenClassification.load(source, load);
  const call = async (texts: Texts, options: PipelineEntityOptions = {}) => {
    checkTexts("texts", texts);
    checkOptions(options, ENTITY);
    const { ignore_labels: ignored = ["O"], aggregation_strategy: aggregation = "none", signal } = options;
    return forEach(texts, async (text) => {
      const { entities } = await model.label(text, { aggregation, ignoreLabels: ignored, signal });
      return entities.map(({ label, probability: score, text: word, start, end, piece = word, index = 0 }) =>
        aggregation === "none"
          ? { entity: label, score, index, word: piece, start, end }
          : { entity_group: label, score, word, start, end },
      );
    });
  };
  return callable("token-classification", model, call) as TokenClassificationPipeline;
}

async function fillMask(source: ModelSource, load: LoadOptions): Promise<FillMaskPipeline> {
  const model = await FillMask.load(source, load);
  const call = async (texts: Texts, options: PipelineFillOptions = {}) => {
    checkTexts("texts", texts);
    checkOptions(options, FILL);
    const targets = typeof options.targets === "string" ? [options.targets] : options.targets;
    return forEach(texts, async (text) => {
      const { masks, replaced } = await model.fill(text, { topK: options.top_k, targets, signal: options.signal });
      for (const { target, token } of replaced) {
        console.warn(`fill-mask: the vocabulary has no token "${target}"; its first token "${token}" is used`);
      }
      return (masks[0] ?? []).map(({ id, token, probability, sequence }) => {
        return { score: probability, token: id, token_str: token, sequence };
      });
    });
  };
  return callable("fill-mask", model, call) as FillMaskPipeline;
}

async function featureExtraction(source: ModelSource, load: LoadOptions): Promise<FeatureExtractionPipeline> {
  const model = await Encoder.load(source, load);
  const call = async (texts: Texts, options: PipelineFeatureOptions = {}) => {
    checkTexts("texts", texts);
    checkOptions(options, FEATURE);
    const { pooling = "none", normalize = false, signal } = options;
    const list = typeof texts === "string" ? [texts] : texts;
    // Only `Encoder` follows the directory's settings.
    const settings = { normalize, maxLength: MAX_INTEGER, signal };
    if (pooling !== "none") {
      const rows = await model.encode(list, { ...settings, pooling: POOLINGS[pooling] });
      return tensor(concatenated(rows, rows.length), [rows.length, rows[0]?.length ?? 0]);
    }
    const found = await model.encode(list, { ...settings, pooling: "none" });
    const longest = Math.max(0, ...found.map((rows) => rows.length));
    const padded = found.map((rows) => concatenated(rows, longest));
    return tensor(concatenated(padded, padded.length), [found.length, longest, found[0]?.[0]?.length ?? 0]);
  };
  return callable("feature-extraction", model, call);
}

/** Concatenates rows, padded with rows of zeros up to `count`. */
function concatenated(rows: readonly Float32Array[], count: number): Float32Array {
  const width = rows[0]?.length ?? 0;
  const data = new Float32Array(count * width);
  for (const [i, row] of rows.entries()) data.set(row, i * width);
  return data;
}
