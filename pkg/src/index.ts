/**
 * Runs MobileBERT and related models in the browser, on the GPU with WebGPU compute shaders or on the CPU with
 * WebAssembly. Importing this module has no side effects.
 *
 * @packageDocumentation
 */

export { type EncodeOptions, Encoder, type Pooling, type SearchOptions, type SearchResult } from "./api/encoder.js";
export type {
  ExplainedWord,
  ExplainOptions,
  Explanation,
  ExplanationWithAttention,
  Span,
} from "./api/explanation.js";
export { type Filled, type Filling, FillMask, type FillOptions, type ReplacedTarget } from "./api/fill-mask.js";
export { type LoadedModel, type Tokens, tokenize } from "./api/model.js";
export {
  type Answer,
  type AnswerVariant,
  type AskOptions,
  type AskResult,
  type PartialAnswers,
  QuestionAnswering,
} from "./api/question-answering.js";
export { type Redactable, type RedactOptions, redact } from "./api/redact.js";
export { type SearchHit, similarity, type Vectors } from "./api/similarity.js";
export {
  type Classification,
  type Contributions,
  type ContributionsOptions,
  type CountedTexts,
  type LabelScore,
  TextClassification,
  type TextOrPair,
  type WordContribution,
  type WrappedTexts,
} from "./api/text-classification.js";
export { type RankedDocument, type RankOptions, type RankResult, TextRanking } from "./api/text-ranking.js";
export {
  type Aggregation,
  type Entity,
  type Labeled,
  type LabelOptions,
  TokenClassification,
} from "./api/token-classification.js";
export {
  type ScoredLabel,
  ZeroShotClassification,
  type ZeroShotOptions,
  type ZeroShotResult,
} from "./api/zero-shot-classification.js";
export { type ErrorCode, type ErrorDetail, errorCodes, MobileBertError } from "./errors.js";
export { type CachedModel, cache } from "./files/cache.js";
export type { FeatureExtractionPipeline, PipelineFeatureOptions } from "./pipeline/feature-extraction.js";
export type { FillMaskPipeline, PipelineFilling, PipelineFillOptions } from "./pipeline/fill-mask.js";
export { type Pipelines, pipeline } from "./pipeline/pipeline.js";
export type {
  PipelineAnswer,
  PipelineQuestionOptions,
  QuestionAnsweringPipeline,
} from "./pipeline/question-answering.js";
export type { PipelineTensor, TensorSlice } from "./pipeline/tensor.js";
export type {
  PipelineLabel,
  PipelineLabelOptions,
  PipelinePair,
  TextClassificationPipeline,
  TextsOrPairs,
} from "./pipeline/text-classification.js";
export type {
  PipelineRankedDocument,
  PipelineRankOptions,
  TextRankingPipeline,
} from "./pipeline/text-ranking.js";
export type {
  PipelineEntity,
  PipelineEntityGroup,
  PipelineEntityOptions,
  TokenClassificationPipeline,
} from "./pipeline/token-classification.js";
export type {
  ManyResults,
  PerText,
  PipelineBase,
  PipelineCallOptions,
  PipelineOptions,
  PipelineProgress,
  Texts,
} from "./pipeline/types.js";
export type {
  PipelineZeroShotOptions,
  PipelineZeroShotResult,
  ZeroShotClassificationPipeline,
} from "./pipeline/zero-shot-classification.js";
export type {
  CallOptions,
  Candidate,
  Device,
  DeviceChoice,
  DeviceKind,
  Dtype,
  LengthChoice,
  LoadOptions,
  LoadTimes,
  Memory,
  ModelFiles,
  ModelSource,
  PickedFile,
  Progress,
  RuledOut,
  SimdChoice,
  SimdSet,
  Timing,
} from "./types.js";
