import { type Checks, checkOptions, isBoolean, oneOf } from "./check.js";
import { invalidInput } from "./errors.js";
import { LoadedModel, open } from "./model.js";
import { CALL } from "./options.js";
import { wellFormed } from "./text.js";
import type { CallOptions, LoadOptions, ModelSource } from "./types.js";

/** Options of {@link Encoder.encode}. */
export interface EncodeOptions extends CallOptions {
  /** Mean over the word pieces, the first piece's vector, or `"none"`: every piece's. Default `"mean"`. */
  pooling?: "mean" | "cls" | "none";
  /** Whether vectors are scaled to length one. Default false. */
  normalize?: boolean;
}

const ENCODE: Checks<EncodeOptions> = { ...CALL, pooling: oneOf("mean", "cls", "none"), normalize: isBoolean };

/** Turns texts into vectors. */
export class Encoder extends LoadedModel {
  /** Loads a model as a bare encoder; a head that it has is left out. */
  static load(model: ModelSource, options: LoadOptions = {}): Promise<Encoder> {
    return open(Encoder, "feature-extraction", model, options);
  }

  /**
   * One vector a text, as long as the model is wide; with `pooling: "none"` one a word piece, `[CLS]` and `[SEP]`
   * included. What is longer than the model reads is cut.
   */
  encode(texts: string | readonly string[], options: EncodeOptions & { pooling: "none" }): Promise<Float32Array[][]>;
  encode(
    texts: string | readonly string[],
    options?: EncodeOptions & { pooling?: "mean" | "cls" },
  ): Promise<Float32Array[]>;
  async encode(
    texts: string | readonly string[],
    options: EncodeOptions = {},
  ): Promise<Float32Array[] | Float32Array[][]> {
    checkOptions(options, ENCODE);
    const list = typeof texts === "string" ? [texts] : texts;
    if (!Array.isArray(list) || list.some((text) => typeof text !== "string")) {
      throw invalidInput("texts", "not a string or an array of strings");
    }
    if (list.length === 0) return [];
    const { signal, ...rest } = options;
    const found = await this.call("encode", [list.map(wellFormed), rest], signal ? { signal } : {});
    return found as Float32Array[] | Float32Array[][];
  }
}
