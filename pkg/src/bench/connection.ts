import { onAbort } from "../abort.js";
import { aborted, MobileBertError, toError } from "../errors.js";
import type { BenchReply, BenchRequest, StartProgress } from "./protocol.js";

/** A request without its id. */
type WithoutId<T> = T extends unknown ? Omit<T, "id"> : never;

interface Pending {
  resolve(value: unknown): void;
  reject(error: MobileBertError): void;
}

/** The page's side of the worker. */
export class BenchConnection {
  private readonly worker: Worker;
  private readonly pending = new Map<number, Pending>();
  private next = 0;
  private ended: MobileBertError | undefined;
  private unsubscribe: () => void = () => {};

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
    if (signal) this.unsubscribe = onAbort(signal, () => this.end(aborted()));
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
    this.unsubscribe();
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
