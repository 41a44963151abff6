import type { LoadRequest } from "../engine/request.js";
import type { PlainError } from "../errors.js";
import type { Device, Progress } from "../types.js";
import type { Call } from "./protocol.js";

/** Messages to the worker. `abort` has the id of the request to abort. */
export type Request =
  | { id: number; kind: "load"; request: LoadRequest }
  | { id: number; kind: "call"; call: Call }
  | { id: number; kind: "abort" }
  /** A helper that is ready, and the channel to it. */
  | { kind: "helper"; helper: number; port: MessagePort }
  /** A helper that didn't start or has stopped. */
  | { kind: "lost"; helper: number; reason: string }
  /** To a helper: requests also arrive from the worker it helps. */
  | { kind: "serve"; port: MessagePort };

/** Answers to a request. */
export type AnswerReply =
  | { id: number; kind: "progress"; progress: Progress }
  | { id: number; kind: "warning"; warning: PlainError }
  | { id: number; kind: "partial"; value: unknown }
  | { id: number; kind: "result"; value: unknown }
  | { id: number; kind: "error"; error: PlainError };

/** Messages from the worker. `started` is the first one, before any request. */
export type Reply =
  | AnswerReply
  | { kind: "started" }
  | { kind: "device"; device: Device }
  /** Asks for helpers, which load the model with this request. */
  | { kind: "start-helpers"; count: number; request: LoadRequest }
  /** Ends a helper that doesn't respond. */
  | { kind: "terminate-helper"; helper: number };
