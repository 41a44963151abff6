import type { LoadRequest } from "../engine/request.js";
import { disposed, type MobileBertError } from "../errors.js";
import type { Device } from "../types.js";
import { Crew } from "./crew.js";
import { Line } from "./line.js";
import type { Reply } from "./messages.js";
import type { Call, Connection, LoadHooks, ModelInfo } from "./protocol.js";
import { startThread, type Thread } from "./thread.js";

/** A model in a dedicated worker. */
export class WorkerConnection implements Connection {
  onDevice: (device: Device) => void = () => {};

  private thread: Thread | undefined;
  private readonly line: Line;
  /** The helpers that the worker has asked for. */
  private readonly crew: Crew;

  private constructor(workerUrl: string | undefined) {
    // An idle model must not keep the process alive.
    this.line = new Line(
      (message) => this.thread?.post(message),
      (busy) => this.thread?.keepAlive(busy),
    );
    this.crew = new Crew(workerUrl, (message, transfer) => this.thread?.post(message, transfer));
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
    return this.line.load(request, hooks, signal);
  }

  call(call: Call, onPartial: (value: unknown) => void, signal: AbortSignal): Promise<unknown> {
    return this.line.call(call, onPartial, signal);
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
      case "hire":
        this.crew.hire(reply.count, reply.request);
        return;
      case "dismiss":
        this.crew.dismiss(reply.helper);
        return;
      default:
        this.line.receive(reply);
    }
  }

  private end(error: MobileBertError): void {
    this.crew.dispose();
    this.thread?.terminate();
    this.line.end(error);
  }
}
