import type { PlainError } from "../errors.js";
import type { Place } from "../files/source.js";
import type { Device, DeviceKind, SimdSet } from "../types.js";
import type { MemoryView } from "../worker/memory.js";

/** The network to measure. */
export type BenchmarkPlace = { kind: "seeded"; config: string; seed: number } | { kind: "model"; place: Place };

/** Everything needed to start a benchmark; can be sent to the worker. */
export interface StartRequest {
  place: BenchmarkPlace;
  device: "auto" | DeviceKind;
  schedule: string | undefined;
  simd: "auto" | SimdSet;
  profiling: boolean;
  wasmUrl: string | undefined;
}

/** Duration of each part of a cold start in milliseconds; `null` if it didn't happen. The parts don't overlap. */
export interface ColdStart {
  /** Fetching, compiling and starting the wasm module. */
  module: number;
  /** Waiting for the model's files. */
  download: number | null;
  /** Generating weights. */
  generate: number | null;
  /** Verifying the files against `files.json`. */
  verify: number | null;
  /** Unpacking, folding and packing weights and uploading them to the device. */
  upload: number;
  /** Finding the device, measuring it, and compiling its kernels. */
  compile: number;
}

/** Information about a started benchmark. */
export interface NetworkInfo {
  cold: ColdStart;
  device: Device;
  /** Number of CPU threads that share each run; `null` on a GPU. */
  threads: number | null;
  /** The instructions of the CPU executor. */
  simd: SimdSet;
  /** Version of the wasm module. */
  version: string;
  /** Name of the class in `transformers`. */
  architecture: string;
  /** Number of parameters. */
  parameters: number;
  /** Size of the parameters on the device in bytes. */
  weightBytes: number;
  schedule: string;
  /** All schedules of this engine. */
  schedules: string[];
  /** Maximum sequence length in tokens. */
  longest: number;
}

/** Progress of a start. */
export interface StartProgress {
  phase: "module" | "compile" | "download" | "generate" | "upload" | "threads";
  /** From 0 to 1, or `null` if unknown. */
  share: number | null;
}

/** A sample of an output's values, flattened, in float64. */
export interface StoredOutput {
  places: number[];
  values: number[];
  /** Root mean square of all values. */
  rms: number;
}

/** The expected results of a run. */
export interface Expected {
  /** By name of the output, such as `start_logits`. */
  logits: Record<string, StoredOutput>;
  /** The largest allowed |Δ| over the root mean square. */
  allowed: number;
}

/** The comparison of a run with the expected results. */
export interface Check {
  right: boolean;
  /** The largest |Δ| over the root mean square; `null` if a value was NaN or infinite. */
  difference: number | null;
  allowed: number;
}

/** One run. */
export interface BenchmarkRun {
  /** Time from ids to results in memory, in the worker. */
  milliseconds: number;
  check: Check | null;
}

/** The parts of a run on a GPU in milliseconds. */
export interface RunParts {
  /** Writing inputs, encoding and submitting. */
  encode_ms: number;
  /** The compute pass. */
  gpu_ms: number;
  /** Reading back the results. */
  readback_ms: number;
  /** The clock used for the compute pass. */
  clock: string;
}

/** Measured limits of a GPU. */
export interface AdapterLimits {
  /** Bandwidth of a copy, reads plus writes, in GB/s. */
  copy_gb_s: number;
  /** Throughput of f32 multiply-adds in GFLOP/s. */
  multiply_add_gflop_s: number;
  /**
   * Throughput of dot products of four bytes (`dot4I8Packed`, eight operations each) in Gop/s; null where WGSL lacks
   * them.
   */
  byte_dot_gop_s: number | null;
  /** The clock used. */
  clock: string;
}

/** All dispatches of one kernel in a profile. */
export interface KernelTime {
  kernel: string;
  dispatches: number;
  /** Total time in milliseconds. */
  ms: number;
  /** Share of all kernels' time, from 0 to 1. */
  share: number;
  /** Throughput of matrix products in GFLOP/s. */
  gflop_s: number;
  /** Required memory traffic over time in GB/s. */
  gb_s: number;
  /** Share of the GPU's limit that is closer. */
  of_limit: { limit: string; share: number } | null;
}

/** The time of each kernel, averaged over several runs. */
export interface KernelProfile {
  sequence: number;
  batch: number;
  runs: number;
  /** `timestamps`, `submits` or `cpu`. */
  clock: string;
  /** The effect of the clock on the figures. */
  note: string;
  /** Total time of all kernels in milliseconds. */
  total_ms: number;
  /** Median time of unprofiled runs in milliseconds. */
  run_ms: number;
  kernels: KernelTime[];
  steps: { label: string; kernel: string; ms: number }[];
}

/** Messages to the worker. */
export type BenchRequest =
  | { id: number; kind: "start"; request: StartRequest }
  | { id: number; kind: "run"; sequence: number; expected: Expected | undefined }
  | { id: number; kind: "runPart"; sequence: number; expected: Expected | undefined; memory: MemoryView }
  | { id: number; kind: "dispatches" | "activationBytes" | "exchanged"; sequence: number }
  | { id: number; kind: "parts" | "profile"; sequence: number; runs: number }
  | { id: number; kind: "limits" };

/** Messages from the worker. */
export type BenchReply =
  | { id: number; kind: "progress"; progress: StartProgress }
  | { id: number; kind: "result"; value: unknown }
  | { id: number; kind: "error"; error: PlainError };
