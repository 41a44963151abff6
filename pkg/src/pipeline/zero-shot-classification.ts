import { ZeroShotClassification } from "../api/zero-shot-classification.js";
import { type Checks, checkOptions, isBoolean, isText } from "../options.js";
import type { LoadOptions, ModelSource } from "../types.js";
import { callable, forEach } from "./calls.js";
import { checkTexts, TEXT_CALL } from "./options.js";
import type { PerText, PipelineBase, PipelineCallOptions, Texts } from "./types.js";

/** Options of a zero-shot classification. */
export interface PipelineZeroShotOptions extends PipelineCallOptions {
  /** The hypothesis, with one `{}` where the label belongs. Default: `"This example is {}."`. */
  hypothesis_template?: string | undefined;
  /** True if several labels can apply; otherwise their scores add up to 1. Default: false. */
  multi_label?: boolean | undefined;
}

/** The labels of a text. */
export interface PipelineZeroShotResult {
  /** The text. */
  sequence: string;
  /** The labels, best first. */
  labels: string[];
  /** The scores of the labels, in the same order. */
  scores: number[];
}

/** The result of `pipeline("zero-shot-classification")`. */
export type ZeroShotClassificationPipeline = PipelineBase &
  (<Q extends Texts>(
    texts: Q,
    candidateLabels: Texts,
    options?: PipelineZeroShotOptions,
  ) => Promise<PerText<Q, PipelineZeroShotResult>>);

const ZERO_SHOT: Checks<PipelineZeroShotOptions> = {
  hypothesis_template: isText,
  multi_label: isBoolean,
  ...TEXT_CALL,
};

/** Makes `pipeline("zero-shot-classification")`. */
export async function zeroShotClassification(
  source: ModelSource,
  load: LoadOptions,
): Promise<ZeroShotClassificationPipeline> {
  const model = await ZeroShotClassification.load(source, load);
  const call = async (texts: Texts, candidateLabels: Texts, options: PipelineZeroShotOptions = {}) => {
    checkTexts("texts", texts);
    checkTexts("candidate_labels", candidateLabels);
    checkOptions(options, ZERO_SHOT);
    // As in transformers.js, a string is one label, even if it contains commas.
    const list = typeof candidateLabels === "string" ? [candidateLabels] : candidateLabels;
    const { hypothesis_template: hypothesisTemplate, multi_label: multiLabel, signal } = options;
    return forEach(texts, async (sequence): Promise<PipelineZeroShotResult> => {
      const { labels } = await model.classify(sequence, list, { hypothesisTemplate, multiLabel, signal });
      return { sequence, labels: labels.map(({ label }) => label), scores: labels.map(({ score }) => score) };
    });
  };
  return callable("zero-shot-classification", model, call) as ZeroShotClassificationPipeline;
}
