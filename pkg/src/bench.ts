/**
 * Times a network in a worker of its own: what the latency page stands on. Built beside the package, not published with it.
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
  RunParts,
  Started,
  StartProgress,
  StartRequest,
} from "./bench-protocol.js";
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
  RunParts,
  Started,
  StartProgress,
  StoredOutput,
} from "./bench-protocol.js";

/** A network whose weights are made on the spot from a seed, by the text of its `config.json`; or a model. */
export type BenchmarkSource = { config: string; seed: number } | { model: ModelSource };

/** Options of {@link Benchmark.start}. */
export interface BenchmarkOptions {
  /** As for `load`. */
  device?: "auto" | DeviceKind;
  /** As for `load`. */
  schedule?: string;
  /** Ask the GPU for timestamps, which `parts` and `profile` use where the adapter has them. */
  profiling?: boolean;
  onProgress?: (progress: StartProgress) => void;
  /** Stops the start and, later, whatever runs: the worker ends. */
  signal?: AbortSignal;
  wasmUrl?: string | URL;
}

/** A request without its number. */
type Unnumbered<T> = T extends unknown ? Omit<T, "id"> : never;

interface Pending {
  resolve(value: unknown): void;
  reject(error: MobileBertError): void;
}

/** A network on its device, run over fixed ids. Calls run one after another. */
export class Benchmark {
  /** What stands, and what it took until then. */
  readonly started: Started;

  private constructor(
    private readonly connection: BenchConnection,
    started: Started,
  ) {
    this.started = started;
  }

  /** Starts a worker and brings a network onto its device, timing each part. */
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
      return new Benchmark(connection, (await connection.send({ kind: "start", request })) as Started);
    } catch (error) {
      connection.end(disposed());
      throw error;
    }
  }

  /** Runs one sequence of this many tokens, and holds the results against `expected` where that is given. */
  async run(sequence: number, expected?: Expected): Promise<BenchmarkRun> {
    return (await this.connection.send({ kind: "run", sequence, expected })) as BenchmarkRun;
  }

  /** Kernels launched in a run over this many tokens. */
  async dispatches(sequence: number): Promise<number> {
    return (await this.connection.send({ kind: "dispatches", sequence })) as number;
  }

  /** Bytes of activations that a run over this many tokens holds. */
  async activationBytes(sequence: number): Promise<number> {
    return (await this.connection.send({ kind: "activationBytes", sequence })) as number;
  }

  /** How a run divides between CPU, GPU and readback, medians of some runs; `null` on the CPU. */
  async parts(sequence: number, runs: number): Promise<RunParts | null> {
    return (await this.connection.send({ kind: "parts", sequence, runs })) as RunParts | null;
  }

  /** What the GPU can do at best; `null` on the CPU. Profiles made afterwards compare kernels with it. */
  async limits(): Promise<AdapterLimits | null> {
    return (await this.connection.send({ kind: "limits" })) as AdapterLimits | null;
  }

  /** The time of every kernel in runs over this many tokens. */
  async profile(sequence: number, runs: number): Promise<KernelProfile> {
    return (await this.connection.send({ kind: "profile", sequence, runs })) as KernelProfile;
  }

  /** Ends the worker; all memory goes with it. */
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
      const said = event.message || "bench-worker.js could not be loaded; is it served beside bench.js?";
      this.end(new MobileBertError("internal", `the worker stopped: ${said}`));
    };
    if (signal?.aborted) this.end(aborted());
    else signal?.addEventListener("abort", () => this.end(aborted()), { once: true });
  }

  send(request: Unnumbered<BenchRequest>): Promise<unknown> {
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
