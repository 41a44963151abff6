import type { LoadRequest } from "../engine/request.js";
import type { PlainError } from "../errors.js";
import type { Device, Progress } from "../types.js";

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
  | "memory";

/** A call, as sent to the worker. */
export interface Call {
  name: CallName;
  args: unknown[];
  /** Whether to send partial results. */
  partial: boolean;
}

/** Messages to the worker. `abort` has the id of the request to abort. */
export type Request =
  | { id: number; kind: "load"; request: LoadRequest }
  | { id: number; kind: "call"; call: Call }
  | { id: number; kind: "abort" };

/** Messages from the worker. `started` is the first one, before any request. */
export type Reply =
  | { kind: "started" }
  | { kind: "device"; device: Device }
  | { id: number; kind: "progress"; progress: Progress }
  | { id: number; kind: "warning"; warning: PlainError }
  | { id: number; kind: "partial"; value: unknown }
  | { id: number; kind: "result"; value: unknown }
  | { id: number; kind: "error"; error: PlainError };

/** A model in a worker or in this thread. Promises settle only when the work has really ended. */
export interface Connection {
  /** Called when the model has moved to another device because its GPU was lost. */
  onDevice?: (device: Device) => void;
  load(request: LoadRequest, hooks: LoadHooks, signal: AbortSignal): Promise<ModelInfo>;
  call(call: Call, onPartial: (value: unknown) => void, signal: AbortSignal): Promise<unknown>;
  /** Frees everything, even while calls are running. */
  dispose(): void;
}
