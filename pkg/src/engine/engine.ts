import { MobileBertError } from "../errors.js";
import type { Device, DeviceKind, Memory, SimdChoice, SimdSet } from "../types.js";
import { compile, type EngineSource, readModule, startError } from "./module.js";
import { addRelaxed, type Install, type MainExports, NO_RELAXED } from "./relaxed.js";
import { setRefusedBytes } from "./trap.js";

/** Texts of the files that the wasm module needs before the weights. */
export interface EngineFiles {
  config: string;
  /** The small files that exist, by name. */
  small: Record<string, string>;
  /** The index of a sharded checkpoint. */
  index?: string;
  task?: string;
}

/** Options of the wasm module's `Loader`. */
export interface EngineOptions {
  device: "auto" | DeviceKind;
  dtype?: string;
  schedule?: string;
  splitSpecialTokens?: boolean;
  simd?: SimdSet;
  /** Ask the GPU for timestamps. */
  profiling?: boolean;
}

/** Called with partial results; returns whether to continue. */
export type EnginePartial = (partial: unknown) => boolean | undefined | Promise<boolean | undefined>;

/** A loaded model in the wasm module. Allows one call at a time. */
export interface EngineModel {
  device(): Device;
  task(): string;
  labels(): string[];
  ask(question: string, context: string, options: object, onPartial?: EnginePartial): Promise<unknown>;
  explain(question: string, context: string, options: object, onProgress?: EnginePartial): Promise<unknown>;
  classify(texts: unknown[], options: object, onProgress?: EnginePartial): Promise<unknown>;
  contributions(text: string, label: string | undefined, onProgress?: EnginePartial): Promise<unknown>;
  zeroShot(text: string, labels: unknown[], options: object, onProgress?: EnginePartial): Promise<unknown>;
  rank(query: string, documents: unknown[], options: object, onProgress?: EnginePartial): Promise<unknown>;
  labelTokens(text: string, options: object, onProgress?: EnginePartial): Promise<unknown>;
  fillMask(text: string, options: object): Promise<unknown>;
  encode(texts: unknown[], options: object, onProgress?: EnginePartial): Promise<unknown>;
  tokenize(text: string, pair: string | undefined): unknown;
  /** Sets the helpers of the next call. */
  setHelpers(helpers: EngineHelpers | undefined): void;
  /** Runs the sequences of a job that another worker has offered. */
  run(sequences: unknown[]): Promise<unknown>;
  /** Computes a part of a run that another worker shares; returns whether no worker was lost. */
  takePart(inputs: unknown[], batch: number, memory: EngineMemory): boolean;
  memory(): Memory;
  free(): void;
}

/** The helpers of one call. Jobs are numbered; sequences and outputs are opaque. */
export interface EngineHelpers {
  /** Notes how many milliseconds the rest of the call would take without helpers. */
  expect(milliseconds: number): void;
  /** Offers a job; returns whether a helper has taken it. */
  offer(job: number, sequences: unknown[]): boolean;
  /** Takes back a job that no helper has begun. */
  reclaim(): number | undefined;
  /** The outputs that have arrived; `undefined` for a job whose helper was lost. Waits for some if there are none. */
  finished(milliseconds: number): Promise<[job: number, outputs: unknown][]>;
  /** Returns whether {@link share} is possible now. */
  canShare(): boolean;
  /** Has the helpers begin their parts of a run. `inputs` are opaque. */
  share(inputs: unknown[], batch: number, floats: number): EngineMemory | undefined;
  /** Gives up the helpers that have jobs. */
  giveUp(): void;
}

/** Memory that the workers of a run share. */
export interface EngineMemory {
  /** Index of this worker's part. */
  readonly part: number;
  /** Number of parts. */
  readonly parts: number;
  /** Writes values to the memory. */
  put(offset: number, values: Float32Array): void;
  /** Waits until every worker has come here; returns whether none is lost. */
  wait(): boolean;
  /** Reads values that were written before the last wait. */
  get(offset: number, values: Float32Array): void;
}

/** Loads weights, which must be pushed in file order. */
export interface EngineLoader {
  device(): Device;
  push(chunk: Uint8Array): void | Promise<void>;
  beginFile(name: string, bytes?: number): void;
  /** While the device isn't chosen, the key under which to remember the choice. */
  choiceKey(): string | undefined;
  /** Chooses the device; takes what was remembered, and returns what to remember. */
  choose(remembered: string | undefined): Promise<string | undefined>;
  finish(): Promise<EngineModel>;
  free(): void;
}

/** Quantizes weights, which must be pushed in file order. */
export interface EngineQuantizer {
  beginFile(name: string, bytes?: number): void;
  push(chunk: Uint8Array): void;
  /** The next part of the quantized file; `undefined` at its end. */
  nextPart(): Uint8Array | undefined;
}

interface Engine {
  default(input: { module_or_path: WebAssembly.Module }): Promise<MainExports>;
  installRelaxed: Install;
  Loader: { create(files: EngineFiles, options: EngineOptions): Promise<EngineLoader> };
  Quantizer: { create(config: string, index: string | undefined, dtype: string): EngineQuantizer };
  /** Size in bytes of the last failed allocation, or 0 if one has succeeded since. */
  refusedBytes(): number;
}

let started: Promise<Engine> | undefined;
let compiled: WebAssembly.Module | undefined;
let addSimd: (() => Promise<SimdChoice>) | undefined;
let bestSimd: Promise<SimdChoice> | undefined;

/** The compiled wasm module, after it has started. */
export function engineModule(): WebAssembly.Module {
  if (!compiled) throw new MobileBertError("internal", "the wasm module has not started");
  return compiled;
}

/** Loads and starts the wasm module once; retries after a failed start. */
export function startEngine(source: EngineSource): Promise<Engine> {
  started ??= start(source).catch((error) => {
    started = undefined;
    throw error;
  });
  return started;
}

/** The instructions of the CPU's kernels for a model that wants these, after the wasm module has started. */
export async function simdFor(wanted: "auto" | SimdSet = "auto"): Promise<SimdChoice> {
  if (wanted === "simd128") return { set: wanted, reason: "they were asked for" };
  bestSimd ??= addSimd?.();
  const best = (await bestSimd) as SimdChoice;
  if (wanted === "auto" || wanted === best.set) return best;
  if (best.reason.startsWith(NO_RELAXED)) {
    throw new MobileBertError("unsupported", `simd "${wanted}": ${best.reason}`, { field: "simd" });
  }
  return { set: wanted, reason: "they were asked for" };
}

async function start(source: EngineSource): Promise<Engine> {
  const engine = (await import("#wasm")) as unknown as Engine;
  setRefusedBytes(() => engine.refusedBytes());
  const stop = new AbortController();
  const input = source.module ?? (await readModule(source, stop));
  try {
    compiled = await compile(input, stop);
    const module = compiled;
    const exports = await engine.default({ module_or_path: module });
    addSimd = () => addRelaxed(module, exports, engine.installRelaxed);
  } catch (error) {
    throw startError(error);
  }
  return engine;
}
