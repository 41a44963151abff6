import { Encoder } from "../api/encoder.js";
import { type Checks, checkOptions, isBoolean, MAX_INTEGER, oneOf } from "../options.js";
import type { LoadOptions, ModelSource } from "../types.js";
import { callable } from "./calls.js";
import { checkTexts, TEXT_CALL } from "./options.js";
import { type PipelineTensor, tensor } from "./tensor.js";
import type { PipelineBase, PipelineCallOptions, Texts } from "./types.js";

/** Options of feature extraction. */
export interface PipelineFeatureOptions extends PipelineCallOptions {
  /**
   * The pooling of the tokens' vectors. Default: `"none"`, one vector per token; as in transformers.js, files of
   * sentence-transformers are ignored, which the class `Encoder` follows.
   */
  pooling?: "none" | "mean" | "cls" | "first_token" | "last_token" | "eos" | undefined;
  /** Scale vectors to unit length. Default: false. */
  normalize?: boolean | undefined;
}

/** The result of `pipeline("feature-extraction")`. */
export type FeatureExtractionPipeline = PipelineBase &
  ((texts: Texts, options?: PipelineFeatureOptions) => Promise<PipelineTensor>);

/** The names of transformers.js. */
const POOLINGS = { mean: "mean", cls: "cls", first_token: "cls", last_token: "lasttoken", eos: "lasttoken" } as const;

const FEATURE: Checks<PipelineFeatureOptions> = {
  pooling: oneOf("none", ...Object.keys(POOLINGS)),
  normalize: isBoolean,
  ...TEXT_CALL,
};

const FLOATS = "not supported; vectors are of 32-bit floats";
/** Options of transformers.js that aren't supported. */
const FOREIGN = { quantize: FLOATS, precision: FLOATS };

/** Makes `pipeline("feature-extraction")`. */
export async function featureExtraction(source: ModelSource, load: LoadOptions): Promise<FeatureExtractionPipeline> {
  const model = await Encoder.load(source, load);
  const call = async (texts: Texts, options: PipelineFeatureOptions = {}) => {
    checkTexts("texts", texts);
    checkOptions(options, FEATURE, FOREIGN);
    const { pooling = "none", normalize = false, signal } = options;
    const list = typeof texts === "string" ? [texts] : texts;
    // Only `Encoder` follows the directory's settings.
    const settings = { normalize, maxLength: MAX_INTEGER, signal };
    if (pooling !== "none") {
      const rows = await model.encode(list, { ...settings, pooling: POOLINGS[pooling] });
      return tensor(concatenated(rows, rows.length), [rows.length, rows[0]?.length ?? 0]);
    }
    const found = await model.encode(list, { ...settings, pooling: "none" });
    const longest = Math.max(0, ...found.map((rows) => rows.length));
    const padded = found.map((rows) => concatenated(rows, longest));
    return tensor(concatenated(padded, padded.length), [found.length, longest, found[0]?.[0]?.length ?? 0]);
  };
  return callable("feature-extraction", model, call);
}

/** Concatenates rows, padded with rows of zeros up to `count`. */
function concatenated(rows: readonly Float32Array[], count: number): Float32Array {
  const width = rows[0]?.length ?? 0;
  const data = new Float32Array(count * width);
  for (const [i, row] of rows.entries()) data.set(row, i * width);
  return data;
}
