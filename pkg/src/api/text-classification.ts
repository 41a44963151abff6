import { invalidInput } from "../errors.js";
import { CALL, type Checks, checkOptions, isStrings, shown, wellFormed } from "../options.js";
import type { CallOptions, LoadOptions, ModelSource, Timing } from "../types.js";
import { LoadedModel } from "./model.js";
import { open } from "./open.js";

/** A text, or a pair of texts such as a premise and a hypothesis. */
export type TextOrPair = string | readonly [string, string];

/** Texts or pairs wrapped in one array each, so that the list can't be mistaken for a pair. */
export type WrappedTexts = readonly (readonly [string] | readonly [string, string])[];

/** A list whose length is known and isn't two. */
export type CountedTexts =
  | readonly []
  | readonly [string]
  | readonly [TextOrPair, TextOrPair, TextOrPair, ...TextOrPair[]];

/** A label and its probability. */
export interface LabelScore {
  /** The label's name from `config.json`. */
  label: string;
  /**
   * 0 to 1. Sums to 1 over all labels, except for multi-label models. For a model with a single output, the score: its
   * logit after the model's own activation, by default a sigmoid.
   */
  probability: number;
  /** The raw output of a model that has only one. */
  logit?: number;
}

/** The classification of one text. */
export interface Classification {
  /** All labels, most probable first. */
  labels: LabelScore[];
  /** True if the probabilities lie in the neutral zone of the model's `calibration`, if it has one. */
  neutral: boolean;
  /** True if the text was truncated to the model's maximum length. */
  truncated: boolean;
  /** Timing in milliseconds. */
  timing: Timing;
}

/** A word, a run of characters other than white space: `text.slice(start, end)`. */
export interface WordContribution {
  /** The word. */
  text: string;
  /** Start offset in UTF-16 units. */
  start: number;
  /** End offset in UTF-16 units, exclusive. */
  end: number;
  /** The label's probability with the word less that without it, −1 to 1. */
  contribution: number;
  /** True if a part of the word isn't in the model's vocabulary, as most emoji. */
  unknown: boolean;
}

/** The contributions of the words of a text to a label. */
export interface Contributions {
  /** The label. */
  label: string;
  /** Its probability for the whole text. */
  probability: number;
  /** The first 64 words, in order. */
  words: WordContribution[];
  /** True if words were left out, or the text was truncated to the model's maximum length. */
  truncated: boolean;
  /** Timing in milliseconds. */
  timing: Timing;
}

/** Options of {@link TextClassification.contributions}. */
export interface ContributionsOptions extends CallOptions {
  /** The label. Default: the most probable one. */
  label?: string | undefined;
}

const CONTRIBUTIONS: Checks<ContributionsOptions> = {
  ...CALL,
  label: (value) => (typeof value === "string" ? undefined : `${shown(value)} is not a string`),
};

/** Classifies texts, for example by sentiment, topic or entailment. */
export class TextClassification extends LoadedModel {
  /** Loads a model with a sequence-classification head. */
  static load(model: ModelSource, options: LoadOptions = {}): Promise<TextClassification> {
    return open(TextClassification, "text-classification", model, options);
  }

  /**
   * Classifies a text, a pair of texts, or a list of them. An array of two strings is always a pair. For lists of any
   * length, wrap each text in an array: `classify(texts.map((text) => [text]))`.
   */
  classify(texts: WrappedTexts, options?: CallOptions): Promise<Classification[]>;
  classify(text: TextOrPair, options?: CallOptions): Promise<Classification>;
  classify(texts: CountedTexts, options?: CallOptions): Promise<Classification[]>;
  /** For a list of unknown length, the type can't tell whether it is a pair. */
  classify(
    texts: readonly (TextOrPair | readonly [string])[],
    options?: CallOptions,
  ): Promise<Classification | Classification[]>;
  async classify(texts: unknown, options: CallOptions = {}): Promise<Classification | Classification[]> {
    checkOptions(options, CALL);
    const one = typeof texts === "string" || isPair(texts);
    const list = one ? [texts] : texts;
    if (!Array.isArray(list)) throw invalidInput("text", "not a string, a pair of strings or an array of them");
    const clean = Array.from(list, (text: unknown) => {
      if (typeof text === "string") return wellFormed(text);
      if (isPair(text)) return text.map(wellFormed);
      if (Array.isArray(text) && text.length === 1 && typeof text[0] === "string") return wellFormed(text[0]);
      throw invalidInput("text", "not a string or a pair of strings");
    });
    if (clean.length === 0) return [];
    const results = (await this.call("classify", [clean, {}], options)) as Classification[];
    if (!one) return results;
    return results[0] as Classification;
  }

  /**
   * Measures what each word contributes to a label: the text is classified without one word at a time. The call can be
   * aborted between runs.
   */
  async contributions(text: string, options: ContributionsOptions = {}): Promise<Contributions> {
    if (typeof text !== "string") throw invalidInput("text", "not a string");
    checkOptions(options, CONTRIBUTIONS);
    const args = [wellFormed(text), options.label];
    const result = (await this.call("contributions", args, options)) as Contributions;
    for (const word of result.words) word.text = text.slice(word.start, word.end);
    return result;
  }
}

function isPair(value: unknown): value is [string, string] {
  return isStrings(value) && value.length === 2;
}
