import assert from "node:assert/strict";
import { availableParallelism } from "node:os";
import { afterEach, beforeEach, test } from "node:test";
import { QuestionAnswering } from "../src/api/question-answering.ts";
import { BenchConnection } from "../src/bench/connection.ts";
import { disposed, MobileBertError } from "../src/errors.ts";
import { timeouts } from "../src/files/timeouts.ts";
import type { Reply, Request } from "../src/worker/messages.ts";

/** A browser's worker that fails an aborted load a moment later, and otherwise never answers. */
class FakeWorker {
  static all: FakeWorker[] = [];
  /** Called when a worker gets its first request. */
  static onLoad: (message: Extract<Request, { kind: "load" }>) => void = () => {};
  onmessage: (event: { data: Reply }) => void = () => {};
  terminated = false;

  constructor() {
    FakeWorker.all.push(this);
  }

  postMessage(message: Request): void {
    if (message.kind === "load") FakeWorker.onLoad(message);
    if (message.kind !== "abort") return;
    const { id } = message;
    const error = { code: "aborted" as const, message: "stopped", detail: {} };
    setImmediate(() => this.onmessage({ data: { id, kind: "error", error } }));
  }

  terminate(): void {
    this.terminated = true;
  }
}

beforeEach(() => {
  FakeWorker.all = [];
  FakeWorker.onLoad = () => {};
  Object.assign(globalThis, { Worker: FakeWorker });
});
afterEach(() => {
  Reflect.deleteProperty(globalThis, "Worker");
});

const coded = (code: string) => (error: unknown) => error instanceof MobileBertError && error.code === code;
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Number of workers that were started and not terminated. */
async function running(): Promise<number> {
  for (let i = 0; i < 3; i++) await turn();
  return FakeWorker.all.filter(({ terminated }) => !terminated).length;
}

test("loads aborted in the tick in which they were started leave no worker, and fail with the caller's reason", async () => {
  const reasons = Array.from({ length: 20 }, (_, i) => ({ reason: i }));
  const loads = reasons.map((reason) => {
    const controller = new AbortController();
    const load = QuestionAnswering.load("https://example.org/model/", { signal: controller.signal });
    controller.abort(reason);
    return load;
  });
  for (const [i, load] of loads.entries()) {
    await assert.rejects(load, (error: MobileBertError) => coded("aborted")(error) && error.cause === reasons[i]);
  }
  assert.equal(await running(), 0);
});

test("a load whose worker never starts fails, and leaves no worker", async () => {
  const limit = timeouts.response;
  timeouts.response = 20;
  try {
    await assert.rejects(QuestionAnswering.load("https://example.org/model/"), (error: MobileBertError) => {
      assert.match(error.message, /worker\.js could not be loaded from .*: no response within 0\.02 s.*`workerUrl`/);
      return coded("network")(error);
    });
  } finally {
    timeouts.response = limit;
  }
  assert.equal(await running(), 0);
});

test("a load whose worker can't be started leaves no listener on the caller's signal", async () => {
  class Refused {
    constructor() {
      throw new Error("refused");
    }
  }
  Object.assign(globalThis, { Worker: Refused });
  const controller = new AbortController();
  const { signal } = controller;
  await assert.rejects(QuestionAnswering.load("https://example.org/model/", { signal }), coded("unsupported"));
  const { abort } = AbortController.prototype;
  let aborts = 0;
  AbortController.prototype.abort = function (reason) {
    aborts++;
    abort.call(this, reason);
  };
  controller.abort();
  AbortController.prototype.abort = abort;
  assert.equal(aborts, 1, "the load still listened");
});

test("a benchmark that has ended leaves no listener on the caller's signal", () => {
  let terminated = 0;
  class Counted extends FakeWorker {
    override terminate(): void {
      terminated++;
    }
  }
  Object.assign(globalThis, { Worker: Counted });
  const controller = new AbortController();
  const connection = new BenchConnection(() => {}, controller.signal);
  connection.end(disposed());
  controller.abort();
  assert.equal(terminated, 1);
  new BenchConnection(() => {}, AbortSignal.abort());
  assert.equal(terminated, 2, "a signal that has aborted before ends it, too");
});

test("a load aborted at any later moment leaves no worker", async () => {
  for (const ticks of [0, 1, 2, 3, 5, 8, 13]) {
    const controller = new AbortController();
    const load = QuestionAnswering.load("https://example.org/model/", { signal: controller.signal });
    load.catch(() => {});
    for (let i = 0; i < ticks; i++) await undefined;
    controller.abort();
    await assert.rejects(load, coded("aborted"), `${ticks} ticks`);
    assert.equal(await running(), 0, `${ticks} ticks`);
  }
  // While the request is being sent, before anything waits for the reply.
  const controller = new AbortController();
  FakeWorker.onLoad = () => controller.abort();
  await assert.rejects(
    QuestionAnswering.load("https://example.org/model/", { signal: controller.signal }),
    coded("aborted"),
  );
  assert.equal(await running(), 0);
});

test("by default there are as many threads as cores, at most four, with and without a `navigator`", async () => {
  for (const [navigator, cores] of [
    [undefined, availableParallelism()],
    [{}, availableParallelism()],
    [{ hardwareConcurrency: 3 }, 3],
    [{ hardwareConcurrency: 64 }, 64],
  ] as const) {
    const before = Object.getOwnPropertyDescriptor(globalThis, "navigator");
    Object.defineProperty(globalThis, "navigator", { value: navigator, configurable: true });
    const controller = new AbortController();
    const threads: number[] = [];
    FakeWorker.onLoad = ({ request }) => {
      threads.push(request.threads);
      controller.abort();
    };
    try {
      const { signal } = controller;
      await assert.rejects(QuestionAnswering.load("https://example.org/model/", { signal }), coded("aborted"));
    } finally {
      if (before) Object.defineProperty(globalThis, "navigator", before);
      else Reflect.deleteProperty(globalThis, "navigator");
    }
    assert.deepEqual(threads, [Math.min(cores, 4)]);
  }
});
