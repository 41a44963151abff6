import { TextClassification, type WrappedTexts } from "../api/text-classification.js";
import { invalidInput } from "../errors.js";
import { type Checks, checkOptions, isCount, orNull, shown } from "../options.js";
import type { LoadOptions, ModelSource } from "../types.js";
import { callable } from "./calls.js";
import { TEXT_CALL } from "./options.js";
import type { ManyResults, OneOrMany, PipelineBase, PipelineCallOptions, Texts } from "./types.js";

/** A pair of texts, as in Python's `transformers`. */
export interface PipelinePair {
  /** The first text. */
  text: string;
  /** The second text. */
  text_pair?: string | undefined;
}

/** One or several texts or pairs. */
export type TextsOrPairs = Texts | PipelinePair | readonly (string | PipelinePair)[];

/** Options of a classification. */
export interface PipelineLabelOptions extends PipelineCallOptions {
  /** Number of labels; `null` for all. Default: 1. */
  top_k?: number | null | undefined;
}

/** A label and its probability. */
export interface PipelineLabel {
  /** The label's name from `config.json`. */
  label: string;
  /** Probability, 0 to 1. */
  score: number;
}

/** The result of `pipeline("text-classification")`. */
export type TextClassificationPipeline = PipelineBase &
  (<Q extends TextsOrPairs, const O extends PipelineLabelOptions = Record<never, never>>(
    texts: Q,
    options?: O,
  ) => Promise<
    OneOrMany<ManyResults<O>, PipelineLabel[], Q extends readonly unknown[] ? PipelineLabel[][] : PipelineLabel[]>
  >);

const LABEL: Checks<PipelineLabelOptions> = { top_k: orNull(isCount), ...TEXT_CALL };

/** Makes `pipeline("text-classification")`. */
export async function textClassification(source: ModelSource, load: LoadOptions): Promise<TextClassificationPipeline> {
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

/** Converts texts and pairs to a list for `TextClassification.classify`. */
function textsOrPairs(texts: unknown): WrappedTexts {
  return Array.from(Array.isArray(texts) ? texts : [texts], (one) => {
    if (typeof one === "string") return [one];
    const { text, text_pair: pair } = Object(one) as Partial<PipelinePair>;
    if (typeof text === "string" && pair === undefined) return [text];
    if (typeof text === "string" && typeof pair === "string") return [text, pair];
    const hint = "pass a string, `{ text, text_pair }`, or an array of them";
    throw invalidInput("texts", `${shown(one)} is not a text or a pair; ${hint}`);
  });
}
