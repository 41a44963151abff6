import type { LoadRequest } from "../engine/request.js";
import { disposed, invalidInput, type MobileBertError, toError } from "../errors.js";
import type { Device } from "../types.js";
import type { Call, Connection, LoadHooks, ModelInfo, Reply, Request } from "./protocol.js";
import { startThread, type Thread } from "./thread.js";

interface Pending extends LoadHooks {
  resolve(value: unknown): void;
  reject(error: MobileBertError): void;
  partial(value: unknown): void;
}

const ignore = () => {};

/** A model in a dedicated worker. */
export class WorkerConnection implements Connection {
  onDevice: (device: Device) => void = ignore;

  private readonly pending = new Map<number, Pending>();
  private thread: Thread | undefined;
  private next = 0;
  private ended: MobileBertError | undefined;

  /** Starts the package's worker, or the one at `workerUrl`. */
  static async start(workerUrl: string | undefined): Promise<WorkerConnection> {
    const connection = new WorkerConnection();
    connection.thread = await startThread(workerUrl, {
      message: (reply) => connection.receive(reply),
      stopped: (error) => connection.end(error),
    });
    return connection;
  }

  load(request: LoadRequest, hooks: LoadHooks, signal: AbortSignal): Promise<ModelInfo> {
    const all = { ...hooks, partial: ignore };
    return this.send((id) => ({ id, kind: "load", request }), all, signal) as Promise<ModelInfo>;
  }

  call(call: Call, onPartial: (value: unknown) => void, signal: AbortSignal): Promise<unknown> {
    const hooks = { progress: ignore, warning: ignore, partial: onPartial };
    return this.send((id) => ({ id, kind: "call", call }), hooks, signal);
  }

  dispose(): void {
    this.end(disposed());
  }

  private send(
    message: (id: number) => Request,
    hooks: Omit<Pending, "resolve" | "reject">,
    signal: AbortSignal,
  ): Promise<unknown> {
    if (this.ended) return Promise.reject(this.ended);
    const id = this.next++;
    const stop = () => this.thread?.post({ id, kind: "abort" });
    const settled = new Promise((resolve, reject) => {
      try {
        this.thread?.post(message(id));
      } catch (error) {
        // The options contain a function or the like; the platform's message says which.
        reject(invalidInput("options", `can't be sent to a worker: ${(error as Error).message}`));
        return;
      }
      this.pending.set(id, { resolve, reject, ...hooks });
      this.thread?.keepAlive(true);
      if (signal.aborted) stop();
      else signal.addEventListener("abort", stop, { once: true });
    });
    return settled.finally(() => signal.removeEventListener("abort", stop));
  }

  private receive(reply: Reply): void {
    if (reply.kind === "device") {
      this.onDevice(reply.device);
      return;
    }
    if (reply.kind === "started") return;
    const pending = this.pending.get(reply.id);
    if (!pending) return;
    switch (reply.kind) {
      case "warning":
        pending.warning(reply.warning);
        return;
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
    // An idle model must not keep the process alive.
    if (this.pending.size === 0) this.thread?.keepAlive(false);
  }

  private end(error: MobileBertError): void {
    this.ended ??= error;
    this.thread?.terminate();
    for (const pending of this.pending.values()) pending.reject(this.ended);
    this.pending.clear();
  }
}
