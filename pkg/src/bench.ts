/**
 * Benchmarks a network in a dedicated worker, for the latency page. Built along with the package, but not published.
 *
 * @packageDocumentation
 */
import type {
  AdapterLimits,
  BenchmarkPlace,
  BenchmarkRun,
  BenchReply,
  BenchRequest,
  Expected,
  KernelProfile,
  NetworkInfo,
  RunParts,
  StartProgress,
  StartRequest,
} from "./bench/protocol.js";
import { aborted, disposed, MobileBertError, toError } from "./errors.js";
import { resolveSource } from "./files/source.js";
import type { DeviceKind, ModelSource } from "./types.js";

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

/** A network with weights generated from a seed, given by the text of its `config.json`; or a model. */
export type BenchmarkSource = { config: string; seed: number } | { model: ModelSource };

/** Options of {@link Benchmark.start}. */
export interface BenchmarkOptions {
  /** As for `load`. */
  device?: "auto" | DeviceKind;
  /** As for `load`. */
  schedule?: string;
  /** Whether to request GPU timestamps, which `parts` and `profile` use if the adapter supports them. */
  profiling?: boolean;
  onProgress?: (progress: StartProgress) => void;
  /** Aborts the start or a later run by ending the worker. */
  signal?: AbortSignal;
  wasmUrl?: string | URL;
}

/** A request without its id. */
type WithoutId<T> = T extends unknown ? Omit<T, "id"> : never;

interface Pending {
  resolve(value: unknown): void;
  reject(error: MobileBertError): void;
}

/** A network on its device, run on fixed token ids. Calls run one at a time. */
export class Benchmark {
  /** Information about the network and its cold start. */
  readonly started: NetworkInfo;

  private constructor(
    private readonly connection: BenchConnection,
    started: NetworkInfo,
  ) {
    this.started = started;
  }

  /** Starts a worker and loads a network onto its device, timing each part. */
  static async start(source: BenchmarkSource, options: BenchmarkOptions = {}): Promise<Benchmark> {
    const { device = "auto", schedule, profiling = false, wasmUrl, signal, onProgress } = options;
    const place: BenchmarkPlace =
      "model" in source
        ? { kind: "model", place: await resolveSource(source.model, {}) }
        : { kind: "seeded", config: source.config, seed: source.seed };
    const wasm = wasmUrl === undefined ? undefined : new URL(wasmUrl, location.href).href;
    const request: StartRequest = { place, device, schedule, profiling, wasmUrl: wasm };
    const connection = new BenchConnection(onProgress ?? (() => {}), signal);
    try {
      return new Benchmark(connection, (await connection.send({ kind: "start", request })) as NetworkInfo);
    } catch (error) {
      connection.end(disposed());
      throw error;
    }
  }

  /** Runs one sequence of this many tokens; compares the results with `expected` if given. */
  async run(sequence: number, expected?: Expected): Promise<BenchmarkRun> {
    return (await this.connection.send({ kind: "run", sequence, expected })) as BenchmarkRun;
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

  /** Ends the worker, which frees all memory. */
  dispose(): void {
    this.connection.end(disposed());
  }
}

/** The page's side of the worker. */
class BenchConnection {
  private readonly worker: Worker;
  private readonly pending = new Map<number, Pending>();
  private next = 0;
  private ended: MobileBertError | undefined;

  constructor(
    private readonly onProgress: (progress: StartProgress) => void,
    signal: AbortSignal | undefined,
  ) {
    this.worker = new Worker(new URL("./bench-worker.js", import.meta.url), {
      type: "module",
      name: "mobilebert-bench",
    });
    this.worker.onmessage = ({ data }: MessageEvent<BenchReply>) => this.receive(data);
    this.worker.onerror = (event) => {
      event.preventDefault();
      const reason = event.message || "bench-worker.js could not be loaded; is it served next to bench.js?";
      this.end(new MobileBertError("internal", `the worker stopped: ${reason}`));
    };
    if (signal?.aborted) this.end(aborted());
    else signal?.addEventListener("abort", () => this.end(aborted()), { once: true });
  }

  send(request: WithoutId<BenchRequest>): Promise<unknown> {
    if (this.ended) return Promise.reject(this.ended);
    const id = this.next++;
    return new Promise((resolve, reject) => {
      this.worker.postMessage({ ...request, id } satisfies BenchRequest);
      this.pending.set(id, { resolve, reject });
    });
  }

  end(error: MobileBertError): void {
    this.ended ??= error;
    this.worker.terminate();
    for (const pending of this.pending.values()) pending.reject(this.ended);
    this.pending.clear();
  }

  private receive(reply: BenchReply): void {
    if (reply.kind === "progress") {
      this.onProgress(reply.progress);
      return;
    }
    const pending = this.pending.get(reply.id);
    this.pending.delete(reply.id);
    if (reply.kind === "result") pending?.resolve(reply.value);
    else pending?.reject(toError(reply.error));
  }
}
