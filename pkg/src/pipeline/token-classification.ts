import { type Aggregation, TokenClassification } from "../api/token-classification.js";
import { areStrings, type Checks, checkOptions, oneOf } from "../options.js";
import type { LoadOptions, ModelSource } from "../types.js";
import { callable, forEach } from "./calls.js";
import { checkTexts, TEXT_CALL } from "./options.js";
import type { PerText, PipelineBase, PipelineCallOptions, Texts } from "./types.js";

/** Options of a token classification. */
export interface PipelineEntityOptions extends PipelineCallOptions {
  /** Labels to omit. Default: `["O"]`. */
  ignore_labels?: readonly string[] | undefined;
  /** The way tokens are merged, see {@link Aggregation}; transformers.js has `"none"` and `"simple"`. Default: `"none"`. */
  aggregation_strategy?: Aggregation | undefined;
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

const ENTITY: Checks<PipelineEntityOptions> = {
  ignore_labels: areStrings,
  aggregation_strategy: oneOf("none", "simple", "first", "average", "max"),
  ...TEXT_CALL,
};

/** Makes `pipeline("token-classification")`. */
export async function tokenClassification(
  source: ModelSource,
  load: LoadOptions,
): Promise<TokenClassificationPipeline> {
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
