/**
 * MobileBERT and its relatives in the browser: WebGPU compute shaders, or WebAssembly on the CPU. Nothing happens
 * when this module is imported.
 *
 * @packageDocumentation
 */
export { type CachedModel, cache } from "./cache.js";
export { type EncodeOptions, Encoder } from "./encoder.js";
export { type ErrorCode, type ErrorDetail, errorCodes, MobileBertError } from "./errors.js";
export { type Filled, type Filling, FillMask, type FillOptions } from "./fill-mask.js";
export type { LoadedModel } from "./model.js";
export { pipeline } from "./pipeline.js";
export type {
  FeatureExtractionPipeline,
  FillMaskPipeline,
  ManyResults,
  PerText,
  PipelineAnswer,
  PipelineBase,
  PipelineEntity,
  PipelineEntityGroup,
  PipelineEntityOptions,
  PipelineFeatureOptions,
  PipelineFilling,
  PipelineFillOptions,
  PipelineLabel,
  PipelineLabelOptions,
  PipelineOptions,
  PipelineProgress,
  PipelineQuestionOptions,
  Pipelines,
  PipelineTensor,
  QuestionAnsweringPipeline,
  TextClassificationPipeline,
  Texts,
  TokenClassificationPipeline,
} from "./pipeline-types.js";
export {
  type Answer,
  type AskOptions,
  type AskResult,
  type PartialAnswers,
  QuestionAnswering,
} from "./question-answering.js";
export {
  type Classification,
  type CountedTexts,
  type LabelScore,
  TextClassification,
  type TextOrPair,
  type WrappedTexts,
} from "./text-classification.js";
export { type Entity, type Labelled, type LabelOptions, TokenClassification } from "./token-classification.js";
export type {
  CallOptions,
  Device,
  DeviceKind,
  Dtype,
  LoadOptions,
  Memory,
  ModelFiles,
  ModelSource,
  PickedFile,
  Progress,
  Timing,
} from "./types.js";
