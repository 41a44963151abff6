import { type EngineBenchmark, start } from "./bench-load.js";
import type { BenchReply, BenchRequest } from "./bench-protocol.js";
import { disposed, toPlain } from "./errors.js";

/** The worker's side of `mobilebert/bench`: one network, requests answered one after another. */
let benchmark: EngineBenchmark | undefined;

function send(reply: BenchReply): void {
  postMessage(reply);
}

async function answer(message: BenchRequest): Promise<unknown> {
  if (message.kind === "start") {
    const { id } = message;
    const made = await start(message.request, (progress) => send({ id, kind: "progress", progress }));
    benchmark = made.benchmark;
    return made.started;
  }
  if (!benchmark) throw disposed();
  if (message.kind === "dispatches") return benchmark.dispatches(message.sequence);
  return await benchmark.run(message.sequence, message.expected);
}

addEventListener("message", async ({ data }: MessageEvent<BenchRequest>) => {
  try {
    send({ id: data.id, kind: "result", value: await answer(data) });
  } catch (error) {
    send({ id: data.id, kind: "error", error: toPlain(error) });
  }
});
