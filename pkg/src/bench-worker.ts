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
  switch (message.kind) {
    case "run":
      return await benchmark.run(message.sequence, message.expected);
    case "dispatches":
      return benchmark.dispatches(message.sequence);
    case "activationBytes":
      return benchmark.activationBytes(message.sequence);
    case "parts":
      return await benchmark.parts(message.sequence, message.runs);
    case "limits":
      return await benchmark.limits();
    case "profile":
      return await benchmark.profile(message.sequence, message.runs);
  }
}

addEventListener("message", async ({ data }: MessageEvent<BenchRequest>) => {
  try {
    send({ id: data.id, kind: "result", value: await answer(data) });
  } catch (error) {
    send({ id: data.id, kind: "error", error: toPlain(error) });
  }
});
