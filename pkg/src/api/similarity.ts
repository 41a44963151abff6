import { invalidInput } from "../errors.js";
import { isA } from "../options.js";

/** Vectors of texts: an array of them, or one matrix with a row per text. */
export type Vectors = readonly Float32Array[] | Float32Array;

/** A text of a corpus that is similar to a query. */
export interface SearchHit {
  /** Index in the corpus. */
  index: number;
  /** Cosine similarity, -1 to 1. */
  score: number;
}

/** The cosine similarity of two vectors, -1 to 1; 0 if one of them is zero. */
export function similarity(a: Float32Array, b: Float32Array): number {
  const [first, second] = [vector("a", a), vector("b", b)];
  if (a.length !== b.length) throw invalidInput("b", `has ${b.length} dimensions, but \`a\` has ${a.length}`);
  return cosine(first, second);
}

/** The rows of a corpus of vectors with as many dimensions as the query. */
export function rowsOf(corpus: Vectors, dimensions: number): readonly Float32Array[] {
  const problem = (index: number, length: number) =>
    invalidInput("corpus", `vector ${index} has ${length} dimensions, but the query has ${dimensions}`);
  if (isVector(corpus)) {
    if (corpus.length % dimensions !== 0) {
      const rows = `a matrix of ${corpus.length} values is not made of rows of ${dimensions}`;
      throw invalidInput("corpus", `${rows}, the dimensions of the query`);
    }
    return Array.from({ length: corpus.length / dimensions }, (_, i) =>
      corpus.subarray(i * dimensions, (i + 1) * dimensions),
    );
  }
  for (const [index, one] of corpus.entries()) {
    if (one.length !== dimensions) throw problem(index, one.length);
  }
  return corpus;
}

/** The `topK` rows that are most similar to the query, best first; ties in order. */
export function nearest(query: Float32Array, rows: readonly Float32Array[], topK: number): SearchHit[] {
  const hits = rows.map((row, index): SearchHit => ({ index, score: cosine(query, row) }));
  return hits.sort((a, b) => b.score - a.score || a.index - b.index).slice(0, topK);
}

/** Vectors that were stored as JSON come back as arrays of numbers. */
export const CONVERT = "convert an array of numbers with `Float32Array.from(…)`";

/** Returns whether a value is a vector, or a matrix. */
export function isVector(value: unknown): value is Float32Array {
  return isA(value, "Float32Array");
}

function vector(field: string, value: unknown): Float32Array {
  if (isVector(value)) return value;
  throw invalidInput(field, `not a Float32Array; ${CONVERT}`);
}

function cosine(a: Float32Array, b: Float32Array): number {
  let [dot, aSquared, bSquared] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i] as number, b[i] as number];
    dot += x * y;
    aSquared += x * x;
    bSquared += y * y;
  }
  const lengths = Math.sqrt(aSquared) * Math.sqrt(bSquared);
  if (!Number.isFinite(lengths)) throw invalidInput("vectors", "a vector has NaN or infinite values");
  return lengths > 0 ? Math.min(1, Math.max(-1, dot / lengths)) : 0;
}
