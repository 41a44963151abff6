import type { LoadedModel, Tokens } from "../api/model.js";
import type { CallOptions, DeviceKind, Dtype, LoadOptions } from "../types.js";

/** Progress events of a load, as in transformers.js: of each file, and over all files. */
export type PipelineProgress =
  | { status: "initiate" | "download" | "done"; name: string; file: string }
  | {
      status: "progress" | "progress_total";
      name: string;
      file: string;
      /** Percentage. */
      progress: number;
      /** Bytes read so far. */
      loaded: number;
      /** Total bytes; 0 if they aren't known. */
      total: number;
    }
  | { status: "ready"; task: string; model: string };

/** Options of {@link pipeline}, as in transformers.js, plus those of `load`. */
export interface PipelineOptions extends Omit<LoadOptions, "device" | "dtype" | "onProgress"> {
  /** The device; `"cpu"` means `"wasm"`, `"gpu"` means `"webgpu"`. */
  device?: "auto" | DeviceKind | "cpu" | "gpu" | null | undefined;
  /** Data type of the weights; `auto` and `fp32` mean as stored, `fp16` means `f16`, `int8` means `q8`. */
  dtype?: "auto" | "fp32" | "fp16" | "int8" | Dtype | null | undefined;
  /** Called while the model loads. */
  progress_callback?: ((event: PipelineProgress) => void) | null | undefined;
}

/** Members of every pipeline. */
export interface PipelineBase {
  /** The task. */
  readonly task: string;
  /** The model itself: its `device`, its `labels`, its `memory()`. */
  readonly model: LoadedModel;
  /** Returns the tokens of a text or a pair, as the model reads them. */
  tokenize(text: string | readonly [string, string], options?: CallOptions): Promise<Tokens>;
  /** Frees all memory. */
  dispose(): Promise<void>;
  /** Frees all memory at the end of a block with `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** One or several texts. */
export type Texts = string | readonly string[];
/** One result for one text, an array for an array. */
export type PerText<Q extends Texts, Result> = Q extends string ? Result : Result[];
/** True if the options ask for more than one result; `boolean` if their type doesn't say. */
export type ManyResults<O> = "top_k" extends keyof O ? IsMany<O["top_k"]> : false;
type IsMany<K> = K extends 1 | undefined ? false : 1 extends K ? boolean : true;
/** One result or all of them. */
export type OneOrMany<Many extends boolean, One, All> = Many extends true ? All : One;

/** Options of every call. */
export interface PipelineCallOptions extends CallOptions {
  /** Accepted and ignored: texts are truncated to the model's maximum length, except where they are read in windows. */
  truncation?: boolean | string | undefined;
  /** Accepted and ignored: results don't depend on padding. */
  padding?: boolean | string | undefined;
}
