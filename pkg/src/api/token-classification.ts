import { invalidInput } from "../errors.js";
import { areStrings, CALL, type Checks, checkOptions, oneOf } from "../options.js";
import type { CallOptions, LoadOptions, ModelSource, Timing } from "../types.js";
import { LoadedModel } from "./model.js";
import { open } from "./open.js";

/** A labeled span of the text: `text.slice(start, end) === entity.text`. */
export interface Entity {
  /** The label; of merged tokens, without its prefix (`B-`, `I-`, …). */
  label: string;
  /** `text.slice(start, end)`. */
  text: string;
  /** Start offset in UTF-16 units. */
  start: number;
  /** End offset in UTF-16 units, exclusive. */
  end: number;
  /** Probability of the label, 0 to 1; the mean over merged tokens or words. */
  probability: number;
  /** With `aggregation: "none"`: the token as spelled in the vocabulary. */
  piece?: string;
  /** With `aggregation: "none"`: the token's position in the text, from 1, as `[CLS]` is 0. */
  index?: number;
}

/** The way tokens become spans, as `aggregation_strategy` in Python's `transformers`. */
export type Aggregation = "none" | "simple" | "first" | "average" | "max";

/** Options of {@link TokenClassification.label}. */
export interface LabelOptions extends CallOptions {
  /**
   * `"simple"` merges adjacent tokens with the same label; `"none"` returns every token. The others keep words whole: the
   * label of a word is that of its first token (`"first"`), of its most certain one (`"max"`), or the one with the highest
   * mean probability over its tokens (`"average"`). Default: `"simple"`.
   */
  aggregation?: Aggregation | undefined;
  /** Labels to omit. Default: `["O"]`, except for `aggregation: "none"`, which by default returns all tokens. */
  ignoreLabels?: readonly string[] | undefined;
}

/** The labeled spans of a text. */
export interface Labeled {
  /** Spans in text order. */
  entities: Entity[];
  /** Number of windows that the text was read in. */
  windows: number;
  /** Always false: texts have any length. */
  truncated: boolean;
  /** Timing in milliseconds. */
  timing: Timing;
}

const LABEL: Checks<LabelOptions> = {
  ...CALL,
  aggregation: oneOf("none", "simple", "first", "average", "max"),
  ignoreLabels: areStrings,
};

/** Labels the words of a text, for example as names or parts of speech. */
export class TokenClassification extends LoadedModel {
  /** Loads a model with a token-classification head. */
  static load(model: ModelSource, options: LoadOptions = {}): Promise<TokenClassification> {
    return open(TokenClassification, "token-classification", model, options);
  }

  /**
   * Labels the words of a text of any length. A long text is read in windows that overlap, and every token gets its label
   * where it has the most context, so no span is cut where windows meet.
   */
  async label(text: string, options: LabelOptions = {}): Promise<Labeled> {
    if (typeof text !== "string") throw invalidInput("text", "not a string");
    checkOptions(options, LABEL);
    const { signal, ...rest } = options;
    const result = (await this.call("labelTokens", [text, rest], options)) as Labeled;
    // Unpaired surrogates get lost on their way into the module.
    for (const entity of result.entities) entity.text = text.slice(entity.start, entity.end);
    return result;
  }
}
