import { checkOptions } from "./check.js";
import { invalidInput } from "./errors.js";
import { LoadedModel, open } from "./model.js";
import { CALL } from "./options.js";
import { wellFormed } from "./text.js";
import type { CallOptions, LoadOptions, ModelSource, Timing } from "./types.js";

/** A text, or two that belong together (a premise and a hypothesis, two questions). */
export type TextOrPair = string | readonly [string, string];

/** Texts each in an array of its own, alone or with its second: a list that cannot be taken for a pair. */
export type WrappedTexts = readonly (readonly [string] | readonly [string, string])[];

/** A list of a number of texts that is known and not two. */
export type CountedTexts =
  | readonly []
  | readonly [string]
  | readonly [TextOrPair, TextOrPair, TextOrPair, ...TextOrPair[]];

/** A label and its probability. */
export interface LabelScore {
  /** The label as `config.json` names it. */
  label: string;
  /** 0 to 1; over all labels 1 together, but for models that put several on a text. */
  probability: number;
}

/** What a text was found to be. */
export interface Classification {
  /** Every label, largest probability first. */
  labels: LabelScore[];
  /** Whether the text was longer than the model reads. */
  truncated: boolean;
  /** Milliseconds. */
  timing: Timing;
}

/** Puts labels on texts: sentiment, topic, entailment. */
export class TextClassification extends LoadedModel {
  /** Loads a model with a sequence-classification head. */
  static load(model: ModelSource, options: LoadOptions = {}): Promise<TextClassification> {
    return open(TextClassification, "text-classification", model, options);
  }

  /**
   * Classifies a text, a pair, or a list of them. Two strings in an array are a pair, always. Where a list may hold two
   * texts, put each into an array of its own: `classify(texts.map((text) => [text]))`.
   */
  classify(texts: WrappedTexts, options?: CallOptions): Promise<Classification[]>;
  classify(text: TextOrPair, options?: CallOptions): Promise<Classification>;
  classify(texts: CountedTexts, options?: CallOptions): Promise<Classification[]>;
  /** Of a list of unknown length the type cannot tell whether it is a pair. */
  classify(
    texts: readonly (TextOrPair | readonly [string])[],
    options?: CallOptions,
  ): Promise<Classification | Classification[]>;
  async classify(texts: unknown, options: CallOptions = {}): Promise<Classification | Classification[]> {
    checkOptions(options, CALL);
    const one = typeof texts === "string" || isPair(texts);
    const list = one ? [texts] : texts;
    if (!Array.isArray(list)) throw invalidInput("text", "not a string, a pair of strings or an array of them");
    const clean = list.map((text) => {
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
}

function isPair(value: unknown): value is [string, string] {
  return Array.isArray(value) && value.length === 2 && value.every((text) => typeof text === "string");
}
