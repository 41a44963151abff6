import { invalidInput } from "../errors.js";
import { areStrings, CALL, type Checks, checkOptions, isCount, wellFormed } from "../options.js";
import type { CallOptions, LoadOptions, ModelSource, Timing } from "../types.js";
import { LoadedModel } from "./model.js";
import { open } from "./open.js";

/** Options of {@link TextRanking.rank}. */
export interface RankOptions extends CallOptions {
  /** Number of documents to return. Default: all. */
  topK?: number | undefined;
}

/** A document's relevance for the query. */
export interface RankedDocument {
  /** Index in the list of documents. */
  index: number;
  /** The logit after the model's own activation; 0 to 1 for a sigmoid, which is the default. */
  score: number;
  /** The model's raw output. */
  logit: number;
}

/** The ranked documents. */
export interface RankResult {
  /** The most relevant documents, best first. */
  documents: RankedDocument[];
  /** True if the query or a document was truncated to the model's maximum length. */
  truncated: boolean;
  /** Timing in milliseconds. */
  timing: Timing;
}

const RANK: Checks<RankOptions> = { ...CALL, topK: isCount };

/** Orders documents by their relevance for a query, with a cross-encoder. */
export class TextRanking extends LoadedModel {
  /** Loads a model with a sequence-classification head of one output. */
  static load(model: ModelSource, options: LoadOptions = {}): Promise<TextRanking> {
    return open(TextRanking, "text-ranking", model, options);
  }

  /** Reads every document with the query. The call can be aborted between runs. */
  async rank(query: string, documents: readonly string[], options: RankOptions = {}): Promise<RankResult> {
    if (typeof query !== "string") throw invalidInput("query", "not a string");
    const problem = areStrings(documents);
    if (problem) throw invalidInput("documents", problem);
    checkOptions(options, RANK);
    const { signal, ...rest } = options;
    const args = [wellFormed(query), documents.map(wellFormed), rest];
    return (await this.call("rank", args, options)) as RankResult;
  }
}
