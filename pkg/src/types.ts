import type { MobileBertError } from "./errors.js";

/** Where a model comes from: the address of a directory, a Hugging Face id `owner/name[@revision]`, or its files. */
export type ModelSource = string | URL | ModelFiles;

/** A file as an `<input type="file">`, a drop or Node's `File` gives it. */
export interface PickedFile extends Blob {
  /** Its name, `config.json` for example. */
  readonly name: string;
  /** Its path in the folder that was picked; only the model's own directory in it counts. */
  readonly webkitRelativePath?: string;
}

/**
 * Files that a person picked, a `FileList` for example, or files by name: `config.json`, `model.safetensors`,
 * `tokenizer.json` or `vocab.txt`. Names may carry a folder's path.
 */
export type ModelFiles = ReadonlyMap<string, Blob> | Readonly<Record<string, Blob>> | Iterable<PickedFile>;

/** Where the computation runs. */
export type DeviceKind = "webgpu" | "wasm";

/** How weights are kept: as stored, or converted while they load. */
export type Dtype = "f32" | "f16" | "q8" | "q4";

/** What happens while a model loads. */
export interface Progress {
  /** What is being done. Phases may take turns while files arrive. */
  phase: "download" | "cache" | "verify" | "upload" | "compile" | "warmup";
  /** The file at hand; empty where the phase has none. */
  file: string;
  /** Bytes read so far, of all files together. Never falls. */
  loaded: number;
  /** Bytes of all files together. Never falls. */
  total: number;
}

/** Options of every `load`. */
export interface LoadOptions {
  /** `"auto"` takes WebGPU where a real GPU answers, else wasm on the CPU. */
  device?: "auto" | DeviceKind;
  /** How weights are kept. Default: as stored. */
  dtype?: Dtype;
  /** Name of the schedule, for measurements; the default is the fastest known. */
  schedule?: string;
  /** Whether everything heavy runs in a worker of its own. Default: where there are workers. */
  worker?: boolean;
  /** Stops the load, which then fails with `aborted`. */
  signal?: AbortSignal;
  /** Called with one total of bytes that never falls. */
  onProgress?: (progress: Progress) => void;
  /**
   * Told of what went wrong and did not stop the load: `quota`, where the browser has no room to keep the files.
   * Default: `console.warn`.
   */
  onWarning?: (warning: MobileBertError) => void;
  /**
   * Host that serves Hugging Face ids, or several: the first that answers within 8 s is taken. Default
   * `https://huggingface.co`.
   */
  endpoint?: string | readonly string[];
  /** Branch, tag or commit of a Hugging Face id; default `main`. */
  revision?: string;
  /** Sent with every request for a model's file; a model that is not public needs `authorization`. */
  headers?: Record<string, string>;
  /** Whether files are kept in the browser's cache storage. Default true. */
  cache?: boolean;
  /** Address of `mobilebert_bg.wasm`, where a bundler moved it. */
  wasmUrl?: string | URL;
  /** The bytes of `mobilebert_bg.wasm`, in place of its address. */
  wasmBytes?: ArrayBuffer | Uint8Array;
  /** Address of the package's `worker.js`, where a bundler moved it. Of the page's own origin. */
  workerUrl?: string | URL;
}

/** Where a model runs, and why there. */
export interface Device {
  /** The GPU, or the CPU by WebAssembly. */
  kind: DeviceKind;
  /** The GPU's name as far as the browser tells it; empty on the CPU. */
  adapter: string;
  /** Whether the adapter is software. */
  fallback: boolean;
  /** Why this device, in words. */
  reason: string;
}

/** Times of one call in milliseconds. */
export interface Timing {
  /** Text to word pieces, in ms. */
  tokenize: number;
  /** Word pieces to logits, in ms. */
  compute: number;
  /** Logits to answers. */
  search: number;
  /** All of it, in ms. */
  total: number;
}

/** A call's options that are not the task's. */
export interface CallOptions {
  /** Stops the call, which then fails with `aborted`. */
  signal?: AbortSignal;
}

/** What a model occupies. */
export interface Memory {
  /** Bytes of the wasm module's memory. */
  wasmBytes: number;
  /** How many buffers stand on the GPU. */
  gpuBuffers: number;
  /** Bytes of the buffers on the GPU. */
  gpuBytes: number;
}
