import { invalidInput } from "../errors.js";
import { CALL, type Checks, checkOptions, oneOf } from "../options.js";
import type { CallOptions, LoadOptions, ModelSource, Timing } from "../types.js";
import { LoadedModel, open } from "./model.js";

/** A labeled span of the text: `text.slice(start, end) === entity.text`. */
export interface Entity {
  /** The label; without `B-` or `I-` for merged tokens. */
  label: string;
  /** `text.slice(start, end)`. */
  text: string;
  /** Start offset in UTF-16 units. */
  start: number;
  /** End offset in UTF-16 units, exclusive. */
  end: number;
  /** Probability of the label, 0 to 1; the mean for merged tokens. */
  probability: number;
  /** With `aggregation: "none"`: the token as spelled in the vocabulary. */
  piece?: string;
  /** With `aggregation: "none"`: the token's position in the sequence, where `[CLS]` is 0. */
  index?: number;
}

/** Options of {@link TokenClassification.label}. */
export interface LabelOptions extends CallOptions {
  /** `"simple"` merges adjacent tokens with the same label; `"none"` returns every token. Default: `"simple"`. */
  aggregation?: "none" | "simple" | undefined;
}

/** The labeled spans of a text. */
export interface Labelled {
  /** Spans in text order. */
  entities: Entity[];
  /** Whether the text was truncated to the model's maximum length. */
  truncated: boolean;
  /** Timing in milliseconds. */
  timing: Timing;
}

const LABEL: Checks<LabelOptions> = { ...CALL, aggregation: oneOf("none", "simple") };

/** Labels the words of a text, for example as names or parts of speech. */
export class TokenClassification extends LoadedModel {
  /** Loads a model with a token-classification head. */
  static load(model: ModelSource, options: LoadOptions = {}): Promise<TokenClassification> {
    return open(TokenClassification, "token-classification", model, options);
  }

  /** Labels the words of a text. */
  async label(text: string, options: LabelOptions = {}): Promise<Labelled> {
    if (typeof text !== "string") throw invalidInput("text", "not a string");
    checkOptions(options, LABEL);
    const { signal, ...rest } = options;
    return (await this.call("labelTokens", [text, rest], signal ? { signal } : {})) as Labelled;
  }
}
