/**
 * Benchmarks a network in a dedicated worker, for the latency page. Built along with the package, but not published.
 *
 * @packageDocumentation
 */
import { BenchConnection } from "./bench/connection.js";
import type {
  AdapterLimits,
  BenchmarkPlace,
  BenchmarkRun,
  Expected,
  KernelProfile,
  NetworkInfo,
  RunParts,
  StartProgress,
  StartRequest,
} from "./bench/protocol.js";
import { disposed, MobileBertError } from "./errors.js";
import { resolveSource } from "./files/source.js";
import type { DeviceKind, ModelSource, SimdSet } from "./types.js";
import { canShareMemory, type MemoryView, sharedViews } from "./worker/memory.js";

export type {
  AdapterLimits,
  BenchmarkRun,
  Check,
  ColdStart,
  Expected,
  KernelProfile,
  KernelTime,
  NetworkInfo,
  RunParts,
  StartProgress,
  StoredOutput,
} from "./bench/protocol.js";
export { canShareMemory } from "./worker/memory.js";

/** A network with weights generated from a seed, given by the text of its `config.json`; or a model. */
export type BenchmarkSource = { config: string; seed: number } | { model: ModelSource };

/** Options of {@link Benchmark.start}. */
export interface BenchmarkOptions {
  /** As for `load`. */
  device?: "auto" | DeviceKind;
  /** As for `load`. */
  schedule?: string;
  /**
   * Number of threads that share each run on the CPU, each a worker with its own copy of the weights; 1 by default.
   * More need memory that workers share; see {@link canShareMemory}. Ignored on a GPU, and by schedules whose steps
   * don't divide: `started.threads` is the number in use.
   */
  threads?: number;
  /** As for `load`. All threads use the same. */
  simd?: "auto" | SimdSet;
  /** Request GPU timestamps, which `parts` and `profile` use if the adapter supports them. */
  profiling?: boolean;
  onProgress?: (progress: StartProgress) => void;
  /** Aborts the start or a later run by ending the worker. */
  signal?: AbortSignal;
  wasmUrl?: string | URL;
}

/** A network on its device, run on fixed token ids. Calls run one at a time. */
export class Benchmark {
  /** Information about the network and its cold start. */
  readonly started: NetworkInfo;

  private constructor(
    private readonly connection: BenchConnection,
    /** The workers of further threads. */
    private readonly others: BenchConnection[],
    started: NetworkInfo,
  ) {
    this.started = started;
  }

  /** Starts a worker and loads a network onto its device, timing each part; then the workers of further threads. */
  static async start(source: BenchmarkSource, options: BenchmarkOptions = {}): Promise<Benchmark> {
    const { device = "auto", schedule, threads = 1, simd = "auto", profiling = false } = options;
    const { wasmUrl, signal, onProgress } = options;
    if (threads > 1 && !canShareMemory()) throw notIsolated();
    const place: BenchmarkPlace =
      "model" in source
        ? { kind: "model", place: await resolveSource(source.model, {}) }
        : { kind: "seeded", config: source.config, seed: source.seed };
    const wasm = wasmUrl === undefined ? undefined : new URL(wasmUrl, location.href).href;
    const request: StartRequest = { place, device, schedule, simd, profiling, wasmUrl: wasm };
    const report = onProgress ?? (() => {});
    const first = new BenchConnection(report, signal);
    const others: BenchConnection[] = [];
    try {
      const started = (await first.send({ kind: "start", request })) as NetworkInfo;
      const divides = async () => (await first.send({ kind: "exchanged", sequence: 1 })) !== undefined;
      if (threads > 1 && started.threads !== null && (await divides()))
        await startOthers(others, threads - 1, { ...request, device: "wasm", simd: started.simd }, report, signal);
      return new Benchmark(first, others, { ...started, threads: started.threads && 1 + others.length });
    } catch (error) {
      for (const connection of [first, ...others]) connection.end(disposed());
      throw error;
    }
  }

  /** Runs one sequence of this many tokens; compares the results with `expected` if given. */
  async run(sequence: number, expected?: Expected): Promise<BenchmarkRun> {
    const run = this.others.length > 0 ? this.runShared(sequence, expected) : this.runAlone(sequence, expected);
    return await run;
  }

  /** Returns the number of kernels launched per run with this many tokens. */
  async dispatches(sequence: number): Promise<number> {
    return (await this.connection.send({ kind: "dispatches", sequence })) as number;
  }

  /** Returns the size of the activations of a run with this many tokens in bytes. */
  async activationBytes(sequence: number): Promise<number> {
    return (await this.connection.send({ kind: "activationBytes", sequence })) as number;
  }

  /** Returns the median time of each part of a run on the GPU; `null` on the CPU. */
  async parts(sequence: number, runs: number): Promise<RunParts | null> {
    return (await this.connection.send({ kind: "parts", sequence, runs })) as RunParts | null;
  }

  /** Measures the limits of the GPU; `null` on the CPU. Later profiles compare kernels with them. */
  async limits(): Promise<AdapterLimits | null> {
    return (await this.connection.send({ kind: "limits" })) as AdapterLimits | null;
  }

  /** Measures the time of each kernel in runs with this many tokens. */
  async profile(sequence: number, runs: number): Promise<KernelProfile> {
    return (await this.connection.send({ kind: "profile", sequence, runs })) as KernelProfile;
  }

  /** Ends the workers, which frees all memory. */
  dispose(): void {
    for (const connection of [this.connection, ...this.others]) connection.end(disposed());
  }

  private async runAlone(sequence: number, expected: Expected | undefined): Promise<BenchmarkRun> {
    return (await this.connection.send({ kind: "run", sequence, expected })) as BenchmarkRun;
  }

  /** All workers run the same sequence, each its part, and get the same results; those of the first one count. */
  private async runShared(sequence: number, expected: Expected | undefined): Promise<BenchmarkRun> {
    const floats = (await this.connection.send({ kind: "exchanged", sequence })) as number;
    const workers = [this.connection, ...this.others];
    const views = sharedViews(workers.length, floats);
    const part = (worker: BenchConnection, index: number) =>
      worker.send({
        kind: "runPart",
        sequence,
        expected: index === 0 ? expected : undefined,
        memory: views[index] as MemoryView,
      });
    const [run] = await Promise.all(workers.map(part));
    if (!run) throw new MobileBertError("internal", "a thread didn't compute its part of a run within 2 seconds");
    return run as BenchmarkRun;
  }
}

/** Starts the workers of further threads at the same time, each with the same request; adds them to `others`. */
async function startOthers(
  others: BenchConnection[],
  count: number,
  request: StartRequest,
  report: (progress: StartProgress) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  const shares = new Array<number>(count).fill(0);
  for (let index = 0; index < count; index++) {
    const progress = ({ share }: StartProgress) => {
      shares[index] = share ?? 0;
      report({ phase: "threads", share: Math.min(...shares) });
    };
    others.push(new BenchConnection(progress, signal));
  }
  await Promise.all(others.map((other) => other.send({ kind: "start", request })));
}

function notIsolated(): MobileBertError {
  const problem = "several threads need memory that workers share, and this page has none";
  return new MobileBertError("unsupported", `${problem}; it must be cross-origin isolated`, { field: "threads" });
}
