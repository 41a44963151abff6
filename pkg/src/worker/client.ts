import type { LoadRequest } from "../engine/request.js";
import { disposed, type MobileBertError } from "../errors.js";
import type { Device } from "../types.js";
import type { Reply } from "./messages.js";
import type { Call, Connection, LoadHooks, ModelInfo } from "./protocol.js";
import { RequestChannel } from "./request-channel.js";
import { startThread, type Thread } from "./thread.js";
import { WorkerPool } from "./worker-pool.js";

/** A model in a dedicated worker. */
export class WorkerConnection implements Connection {
  onDevice: (device: Device) => void = () => {};

  private thread: Thread | undefined;
  private readonly channel: RequestChannel;
  /** The helpers that the worker has asked for. */
  private readonly pool: WorkerPool;

  private constructor(workerUrl: string | undefined) {
    // An idle model must not keep the process alive.
    this.channel = new RequestChannel(
      (message) => this.thread?.post(message),
      (busy) => this.thread?.keepAlive(busy),
    );
    this.pool = new WorkerPool(workerUrl, (message, transfer) => this.thread?.post(message, transfer));
  }

  /** Starts the package's worker, or the one at `workerUrl`. */
  static async start(workerUrl: string | undefined): Promise<WorkerConnection> {
    const connection = new WorkerConnection(workerUrl);
    connection.thread = await startThread(workerUrl, {
      message: (reply) => connection.receive(reply),
      stopped: (error) => connection.end(error),
    });
    return connection;
  }

  load(request: LoadRequest, hooks: LoadHooks, signal: AbortSignal): Promise<ModelInfo> {
    return this.channel.load(request, hooks, signal);
  }

  call(call: Call, onPartial: (value: unknown) => void, signal: AbortSignal): Promise<unknown> {
    return this.channel.call(call, onPartial, signal);
  }

  dispose(): void {
    this.end(disposed());
  }

  private receive(reply: Reply): void {
    switch (reply.kind) {
      case "started":
        return;
      case "device":
        this.onDevice(reply.device);
        return;
      case "start-helpers":
        this.pool.start(reply.count, reply.request);
        return;
      case "terminate-helper":
        this.pool.terminate(reply.helper);
        return;
      default:
        this.channel.receive(reply);
    }
  }

  private end(error: MobileBertError): void {
    this.pool.dispose();
    this.thread?.terminate();
    this.channel.end(error);
  }
}
