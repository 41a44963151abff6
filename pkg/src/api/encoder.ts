import { invalidInput } from "../errors.js";
import { CALL, type Checks, checkOptions, isBoolean, isCount, isStrings, oneOf, wellFormed } from "../options.js";
import type { CallOptions, LoadOptions, ModelSource } from "../types.js";
import { LoadedModel } from "./model.js";
import { open } from "./open.js";
import { CONVERT, isVector, nearest, rowsOf, type SearchHit, similarity, type Vectors } from "./similarity.js";

/** A way to combine the tokens' vectors into one. */
export type Pooling = "cls" | "max" | "mean" | "mean_sqrt_len" | "weightedmean" | "lasttoken";

/** Options of {@link Encoder.encode}. By default, the files of sentence-transformers in the model's directory decide. */
export interface EncodeOptions extends CallOptions {
  /** The pooling of the tokens' vectors; `"none"` for one vector per token. Default: as the directory says, else `"mean"`. */
  pooling?: Pooling | "none" | undefined;
  /** Scale vectors to unit length. Default: as the directory says, else false. */
  normalize?: boolean | undefined;
  /** Maximum number of tokens per text, up to the model's limit. Default: as the directory says, else that limit. */
  maxLength?: number | undefined;
}

/** Options of {@link Encoder.search}. */
export interface SearchOptions extends CallOptions {
  /** Number of results. Default: 10. */
  topK?: number | undefined;
}

/** The result of {@link Encoder.search}. */
export interface SearchResult {
  /** The most similar texts of the corpus, best first. */
  documents: SearchHit[];
  /** The vectors of the corpus. Keep them, and pass them instead of the texts next time. */
  vectors: Vectors;
}

const POOLINGS: Pooling[] = ["cls", "max", "mean", "mean_sqrt_len", "weightedmean", "lasttoken"];
const ENCODE: Checks<EncodeOptions> = {
  ...CALL,
  pooling: oneOf(...POOLINGS, "none"),
  normalize: isBoolean,
  maxLength: isCount,
};
const SEARCH: Checks<SearchOptions> = { ...CALL, topK: isCount };

/** Computes embeddings of texts. */
export class Encoder extends LoadedModel {
  /** Loads a model as an encoder, without its head if it has one. */
  static load(model: ModelSource, options: LoadOptions = {}): Promise<Encoder> {
    return open(Encoder, "feature-extraction", model, options);
  }

  /**
   * Returns one vector per text, or with `pooling: "none"` one per token, including `[CLS]` and `[SEP]`. Longer texts are
   * truncated.
   */
  encode(texts: string | readonly string[], options: EncodeOptions & { pooling: "none" }): Promise<Float32Array[][]>;
  encode(
    texts: string | readonly string[],
    options?: EncodeOptions & { pooling?: Pooling | undefined },
  ): Promise<Float32Array[]>;
  async encode(
    texts: string | readonly string[],
    options: EncodeOptions = {},
  ): Promise<Float32Array[] | Float32Array[][]> {
    checkOptions(options, ENCODE);
    const list = typeof texts === "string" ? [texts] : texts;
    if (!isStrings(list)) throw invalidInput("texts", "not a string or an array of strings");
    if (list.length === 0) return [];
    const { signal, ...rest } = options;
    const found = await this.call("encode", [list.map(wellFormed), rest], options);
    return found as Float32Array[] | Float32Array[][];
  }

  /** Returns the cosine similarity of two texts or vectors, -1 to 1. */
  async similarity(a: string | Float32Array, b: string | Float32Array, options: CallOptions = {}): Promise<number> {
    checkOptions(options, CALL);
    for (const [field, given] of Object.entries({ a, b })) {
      if (!isTextOrVector(given)) throw invalidInput(field, TEXT_OR_VECTOR);
    }
    const [first, second] = [await this.vector(a, options), await this.vector(b, options)];
    return similarity(first, second);
  }

  /**
   * Finds the texts of a corpus that are most similar to a query, by cosine similarity. The corpus is texts, or the
   * vectors that an earlier `search` or `encode` has returned, also as one matrix with a row per text.
   */
  async search(
    query: string | Float32Array,
    corpus: readonly string[] | Vectors,
    options: SearchOptions = {},
  ): Promise<SearchResult> {
    checkOptions(options, SEARCH);
    const { topK = 10, ...call } = options;
    if (!isTextOrVector(query)) throw invalidInput("query", TEXT_OR_VECTOR);
    if (!isStrings(corpus) && !areVectors(corpus)) {
      throw invalidInput(
        "corpus",
        `not an array of texts, an array of Float32Arrays, or a Float32Array with a row per text; ${CONVERT}`,
      );
    }
    if (corpus.length === 0) throw invalidInput("corpus", "empty; at least one text is needed");
    const wanted = await this.vector(query, call);
    const vectors = isStrings(corpus) ? await this.encode(corpus, call) : corpus;
    return { documents: nearest(wanted, rowsOf(vectors, wanted.length), topK), vectors };
  }

  private async vector(given: string | Float32Array, options: CallOptions): Promise<Float32Array> {
    return isVector(given) ? given : ((await this.encode(given, options))[0] as Float32Array);
  }
}

const TEXT_OR_VECTOR = `not a string or a Float32Array; ${CONVERT}`;

function isTextOrVector(value: unknown): value is string | Float32Array {
  return typeof value === "string" || isVector(value);
}

function areVectors(value: unknown): value is Vectors {
  const all = Array.isArray(value) ? Array.from(value) : [value];
  return all.every(isVector);
}
