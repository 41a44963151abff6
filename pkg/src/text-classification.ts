import { invalidInput } from "./errors.js";
import { LoadedModel, open } from "./model.js";
import { wellFormed } from "./text.js";
import type { CallOptions, LoadOptions, ModelSource, Timing } from "./types.js";

/** A text, or two that belong together (a premise and a hypothesis, two questions). */
export type TextOrPair = string | readonly [string, string];

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
   * Classifies a text, a pair, or a list of them. Two strings in an array are a pair; a list of two texts is written
   * with pairs or one call each.
   */
  classify(text: TextOrPair, options?: CallOptions): Promise<Classification>;
  classify(texts: readonly TextOrPair[], options?: CallOptions): Promise<Classification[]>;
  async classify(
    texts: TextOrPair | readonly TextOrPair[],
    options: CallOptions = {},
  ): Promise<Classification | Classification[]> {
    const one = isTextOrPair(texts);
    const list = one ? [texts] : texts;
    if (!isArray(list)) throw invalidInput("text", "not a string, a pair of strings or an array of them");
    for (const text of list) if (!isTextOrPair(text)) throw invalidInput("text", "not a string or a pair of strings");
    if (list.length === 0) return [];
    const clean = list.map((text) => (typeof text === "string" ? wellFormed(text) : text.map(wellFormed)));
    const results = (await this.call("classify", [clean, {}], options)) as Classification[];
    if (!one) return results;
    return results[0] as Classification;
  }
}

/** `Array.isArray` loses what is in a read-only array. */
const isArray = (value: unknown): value is readonly unknown[] => Array.isArray(value);

function isTextOrPair(value: unknown): value is TextOrPair {
  if (typeof value === "string") return true;
  return Array.isArray(value) && value.length === 2 && value.every((text) => typeof text === "string");
}
