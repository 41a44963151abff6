import { FillMask } from "../api/fill-mask.js";
import { type Checks, checkOptions, isCount, isStringOrStrings } from "../options.js";
import type { LoadOptions, ModelSource } from "../types.js";
import { callable, forEach } from "./calls.js";
import { checkTexts, TEXT_CALL } from "./options.js";
import type { PerText, PipelineBase, PipelineCallOptions, Texts } from "./types.js";

/** Options of mask filling. */
export interface PipelineFillOptions extends PipelineCallOptions {
  /** Number of candidates. Default: 5. */
  top_k?: number | undefined;
  /** The only words or tokens that may fill the mask, as in Python's `transformers`. */
  targets?: string | readonly string[] | undefined;
}

/** A candidate for a mask. */
export interface PipelineFilling {
  /** Probability, 0 to 1. */
  score: number;
  /** Token id. */
  token: number;
  /** The token. */
  token_str: string;
  /** The text with the mask replaced by the token. */
  sequence: string;
}

/** The result of `pipeline("fill-mask")`. */
export type FillMaskPipeline = PipelineBase &
  (<Q extends Texts>(texts: Q, options?: PipelineFillOptions) => Promise<PerText<Q, PipelineFilling[]>>);

const FILL: Checks<PipelineFillOptions> = { top_k: isCount, targets: isStringOrStrings, ...TEXT_CALL };

/** Makes `pipeline("fill-mask")`. */
export async function fillMask(source: ModelSource, load: LoadOptions): Promise<FillMaskPipeline> {
  const model = await FillMask.load(source, load);
  const call = async (texts: Texts, options: PipelineFillOptions = {}) => {
    checkTexts("texts", texts);
    checkOptions(options, FILL);
    const targets = typeof options.targets === "string" ? [options.targets] : options.targets;
    return forEach(texts, async (text) => {
      const { masks, replaced } = await model.fill(text, { topK: options.top_k, targets, signal: options.signal });
      for (const { target, token } of replaced) {
        console.warn(`fill-mask: the vocabulary has no token "${target}"; its first token "${token}" is used`);
      }
      return (masks[0] ?? []).map(({ id, token, probability, sequence }) => {
        return { score: probability, token: id, token_str: token, sequence };
      });
    });
  };
  return callable("fill-mask", model, call) as FillMaskPipeline;
}
