import { onAbort } from "../abort.js";
import type { LoadRequest } from "../engine/request.js";
import { invalidInput, type MobileBertError, toError } from "../errors.js";
import type { AnswerReply, Request } from "./messages.js";
import type { Call, LoadHooks, ModelInfo } from "./protocol.js";

interface Pending extends LoadHooks {
  resolve(value: unknown): void;
  reject(error: MobileBertError): void;
  partial(value: unknown): void;
}

const ignore = () => {};

/** Requests to a worker and their answers, over any channel. */
export class RequestChannel {
  private readonly pending = new Map<number, Pending>();
  private next = 0;
  private ended: MobileBertError | undefined;

  constructor(
    private readonly post: (message: Request) => void,
    /** Called when the first request is sent, and when the last one was answered. */
    private readonly onBusy: (busy: boolean) => void = ignore,
  ) {}

  /** Loads a model. */
  load(request: LoadRequest, hooks: LoadHooks, signal: AbortSignal): Promise<ModelInfo> {
    const all = { ...hooks, partial: ignore };
    return this.send((id) => ({ id, kind: "load", request }), all, signal) as Promise<ModelInfo>;
  }

  /** Calls the loaded model. */
  call(call: Call, onPartial: (value: unknown) => void, signal: AbortSignal): Promise<unknown> {
    const hooks = { progress: ignore, warning: ignore, partial: onPartial };
    return this.send((id) => ({ id, kind: "call", call }), hooks, signal);
  }

  /** Takes an answer from the worker. */
  receive(reply: AnswerReply): void {
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
    if (this.pending.size === 0) this.onBusy(false);
  }

  /** Fails all requests, the waiting ones and later ones. */
  end(error: MobileBertError): void {
    this.ended ??= error;
    for (const pending of this.pending.values()) pending.reject(this.ended);
    this.pending.clear();
  }

  private send(
    message: (id: number) => Request,
    hooks: Omit<Pending, "resolve" | "reject">,
    signal: AbortSignal,
  ): Promise<unknown> {
    if (this.ended) return Promise.reject(this.ended);
    const id = this.next++;
    let unsubscribe = ignore;
    const settled = new Promise((resolve, reject) => {
      try {
        this.post(message(id));
      } catch (error) {
        // The options contain a function, for example; the platform's message names it.
        reject(invalidInput("options", `can't be sent to a worker: ${(error as Error).message}`));
        return;
      }
      this.pending.set(id, { resolve, reject, ...hooks });
      this.onBusy(true);
      unsubscribe = onAbort(signal, () => this.post({ id, kind: "abort" }));
    });
    return settled.finally(() => unsubscribe());
  }
}
