import type { LoadRequest } from "../engine/request.js";
import type { PlainError } from "../errors.js";
import type { Device, LoadTimes, Progress } from "../types.js";

/** Callbacks of a load. */
export interface LoadHooks {
  readonly progress: (progress: Progress) => void;
  /** Called with problems that don't fail the load. */
  readonly warning: (warning: PlainError) => void;
}

/** Information about a loaded model. */
export interface ModelInfo {
  device: Device;
  task: string;
  labels: string[];
  times: LoadTimes;
}

/** The calls of a loaded model, named as in the wasm module. */
export type CallName =
  | "ask"
  | "explain"
  | "classify"
  | "contributions"
  | "zeroShot"
  | "rank"
  | "labelTokens"
  | "fillMask"
  | "encode"
  | "tokenize"
  | "run"
  | "takePart"
  | "memory";

/** A call, as sent to the worker. */
export interface Call {
  name: CallName;
  args: unknown[];
  /** Send partial results. */
  partial: boolean;
}

/** A model in a worker or in this thread. Promises settle only when the work has really ended. */
export interface Connection {
  /** Called when the model has moved to another device because its GPU was lost. */
  onDevice?: (device: Device) => void;
  load(request: LoadRequest, hooks: LoadHooks, signal: AbortSignal): Promise<ModelInfo>;
  call(call: Call, onPartial: (value: unknown) => void, signal: AbortSignal): Promise<unknown>;
  /** Frees everything, even while calls are running. */
  dispose(): void;
}
