import { isA, notOneOf } from "../options.js";
import type { LoadOptions, ModelSource } from "../types.js";
import { type FeatureExtractionPipeline, featureExtraction } from "./feature-extraction.js";
import { type FillMaskPipeline, fillMask } from "./fill-mask.js";
import { checkModel, loadOptions } from "./options.js";
import { type QuestionAnsweringPipeline, questionAnswering } from "./question-answering.js";
import { type TextClassificationPipeline, textClassification } from "./text-classification.js";
import { type TextRankingPipeline, textRanking } from "./text-ranking.js";
import { type TokenClassificationPipeline, tokenClassification } from "./token-classification.js";
import type { PipelineOptions } from "./types.js";
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
  const name = typeof model === "string" || isA(model, "URL") ? String(model) : "files";
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
