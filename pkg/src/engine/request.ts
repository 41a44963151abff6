import type { Place } from "../files/source.js";
import type { DeviceKind, Dtype } from "../types.js";

/** Names of the tasks, as in `pipeline()`. */
export type Task =
  | "question-answering"
  | "text-classification"
  | "token-classification"
  | "fill-mask"
  | "feature-extraction";

/** Everything needed to load a model; can be sent to a worker. */
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
