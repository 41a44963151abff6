import type { MobileBertError } from "./errors.js";

/** A model: the URL of its directory, a Hugging Face id `owner/name[@revision]`, or its files. */
export type ModelSource = string | URL | ModelFiles;

/** A file from an `<input type="file">`, a drop, or Node's `File`. */
export interface PickedFile extends Blob {
  /** File name, for example `config.json`. */
  readonly name: string;
  /** Path within the selected folder; only files in the model's own directory are used. */
  readonly webkitRelativePath?: string;
}

/**
 * Selected files, for example a `FileList`, or files by name: `config.json`, `model.safetensors`, `tokenizer.json` or
 * `vocab.txt`. Names may include a folder's path.
 */
export type ModelFiles =
  | ReadonlyMap<string, Blob>
  | Readonly<Record<string, Blob>>
  | Iterable<PickedFile>
  // A `FileList` where TypeScript doesn't know that it can be iterated, without `dom.iterable`.
  | ArrayLike<PickedFile>;

/** The kind of device that runs the model. */
export type DeviceKind = "webgpu" | "wasm";

/**
 * Instructions of the CPU's kernels: those that every browser has; relaxed SIMD, which multiplies and adds floats at
 * once; and that with dot products of four bytes, for weights in 8 bits.
 */
export type SimdSet = "simd128" | "relaxed" | "relaxed-dot";

/** The instructions of the CPU's kernels, and why they were chosen. */
export interface SimdChoice {
  /** The instructions in use. */
  set: SimdSet;
  /** The reason: they are the best in this browser, or were asked for. */
  reason: string;
}

/** Data type of the weights in memory. */
export type Dtype = "f32" | "f16" | "q8" | "q4";

/** Progress of a load. */
export interface Progress {
  /** The current phase. Phases may alternate while files arrive. */
  phase: "download" | "cache" | "verify" | "upload" | "compile" | "warmup";
  /** The current file; empty if the phase has none. */
  file: string;
  /** Bytes read so far, over all files. Never decreases. */
  loaded: number;
  /** Total bytes of all files. Never decreases. */
  total: number;
  /** False while the size of a file isn't known; `total` then counts what was read of it. */
  totalKnown: boolean;
  /** Bytes read so far of the current file. */
  fileLoaded: number;
  /** Total bytes of the current file; 0 if they aren't known. */
  fileTotal: number;
}

/**
 * The times of the parts of a load, in milliseconds. Files are read, verified and uploaded chunk by chunk, so the parts
 * alternate.
 */
export interface LoadTimes {
  /** Fetching and compiling the wasm module, while the first files are requested. */
  module: number;
  /** Waiting for the model's files, from the network or the cache. */
  fetch: number;
  /** Comparing the files with their sizes and checksums, and storing them. */
  verify: number;
  /** Finding the device, measuring it unless that was done before, and compiling its kernels. */
  compile: number;
  /** Folding and packing the weights, and uploading them to the device. */
  upload: number;
  /** A first run. */
  warmup: number;
  /** From the beginning to the end. */
  total: number;
}

/** Options of every `load`. */
export interface LoadOptions {
  /**
   * `"auto"` uses WebGPU if there is a hardware GPU that is faster than WebAssembly on the CPU: both are measured at the
   * first load, and the result is remembered.
   */
  device?: "auto" | DeviceKind | undefined;
  /**
   * Data type of the weights in memory, converted during loading if needed. `"f32"` and the default keep them as stored.
   * Weights stored in `q8` or `q4` can't be converted to another one.
   */
  dtype?: Dtype | undefined;
  /** Name of the schedule, for measurements: `chain`, `tiled` or `operations`. Default: the faster one, by measuring. */
  schedule?: string | undefined;
  /**
   * Reads special tokens written in a text, such as `[SEP]`, as plain text. Default: as `tokenizer_config.json` says. If
   * it doesn't, they are special tokens, as in `transformers`, except in the questions and contexts of question answering.
   */
  splitSpecialTokens?: boolean | undefined;
  /** Run the model in a dedicated worker. Default: true if workers are available. */
  worker?: boolean | undefined;
  /**
   * Maximum number of workers on the CPU. They read long texts and lists of texts together and, in a page that is
   * cross-origin isolated, short texts, too. Each has its own copy of the model, made from the cached files as soon as that
   * is worth it. Default: the number of cores, at most 4.
   */
  threads?: number | undefined;
  /**
   * Instructions of the CPU's kernels. With `"auto"`, the best that this browser and processor have, after a short test
   * that they compute the right results. Default: `"auto"`.
   */
  simd?: "auto" | SimdSet | undefined;
  /** Aborts the load, which then fails with code `aborted` and the signal's reason as `cause`. */
  signal?: AbortSignal | undefined;
  /** Called with the progress over all files; neither `loaded` nor `total` ever decreases. */
  onProgress?: ((progress: Progress) => void) | undefined;
  /**
   * Called with problems that don't fail the load: `quota` if the browser has no room to cache the files. Default:
   * `console.warn`.
   */
  onWarning?: ((warning: MobileBertError) => void) | undefined;
  /**
   * Host for Hugging Face ids, or several: the first one that responds within 8 s is used. Default:
   * `https://huggingface.co`.
   */
  endpoint?: string | readonly string[] | undefined;
  /** Branch, tag or commit of a Hugging Face id that doesn't name one itself. Default: `main`. */
  revision?: string | undefined;
  /**
   * Loads the model that a Hugging Face id was made from, if it has only ONNX files, as the ids in examples of
   * transformers.js do. Default: false; the error then names that model.
   */
  followBaseModel?: boolean | undefined;
  /** Sent with every request for a model file; private models need `authorization`. */
  headers?: Record<string, string> | undefined;
  /** Keep the files in the browser's cache storage. Default: true. */
  cache?: boolean | undefined;
  /** URL of `mobilebert_bg.wasm`, if it isn't at its default location. */
  wasmUrl?: string | URL | undefined;
  /** The bytes of `mobilebert_bg.wasm`, instead of its URL. */
  wasmBytes?: ArrayBuffer | Uint8Array | undefined;
  /** URL of the package's `worker.js`, if it isn't at its default location. */
  workerUrl?: string | URL | undefined;
}

/** The device a model runs on, and why. */
export interface Device {
  /** `"webgpu"` for the GPU, `"wasm"` for the CPU. */
  kind: DeviceKind;
  /** The GPU's name, as far as the browser reveals it; empty on the CPU. */
  adapter: string;
  /** True if the adapter is a software implementation. */
  fallback: boolean;
  /** The reason for this device, and for fewer threads than it was asked to use. */
  reason: string;
  /** Maximum number of workers that compute; 1 on the GPU. */
  threads: number;
  /** The instructions of the CPU's kernels; absent on the GPU. */
  simd?: SimdChoice;
  /** The basis of the choice; the first one, if the GPU was lost since. */
  chosen: DeviceChoice;
}

/** A way to run a model: on the GPU with one kernel per layer or per operation, or on the CPU. */
export type Candidate = "chain" | "tiled" | "cpu";

/** The choice of the device and its schedule. */
export interface DeviceChoice {
  /**
   * `"request"`: by the options; `"rule"`: there was nothing to choose from, for example without a hardware GPU;
   * `"measurement"`: by measuring, during this load; `"memory"`: by the measurement of an earlier load.
   */
  by: "request" | "rule" | "measurement" | "memory";
  /** The times of runs, by their length. Empty if nothing was measured. */
  lengths: LengthChoice[];
  /** The candidates that can't be used here. */
  ruledOut: RuledOut[];
}

/** Milliseconds that each candidate takes for a run, estimated from two layers with generated weights. */
export interface LengthChoice {
  /** Length of the run. */
  tokens: number;
  /** The candidate that runs of about this length use. */
  winner: Candidate;
  /** On the GPU with one kernel per layer; absent if it was ruled out. */
  chain?: number;
  /** On the GPU with one kernel per operation; absent if it was ruled out. */
  tiled?: number;
  /** On the CPU; absent if the GPU was asked for. */
  cpu?: number;
}

/** A candidate that can't be used. */
export interface RuledOut {
  /** The candidate. */
  candidate: Candidate;
  /** The reason, for example that its results are wrong. */
  reason: string;
}

/** Timing of one call in milliseconds. */
export interface Timing {
  /** Text to tokens. */
  tokenize: number;
  /** Tokens to logits. */
  compute: number;
  /** Logits to results. */
  postprocess: number;
  /** Total time. */
  total: number;
}

/** Options common to all calls. */
export interface CallOptions {
  /** Aborts the call, which then fails with code `aborted` and the signal's reason as `cause`. */
  signal?: AbortSignal | undefined;
}

/** Memory usage of a model. */
export interface Memory {
  /** Size of the wasm module's memory in bytes, over all workers. */
  wasmBytes: number;
  /** Number of GPU buffers. */
  gpuBuffers: number;
  /** Size of all GPU buffers in bytes. */
  gpuBytes: number;
}
