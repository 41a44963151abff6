import { type Checks, checkOptions, isCount } from "./check.js";
import { invalidInput } from "./errors.js";
import { LoadedModel, open } from "./model.js";
import { CALL } from "./options.js";
import type { CallOptions, LoadOptions, ModelSource, Timing } from "./types.js";

/** A word piece for a mask. */
export interface Filling {
  /** The piece as the vocabulary spells it. */
  token: string;
  /** Its number in the vocabulary. */
  id: number;
  /** Among all pieces, 0 to 1. */
  probability: number;
  /** The whole text with this piece in the mask's place. */
  sequence: string;
}

/** Options of {@link FillMask.fill}. */
export interface FillOptions extends CallOptions {
  /** How many pieces a mask. Default 5. */
  topK?: number;
}

/** The pieces for each mask, in the order of the masks. */
export interface Filled {
  /** The likeliest pieces for each mask, the likeliest first. */
  masks: Filling[][];
  /** Whether the text was longer than the model reads. */
  truncated: boolean;
  /** Milliseconds. */
  timing: Timing;
}

const FILL: Checks<FillOptions> = { ...CALL, topK: isCount };

/** Guesses masked words. */
export class FillMask extends LoadedModel {
  /** Loads a model with a masked-language-model head. */
  static load(model: ModelSource, options: LoadOptions = {}): Promise<FillMask> {
    return open(FillMask, "fill-mask", model, options);
  }

  /** Fills every `[MASK]` of a text. */
  async fill(text: string, options: FillOptions = {}): Promise<Filled> {
    if (typeof text !== "string") throw invalidInput("text", "not a string");
    checkOptions(options, FILL);
    const { signal, ...rest } = options;
    return (await this.call("fillMask", [text, rest], signal ? { signal } : {})) as Filled;
  }
}
