import { toPlain } from "./errors.js";
import { Host } from "./host.js";
import type { Reply, Request } from "./protocol.js";

/** The worker's side: one model, requests answered under their ids. */
const host = new Host();
const running = new Map<number, AbortController>();

function send(reply: Reply): void {
  postMessage(reply);
}

async function answer(message: Exclude<Request, { kind: "abort" }>, signal: AbortSignal): Promise<unknown> {
  const { id } = message;
  if (message.kind === "load") {
    return await host.load(message.request, (progress) => send({ id, kind: "progress", progress }), signal);
  }
  return await host.call(message.call, (value) => send({ id, kind: "partial", value }), signal);
}

addEventListener("message", async ({ data }: MessageEvent<Request>) => {
  if (data.kind === "abort") {
    running.get(data.id)?.abort();
    return;
  }
  const controller = new AbortController();
  running.set(data.id, controller);
  try {
    send({ id: data.id, kind: "result", value: await answer(data, controller.signal) });
  } catch (error) {
    send({ id: data.id, kind: "error", error: toPlain(error) });
  } finally {
    running.delete(data.id);
  }
});
