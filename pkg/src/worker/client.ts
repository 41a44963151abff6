import type { LoadRequest } from "../engine/request.js";
import { disposed, invalidInput, MobileBertError, toError } from "../errors.js";
import { inNode, workerThreads } from "../node.js";
import type { Device } from "../types.js";
import type { Call, Connection, LoadHooks, ModelInfo, Reply, Request } from "./protocol.js";

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
    const stopped = (problem: string) =>
      connection.end(new MobileBertError("internal", `the worker stopped: ${problem}`));
    connection.thread = await startThread(workerUrl, { message: (reply) => connection.receive(reply), stopped });
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

/** A worker of the browser or of Node. */
interface Thread {
  post(message: Request): void;
  terminate(): void;
  /** Sets whether this worker keeps the process alive; does nothing in browsers. */
  keepAlive(alive: boolean): void;
}

/** Callbacks of a worker. */
interface ThreadListener {
  message(reply: Reply): void;
  /** The worker has ended; no more messages will arrive. */
  stopped(problem: string): void;
}

const NAME = "mobilebert";
const NOT_SERVED =
  "worker.js could not be loaded; is it served next to index.js? With Vite's dev server, use optimizeDeps.exclude";

/** Starts the `worker.js` next to this bundle, or the one at `workerUrl`. */
async function startThread(workerUrl: string | undefined, listener: ThreadListener): Promise<Thread> {
  if (typeof Worker !== "undefined") return browserThread(workerUrl, listener);
  if (inNode()) return await nodeThread(workerUrl, listener);
  throw new MobileBertError("unsupported", "workers are not available here; load with `worker: false`", {
    field: "worker",
  });
}

function browserThread(workerUrl: string | undefined, listener: ThreadListener): Thread {
  let worker: Worker;
  try {
    // Bundlers recognize this form and include the worker.
    worker = workerUrl
      ? new Worker(workerUrl, { type: "module", name: NAME })
      : new Worker(new URL("./worker.js", import.meta.url), { type: "module", name: NAME });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const hint = "serve the package from the page's own origin, or load with `worker: false`";
    throw new MobileBertError("unsupported", `the worker could not be started (${reason}); ${hint}`, {
      field: "worker",
    });
  }
  worker.onmessage = ({ data }: MessageEvent<Reply>) => listener.message(data);
  worker.onerror = (event) => {
    event.preventDefault();
    listener.stopped(event.message || NOT_SERVED);
  };
  worker.onmessageerror = () => listener.stopped("a message was lost");
  return { post: (message) => worker.postMessage(message), terminate: () => worker.terminate(), keepAlive: () => {} };
}

async function nodeThread(workerUrl: string | undefined, listener: ThreadListener): Promise<Thread> {
  const { Worker } = await workerThreads();
  // Not in the form above, or bundlers would include the worker a second time.
  const here = new URL(import.meta.url);
  // The worker must not inherit the process's flags, such as `--input-type` and `--test`.
  const worker = new Worker(workerUrl ? new URL(workerUrl) : new URL("./worker.js", here), {
    name: NAME,
    execArgv: [],
  });
  worker.on("message", (reply: Reply) => listener.message(reply));
  worker.on("error", (error) => listener.stopped(error.message));
  worker.on("messageerror", () => listener.stopped("a message was lost"));
  worker.on("exit", (code) => listener.stopped(`it exited with code ${code}`));
  return {
    post: (message) => worker.postMessage(message),
    terminate: () => void worker.terminate(),
    keepAlive: (alive) => (alive ? worker.ref() : worker.unref()),
  };
}
