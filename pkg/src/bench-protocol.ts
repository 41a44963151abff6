import type { PlainError } from "./errors.js";
import type { Place } from "./files/source.js";
import type { Device, DeviceKind } from "./types.js";

/** What the worker is to measure. */
export type BenchmarkPlace = { kind: "seeded"; config: string; seed: number } | { kind: "model"; place: Place };

/** Everything that a start needs; crosses into the worker. */
export interface StartRequest {
  place: BenchmarkPlace;
  device: "auto" | DeviceKind;
  schedule: string | undefined;
  profiling: boolean;
  wasmUrl: string | undefined;
}

/** Milliseconds of the parts of a cold start; `null` where there was nothing to do. They do not overlap. */
export interface ColdStart {
  /** Fetching, compiling and starting the wasm module. */
  module: number;
  /** Waiting for the bytes of the model's files. */
  download: number | null;
  /** Making weights on the spot. */
  generate: number | null;
  /** Comparing the files with their `files.json`. */
  verify: number | null;
  /** Unpacking, folding and packing weights and handing them to the device. */
  upload: number;
  /** Finding the device and compiling its kernels. */
  compile: number;
}

/** What stands once a start has ended. */
export interface Started {
  cold: ColdStart;
  device: Device;
  /** Version of the wasm module. */
  version: string;
  /** The class in `transformers`. */
  architecture: string;
  /** Number of trained values. */
  parameters: number;
  /** Bytes of the parameters on the device. */
  weightBytes: number;
  schedule: string;
  /** The longest sequence in tokens. */
  longest: number;
}

/** Progress of a start. */
export interface StartProgress {
  phase: "module" | "compile" | "download" | "generate" | "upload";
  /** From 0 to 1 where it is known. */
  share: number | null;
}

/** A sample of one output, taken as one row, in float64. */
export interface StoredOutput {
  places: number[];
  values: number[];
  /** Root mean square of the whole row. */
  rms: number;
}

/** What a run should give. */
export interface Expected {
  /** By name of the output: `start_logits`, … */
  logits: Record<string, StoredOutput>;
  /** The largest |Δ| over the row's root mean square that is right. */
  allowed: number;
}

/** How far a run was from what it should give. */
export interface Check {
  right: boolean;
  /** The largest |Δ| over the row's root mean square; `null` where a value was no number at all. */
  difference: number | null;
  allowed: number;
}

/** One run. */
export interface BenchmarkRun {
  /** From ids to results in memory, by the worker's clock. */
  milliseconds: number;
  check: Check | null;
}

/** How a run divides on a GPU, in milliseconds. */
export interface RunParts {
  /** Writing inputs, encoding and submitting. */
  encode_ms: number;
  /** The compute pass. */
  gpu_ms: number;
  /** Copying the results back and learning that they are there. */
  readback_ms: number;
  /** What measured the compute pass. */
  clock: string;
}

/** What a GPU can do at best. */
export interface AdapterLimits {
  /** Bytes that a copy reads and writes per second, in units of 10⁹. */
  copy_gb_s: number;
  /** f32 operations per second in multiply-adds, in units of 10⁹. */
  multiply_add_gflop_s: number;
  /** What measured them. */
  clock: string;
}

/** The dispatches of one kernel in a profile. */
export interface KernelTime {
  kernel: string;
  dispatches: number;
  /** All of them, in milliseconds. */
  ms: number;
  /** Share of all kernels' time, from 0 to 1. */
  share: number;
  /** Floating-point operations in matrix products per second, in units of 10⁹. */
  gflop_s: number;
  /** Bytes that have to be moved at least once per second, in units of 10⁹. */
  gb_s: number;
  /** How near that comes to the GPU's nearer limit. */
  of_limit: { limit: string; share: number } | null;
}

/** The time of every kernel, means over several runs. */
export interface KernelProfile {
  sequence: number;
  batch: number;
  runs: number;
  /** `timestamps`, `submits` or `cpu`. */
  clock: string;
  /** What that means for the figures. */
  note: string;
  /** All kernels together, in milliseconds. */
  total_ms: number;
  /** The median of runs that were not profiled, in milliseconds. */
  run_ms: number;
  kernels: KernelTime[];
  steps: { label: string; kernel: string; ms: number }[];
}

/** To the worker. */
export type BenchRequest =
  | { id: number; kind: "start"; request: StartRequest }
  | { id: number; kind: "run"; sequence: number; expected: Expected | undefined }
  | { id: number; kind: "dispatches" | "activationBytes"; sequence: number }
  | { id: number; kind: "parts" | "profile"; sequence: number; runs: number }
  | { id: number; kind: "limits" };

/** From the worker. */
export type BenchReply =
  | { id: number; kind: "progress"; progress: StartProgress }
  | { id: number; kind: "result"; value: unknown }
  | { id: number; kind: "error"; error: PlainError };
