import type { Place } from "../files/source.js";
import type { DeviceKind, Dtype } from "../types.js";

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
  cache: boolean;
  wasmUrl: string | undefined;
  wasmBytes: ArrayBuffer | Uint8Array | undefined;
}
