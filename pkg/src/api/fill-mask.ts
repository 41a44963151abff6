import { invalidInput } from "../errors.js";
import { areStrings, CALL, type Checks, checkOptions, isCount } from "../options.js";
import type { CallOptions, LoadOptions, ModelSource, Timing } from "../types.js";
import { LoadedModel } from "./model.js";
import { open } from "./open.js";

/** A candidate for a mask. */
export interface Filling {
  /** The token as spelled in the vocabulary. */
  token: string;
  /** Token id. */
  id: number;
  /** Probability among all tokens, 0 to 1. */
  probability: number;
  /** The text with the mask replaced by this token. */
  sequence: string;
}

/** Options of {@link FillMask.fill}. */
export interface FillOptions extends CallOptions {
  /** Number of candidates per mask. Default: 5. */
  topK?: number | undefined;
  /**
   * The only words or tokens that may fill a mask. A word that isn't one token is replaced by its first token; a word
   * that the tokenizer doesn't know is an error.
   */
  targets?: readonly string[] | undefined;
}

/** A target that isn't one token of the vocabulary. */
export interface ReplacedTarget {
  /** The target, as given. */
  target: string;
  /** The first of its tokens, as spelled in the vocabulary, which takes its place. */
  token: string;
}

/** Candidates for each mask. */
export interface Filled {
  /** For each mask, in order, the most probable tokens, most probable first. */
  masks: Filling[][];
  /** The targets that aren't one token of the vocabulary, with the tokens in their place. */
  replaced: ReplacedTarget[];
  /** True if the text was truncated to the model's maximum length. */
  truncated: boolean;
  /** Timing in milliseconds. */
  timing: Timing;
}

const FILL: Checks<FillOptions> = { ...CALL, topK: isCount, targets: areStrings };

/** Predicts masked words. */
export class FillMask extends LoadedModel {
  /** Loads a model with a masked-language-model head. */
  static load(model: ModelSource, options: LoadOptions = {}): Promise<FillMask> {
    return open(FillMask, "fill-mask", model, options);
  }

  /** Predicts tokens for every `[MASK]` in a text. */
  async fill(text: string, options: FillOptions = {}): Promise<Filled> {
    if (typeof text !== "string") throw invalidInput("text", "not a string");
    checkOptions(options, FILL);
    const { signal, ...rest } = options;
    return (await this.call("fillMask", [text, rest], options)) as Filled;
  }
}
