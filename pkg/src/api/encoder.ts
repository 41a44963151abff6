import { invalidInput } from "../errors.js";
import { CALL, type Checks, checkOptions, isBoolean, oneOf, wellFormed } from "../options.js";
import type { CallOptions, LoadOptions, ModelSource } from "../types.js";
import { LoadedModel, open } from "./model.js";

/** Options of {@link Encoder.encode}. */
export interface EncodeOptions extends CallOptions {
  /** The mean over all tokens, the first token's vector, or `"none"` for one vector per token. Default: `"mean"`. */
  pooling?: "mean" | "cls" | "none" | undefined;
  /** Whether to scale vectors to unit length. Default: false. */
  normalize?: boolean | undefined;
}

const ENCODE: Checks<EncodeOptions> = { ...CALL, pooling: oneOf("mean", "cls", "none"), normalize: isBoolean };

/** Computes embeddings of texts. */
export class Encoder extends LoadedModel {
  /** Loads a model as an encoder, without its head if it has one. */
  static load(model: ModelSource, options: LoadOptions = {}): Promise<Encoder> {
    return open(Encoder, "feature-extraction", model, options);
  }

  /**
   * Returns one vector of `hidden_size` values per text, or with `pooling: "none"` one per token, including `[CLS]` and
   * `[SEP]`. Texts longer than the model's maximum length are truncated.
   */
  encode(texts: string | readonly string[], options: EncodeOptions & { pooling: "none" }): Promise<Float32Array[][]>;
  encode(
    texts: string | readonly string[],
    options?: EncodeOptions & { pooling?: "mean" | "cls" | undefined },
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
