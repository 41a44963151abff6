import { type Checks, checkOptions, oneOf } from "./check.js";
import { invalidInput } from "./errors.js";
import { LoadedModel, open } from "./model.js";
import { CALL } from "./options.js";
import type { CallOptions, LoadOptions, ModelSource, Timing } from "./types.js";

/** A word or group of words with its label: `text.slice(start, end) === entity.text`. */
export interface Entity {
  /** Without `B-` or `I-` where pieces are joined. */
  label: string;
  /** `text.slice(start, end)` of the text that was labelled. */
  text: string;
  /** First UTF-16 unit. */
  start: number;
  /** One past the last UTF-16 unit. */
  end: number;
  /** Of the label, 0 to 1; the mean where pieces are joined. */
  probability: number;
  /** With `aggregation: "none"`: the piece as the vocabulary spells it. */
  piece?: string;
  /** With `aggregation: "none"`: place in the sequence of word pieces, where `[CLS]` is 0. */
  index?: number;
}

/** Options of {@link TokenClassification.label}. */
export interface LabelOptions extends CallOptions {
  /** `"simple"` joins neighbouring pieces of one label; `"none"` gives every piece. Default `"simple"`. */
  aggregation?: "none" | "simple";
}

/** The labelled parts of a text. */
export interface Labelled {
  /** In the order of the text. */
  entities: Entity[];
  /** Whether the text was longer than the model reads. */
  truncated: boolean;
  /** Milliseconds. */
  timing: Timing;
}

const LABEL: Checks<LabelOptions> = { ...CALL, aggregation: oneOf("none", "simple") };

/** Puts labels on the words of a text: names, parts of speech. */
export class TokenClassification extends LoadedModel {
  /** Loads a model with a token-classification head. */
  static load(model: ModelSource, options: LoadOptions = {}): Promise<TokenClassification> {
    return open(TokenClassification, "token-classification", model, options);
  }

  /** Labels a text. */
  async label(text: string, options: LabelOptions = {}): Promise<Labelled> {
    if (typeof text !== "string") throw invalidInput("text", "not a string");
    checkOptions(options, LABEL);
    const { signal, ...rest } = options;
    return (await this.call("labelTokens", [text, rest], signal ? { signal } : {})) as Labelled;
  }
}
