import { invalidInput } from "../errors.js";
import { areStrings, CALL, type Checks, checkOptions, isBoolean, isText, wellFormed } from "../options.js";
import type { CallOptions, LoadOptions, ModelSource, Timing } from "../types.js";
import { LoadedModel } from "./model.js";
import { open } from "./open.js";
import { TextClassification } from "./text-classification.js";

/** Options of {@link ZeroShotClassification.classify}. */
export interface ZeroShotOptions extends CallOptions {
  /** The hypothesis, with one `{}` where the label belongs. Default: `"This example is {}."`. */
  hypothesisTemplate?: string | undefined;
  /** True if several labels can apply; otherwise their scores add up to 1. Default: false. */
  multiLabel?: boolean | undefined;
}

/** One of the caller's labels and its score. */
export interface ScoredLabel {
  /** The label. */
  label: string;
  /** Probability, 0 to 1. */
  score: number;
}

/** The scores of a text's labels. */
export interface ZeroShotResult {
  /** All labels, best first. */
  labels: ScoredLabel[];
  /** True if the text was truncated to the model's maximum length. */
  truncated: boolean;
  /** Timing in milliseconds. */
  timing: Timing;
}

const ZERO_SHOT: Checks<ZeroShotOptions> = { ...CALL, hypothesisTemplate: isText, multiLabel: isBoolean };

/** Scores labels of your own for a text, with a model for natural-language inference. */
export class ZeroShotClassification extends LoadedModel {
  /** Loads a model with a sequence-classification head that has an entailment label. */
  static load(model: ModelSource, options: LoadOptions = {}): Promise<ZeroShotClassification> {
    return open(ZeroShotClassification, "zero-shot-classification", model, options);
  }

  /**
   * Uses a classifier that is loaded already, if its `labels` include one for entailment. Both are one model: they take
   * turns, and disposing of one disposes of the other.
   */
  static from(model: TextClassification): ZeroShotClassification {
    if (!(model instanceof TextClassification)) throw invalidInput("model", "not a loaded TextClassification");
    return new ZeroShotClassification(model.running);
  }

  /**
   * Scores every label for a text. Each label takes one run of the model; the call can be aborted between them, and any
   * number of labels is possible.
   */
  async classify(text: string, labels: readonly string[], options: ZeroShotOptions = {}): Promise<ZeroShotResult> {
    if (typeof text !== "string") throw invalidInput("text", "not a string");
    const problem = areStrings(labels);
    if (problem) throw invalidInput("labels", problem);
    checkOptions(options, ZERO_SHOT);
    const { signal, ...rest } = options;
    const args = [wellFormed(text), labels.map(wellFormed), rest];
    return (await this.call("zeroShot", args, options)) as ZeroShotResult;
  }
}
