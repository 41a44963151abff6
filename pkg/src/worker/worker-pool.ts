import type { LoadRequest } from "../engine/request.js";
import { type MobileBertError, toError } from "../errors.js";
import { timeouts } from "../files/timeouts.js";
import type { Reply, Request } from "./messages.js";
import { RequestChannel } from "./request-channel.js";
import { startThread, type Thread } from "./thread.js";

/** Sends a message to the worker that is helped. */
type Send = (message: Request, transfer?: Transferable[]) => void;

/**
 * Starts helpers for a worker and connects them with it. This is done in the thread that started the worker, because a
 * browser can't start a worker's own workers while that worker computes.
 */
export class WorkerPool {
  private readonly helpers = new Map<number, Thread>();
  private next = 0;
  private readonly end = new AbortController();

  constructor(
    private readonly workerUrl: string | undefined,
    private readonly send: Send,
  ) {}

  /** Starts helpers, which load the model; tells the worker of each that is ready, and of each that is lost. */
  start(count: number, request: LoadRequest): void {
    for (let i = 0; i < count; i++) void this.startOne(this.next++, request);
  }

  /** Ends a helper. */
  terminate(helper: number): void {
    this.helpers.get(helper)?.terminate();
    this.helpers.delete(helper);
  }

  /** Ends all helpers. */
  dispose(): void {
    this.end.abort();
    for (const helper of [...this.helpers.keys()]) this.terminate(helper);
  }

  private async startOne(helper: number, request: LoadRequest): Promise<void> {
    const { signal } = this.end;
    let thread: Thread | undefined;
    let isLost = false;
    const channel = new RequestChannel((message) => thread?.post(message));
    const lose = (error: MobileBertError) => {
      channel.end(error);
      if (isLost || signal.aborted) return;
      isLost = true;
      thread?.terminate();
      this.helpers.delete(helper);
      this.send({ kind: "lost", helper, reason: firstSentence(error.message) });
    };
    const message = (reply: Reply) => {
      if ("id" in reply) channel.receive(reply);
    };
    try {
      thread = await startThread(this.workerUrl, { message, stopped: lose }, timeouts.helper);
      if (signal.aborted) thread.terminate();
      if (isLost || signal.aborted) return;
      this.helpers.set(helper, thread);
      thread.keepAlive(false);
      await channel.load(request, { progress: () => {}, warning: () => {} }, signal);
      const { port1, port2 } = new MessageChannel();
      thread.post({ kind: "serve", port: port1 }, [port1]);
      this.send({ kind: "helper", helper, port: port2 }, [port2]);
    } catch (error) {
      lose(toError(error));
    }
  }
}

/** Without the advice that follows. */
function firstSentence(message: string): string {
  return message.replace(/\. .*$/s, "");
}
