import { toPlain } from "../errors.js";
import { workerThreads } from "../node.js";
import { Host } from "./host.js";
import type { AnswerReply, Reply, Request } from "./messages.js";
import type { LoadHooks } from "./protocol.js";

type Answer = (message: Request) => void;

/** Handles messages to the worker, which holds one model. Replies carry the request's id. */
function serve(send: (reply: Reply) => void): Answer {
  const host = new Host(send);
  host.onDevice = (device) => send({ kind: "device", device });
  const answer = answering(host, send);
  return (message) => {
    switch (message.kind) {
      case "helper":
      case "lost":
        host.onHelper(message);
        return;
      case "serve": {
        const { port } = message;
        const answerHelped = answering(host, (reply) => port.postMessage(reply));
        port.onmessage = ({ data }: MessageEvent<IdRequest>) => answerHelped(data);
        return;
      }
      default:
        answer(message);
    }
  };
}

type IdRequest = Extract<Request, { id: number }>;

/** Answers requests from one side. */
function answering(host: Host, send: (reply: AnswerReply) => void): (message: IdRequest) => Promise<void> {
  const running = new Map<number, AbortController>();

  async function answer(message: Exclude<IdRequest, { kind: "abort" }>, signal: AbortSignal): Promise<unknown> {
    const { id } = message;
    if (message.kind === "load") {
      const hooks: LoadHooks = {
        progress: (progress) => send({ id, kind: "progress", progress }),
        warning: (warning) => send({ id, kind: "warning", warning }),
      };
      return await host.load(message.request, hooks, signal);
    }
    return await host.call(message.call, (value) => send({ id, kind: "partial", value }), signal);
  }

  return async (message) => {
    const { id } = message;
    if (message.kind === "abort") {
      running.get(id)?.abort();
      return;
    }
    const controller = new AbortController();
    running.set(id, controller);
    try {
      send({ id, kind: "result", value: await answer(message, controller.signal) });
    } catch (error) {
      send({ id, kind: "error", error: toPlain(error) });
    } finally {
      running.delete(id);
    }
  };
}

// Node's workers communicate through `parentPort`, the browser's through their global scope.
if (typeof addEventListener === "function" && typeof postMessage === "function") {
  const receive = serve((reply) => postMessage(reply));
  addEventListener("message", ({ data }: MessageEvent<Request>) => receive(data));
  postMessage({ kind: "started" } satisfies Reply);
} else {
  void workerThreads().then(({ parentPort }) => {
    parentPort?.on(
      "message",
      serve((reply) => parentPort.postMessage(reply)),
    );
  });
}
