import type { PlainError } from "./errors.js";
import type { Place } from "./source.js";
import type { Device, DeviceKind, Dtype, Progress } from "./types.js";

/** What the package calls its tasks: the names of `pipeline()`. */
export type Task =
  | "question-answering"
  | "text-classification"
  | "token-classification"
  | "fill-mask"
  | "feature-extraction";

/** Everything that loading needs; crosses into the worker. */
export interface LoadRequest {
  place: Place;
  task: Task;
  device: "auto" | DeviceKind;
  dtype: Dtype | undefined;
  schedule: string | undefined;
  cache: boolean;
  wasmUrl: string | undefined;
  wasmBytes: ArrayBuffer | Uint8Array | undefined;
}

/** What a load tells while it runs. */
export interface LoadHooks {
  readonly progress: (progress: Progress) => void;
  /** Something went wrong that the load can do without. */
  readonly warning: (warning: PlainError) => void;
}

/** What is known once a model stands. */
export interface Loaded {
  device: Device;
  task: string;
  labels: string[];
}

/** The calls a loaded model answers, by the names of the wasm module. */
export type CallName = "ask" | "classify" | "labelTokens" | "fillMask" | "encode" | "memory";

/** A call as it crosses. */
export interface Call {
  name: CallName;
  args: unknown[];
  /** Whether results so far are wanted. */
  partial: boolean;
}

/** To the worker. `abort` names the request it stops. */
export type Request =
  | { id: number; kind: "load"; request: LoadRequest }
  | { id: number; kind: "call"; call: Call }
  | { id: number; kind: "abort" };

/** From the worker. */
export type Reply =
  | { kind: "device"; device: Device }
  | { id: number; kind: "progress"; progress: Progress }
  | { id: number; kind: "warning"; warning: PlainError }
  | { id: number; kind: "partial"; value: unknown }
  | { id: number; kind: "result"; value: unknown }
  | { id: number; kind: "error"; error: PlainError };

/** One model somewhere: in a worker, or in this thread. Promises settle when the work has really ended. */
export interface Connection {
  /** Called when the model runs elsewhere from now on: its GPU was lost. */
  onDevice?: (device: Device) => void;
  load(request: LoadRequest, hooks: LoadHooks, signal: AbortSignal): Promise<Loaded>;
  call(call: Call, onPartial: (value: unknown) => void, signal: AbortSignal): Promise<unknown>;
  /** Frees everything, whatever is going on. */
  dispose(): void;
}
