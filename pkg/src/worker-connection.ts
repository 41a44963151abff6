import { disposed, MobileBertError, toError } from "./errors.js";
import type { Call, Connection, Loaded, LoadRequest, Reply, Request } from "./protocol.js";
import type { Progress } from "./types.js";

interface Pending {
  resolve(value: unknown): void;
  reject(error: MobileBertError): void;
  progress(progress: Progress): void;
  partial(value: unknown): void;
}

const ignore = () => {};

/** A model in a worker of its own. */
export class WorkerConnection implements Connection {
  private readonly worker: Worker;
  private readonly pending = new Map<number, Pending>();
  private next = 0;
  private ended: MobileBertError | undefined;

  constructor(workerUrl: string | undefined) {
    // Written out in this form, bundlers find the worker and take it along.
    this.worker = workerUrl
      ? new Worker(workerUrl, { type: "module", name: "mobilebert" })
      : new Worker(new URL("./worker.js", import.meta.url), { type: "module", name: "mobilebert" });
    this.worker.onmessage = ({ data }: MessageEvent<Reply>) => this.receive(data);
    this.worker.onerror = (event) => {
      event.preventDefault();
      const said = event.message || "worker.js could not be loaded; is it served beside index.js?";
      this.end(new MobileBertError("internal", `the worker stopped: ${said}`));
    };
    this.worker.onmessageerror = () => this.end(new MobileBertError("internal", "a message of the worker was lost"));
  }

  load(request: LoadRequest, onProgress: (progress: Progress) => void, signal: AbortSignal): Promise<Loaded> {
    const hooks = { progress: onProgress, partial: ignore };
    return this.send((id) => ({ id, kind: "load", request }), hooks, signal) as Promise<Loaded>;
  }

  call(call: Call, onPartial: (value: unknown) => void, signal: AbortSignal): Promise<unknown> {
    return this.send((id) => ({ id, kind: "call", call }), { progress: ignore, partial: onPartial }, signal);
  }

  dispose(): void {
    this.end(disposed());
  }

  private send(
    message: (id: number) => Request,
    hooks: Pick<Pending, "progress" | "partial">,
    signal: AbortSignal,
  ): Promise<unknown> {
    if (this.ended) return Promise.reject(this.ended);
    const id = this.next++;
    const stop = () => this.worker.postMessage({ id, kind: "abort" } satisfies Request);
    const settled = new Promise((resolve, reject) => {
      this.pending.set(id, { resolve, reject, ...hooks });
      this.worker.postMessage(message(id));
      if (signal.aborted) stop();
      else signal.addEventListener("abort", stop, { once: true });
    });
    return settled.finally(() => signal.removeEventListener("abort", stop));
  }

  private receive(reply: Reply): void {
    const pending = this.pending.get(reply.id);
    if (!pending) return;
    switch (reply.kind) {
      case "progress":
        pending.progress(reply.progress);
        return;
      case "partial":
        pending.partial(reply.value);
        return;
      case "result":
        pending.resolve(reply.value);
        break;
      case "error":
        pending.reject(toError(reply.error));
    }
    this.pending.delete(reply.id);
  }

  private end(error: MobileBertError): void {
    this.ended ??= error;
    this.worker.terminate();
    for (const pending of this.pending.values()) pending.reject(this.ended);
    this.pending.clear();
  }
}
