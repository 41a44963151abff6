import { TextRanking } from "../api/text-ranking.js";
import { invalidInput } from "../errors.js";
import { areStrings, type Checks, checkOptions, isBoolean, isCount, orNull } from "../options.js";
import type { LoadOptions, ModelSource } from "../types.js";
import { callable } from "./calls.js";
import { TEXT_CALL } from "./options.js";
import type { PipelineBase, PipelineCallOptions } from "./types.js";

/** Options of a ranking, as in `CrossEncoder.rank` of sentence-transformers. */
export interface PipelineRankOptions extends PipelineCallOptions {
  /** Number of documents; `null`, the default, for all. */
  top_k?: number | null | undefined;
  /** Include the documents' texts. Default: false. */
  return_documents?: boolean | undefined;
}

/** A document's relevance for the query. */
export interface PipelineRankedDocument {
  /** Index in the list of documents. */
  corpus_id: number;
  /** The model's output after its own activation. */
  score: number;
  /** The document, with `return_documents`. */
  text?: string;
}

/** The result of `pipeline("text-ranking")`. transformers.js has no such task. */
export type TextRankingPipeline = PipelineBase &
  ((query: string, documents: readonly string[], options?: PipelineRankOptions) => Promise<PipelineRankedDocument[]>);

const RANK: Checks<PipelineRankOptions> = { top_k: orNull(isCount), return_documents: isBoolean, ...TEXT_CALL };

/** Makes `pipeline("text-ranking")`. */
export async function textRanking(source: ModelSource, load: LoadOptions): Promise<TextRankingPipeline> {
  const model = await TextRanking.load(source, load);
  const call = async (query: string, documents: readonly string[], options: PipelineRankOptions = {}) => {
    if (typeof query !== "string") throw invalidInput("query", "not a string");
    const problem = areStrings(documents);
    if (problem) throw invalidInput("documents", problem);
    checkOptions(options, RANK);
    const { top_k: topK, return_documents: withTexts = false, signal } = options;
    const ranked = await model.rank(query, documents, { topK: topK ?? undefined, signal });
    return ranked.documents.map(({ index, score }): PipelineRankedDocument => {
      return withTexts ? { corpus_id: index, score, text: documents[index] as string } : { corpus_id: index, score };
    });
  };
  return callable("text-ranking", model, call);
}
