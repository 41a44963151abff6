import type { Place } from "../files/source.js";
import type { DeviceKind, Dtype, SimdSet } from "../types.js";

/** Names of the tasks, as in `pipeline()`. */
export type Task =
  | "question-answering"
  | "text-classification"
  | "zero-shot-classification"
  | "text-ranking"
  | "token-classification"
  | "fill-mask"
  | "feature-extraction";

/** The task of the head that a task needs. */
export function headTask(task: Task): Task {
  return task === "zero-shot-classification" || task === "text-ranking" ? "text-classification" : task;
}

/** Everything needed to load a model; can be sent to a worker. */
export interface LoadRequest {
  place: Place;
  followBaseModel: boolean;
  task: Task;
  device: "auto" | DeviceKind;
  dtype: Dtype | undefined;
  schedule: string | undefined;
  splitSpecialTokens: boolean | undefined;
  simd: "auto" | SimdSet | undefined;
  cache: boolean;
  wasmUrl: string | undefined;
  wasmBytes: ArrayBuffer | Uint8Array | undefined;
  /** Maximum number of workers that run the model on the CPU, the first one included. */
  threads: number;
  /** Set if this worker helps another one. */
  help?: Help;
}

/** The state that a helper takes over from the worker that it helps, so that nothing is downloaded or compiled twice. */
export interface Help {
  /** A `WebAssembly.Module`, which TypeScript knows only with the types of the DOM. */
  module: object;
  /** Identifies the cached files; `undefined` if they can be read without the network. */
  cached: string | undefined;
}
