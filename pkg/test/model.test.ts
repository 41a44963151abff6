import assert from "node:assert/strict";
import { test } from "node:test";
import { LoadedModel, tokenize } from "../src/api/model.ts";
import { RunningModel } from "../src/api/running-model.ts";
import { TextClassification } from "../src/api/text-classification.ts";
import { ZeroShotClassification } from "../src/api/zero-shot-classification.ts";
import { MobileBertError } from "../src/errors.ts";
import type { CallOptions } from "../src/types.ts";
import type { Call, Connection, ModelInfo } from "../src/worker/protocol.ts";
import { chosen, loadTimes } from "./loaded.ts";

/** Responds after a few turns of the event loop, counts concurrent calls, and can be aborted. */
class FakeConnection implements Connection {
  running = 0;
  maxConcurrent = 0;
  started: unknown[] = [];
  disposed = false;

  load(): Promise<ModelInfo> {
    throw new Error("not loaded by this test");
  }

  async call({ args }: Call, onPartial: (value: unknown) => void, signal: AbortSignal): Promise<unknown> {
    this.started.push(args[0]);
    this.running++;
    this.maxConcurrent = Math.max(this.maxConcurrent, this.running);
    try {
      for (let step = 0; step < 3; step++) {
        await new Promise((resolve) => setImmediate(resolve));
        if (signal.aborted) throw new MobileBertError("aborted", "stopped");
        onPartial(step);
      }
      if (args[0] === "bad") throw new MobileBertError("invalid-input", "bad");
      return `${args[0]}!`;
    } finally {
      this.running--;
    }
  }

  dispose(): void {
    this.disposed = true;
  }
}

class Echo extends LoadedModel {
  echo(text: string, options: CallOptions = {}, onPartial?: (value: unknown) => void): Promise<unknown> {
    return this.call("ask", [text], options, onPartial);
  }
}

function fake() {
  const connection = new FakeConnection();
  const device = { kind: "wasm" as const, adapter: "", fallback: false, reason: "test", threads: 1, chosen };
  const running = new RunningModel(connection, { device, task: "question-answering", labels: [], times: loadTimes });
  return { connection, running, model: new Echo(running) };
}

const coded = (code: string) => (error: unknown) => error instanceof MobileBertError && error.code === code;

test("a hundred concurrent calls run one at a time and settle in order", async () => {
  const { connection, model } = fake();
  const order: number[] = [];
  const calls = Array.from({ length: 100 }, async (_, i) => {
    const answer = await model.echo(String(i));
    order.push(i);
    return answer;
  });
  const answers = await Promise.all(calls);
  assert.deepEqual(
    answers,
    Array.from({ length: 100 }, (_, i) => `${i}!`),
  );
  assert.deepEqual(
    order,
    Array.from({ length: 100 }, (_, i) => i),
  );
  assert.equal(connection.maxConcurrent, 1);
});

test("a failed call doesn't block the next one", async () => {
  const { model } = fake();
  const [bad, good] = await Promise.allSettled([model.echo("bad"), model.echo("good")]);
  assert.ok(bad?.status === "rejected" && coded("invalid-input")(bad.reason));
  assert.ok(good?.status === "fulfilled" && good.value === "good!");
});

test("an aborted call rejects at once, and the next one starts when the device is free", async () => {
  const { connection, model } = fake();
  const stop = new AbortController();
  const first = model.echo("first", { signal: stop.signal }, () => stop.abort());
  const second = model.echo("second");
  await assert.rejects(first, coded("aborted"));
  assert.equal(await second, "second!");
  assert.equal(connection.maxConcurrent, 1);
});

test("an aborted call is recognized like any aborted function of the platform, and keeps the signal's reason", async () => {
  const { model } = fake();
  const mine = { of: "the caller" };
  for (const [signal, name] of [
    [AbortSignal.abort(), "AbortError"],
    [AbortSignal.abort(mine), "AbortError"],
    [AbortSignal.abort(new DOMException("too late", "TimeoutError")), "TimeoutError"],
  ] as const) {
    await assert.rejects(model.echo("text", { signal }), (error: Error) => {
      assert.deepEqual([error.name, error.cause], [name, signal.reason]);
      return coded("aborted")(error) && error.cause === signal.reason;
    });
  }
  const stop = new AbortController();
  const running = model.echo("text", { signal: stop.signal }, () => stop.abort(mine));
  await assert.rejects(running, (error: Error) => error.name === "AbortError" && error.cause === mine);
  assert.equal(new MobileBertError("internal", "").name, "MobileBertError");
});

test("`tokenize` rejects what isn't a loaded model, and doesn't throw before it returns a promise", async () => {
  const tokens = tokenize({} as LoadedModel, "a text");
  await assert.rejects(tokens, coded("invalid-input"));
});

test("`await using` frees the model at the end of the block", async () => {
  const { connection, model } = fake();
  await model[Symbol.asyncDispose]();
  assert.ok(connection.disposed);
  await assert.rejects(model.echo("late"), coded("disposed"));
});

test("a classifier can score labels of the caller's own without being loaded again", async () => {
  const { connection, running } = fake();
  const classifier = new TextClassification(running);
  const inference = ZeroShotClassification.from(classifier);
  await Promise.all([classifier.classify("first"), inference.classify("second", ["a label"])]);
  assert.deepEqual([connection.started, connection.maxConcurrent], [[["first"], "second"], 1]);
  await inference.dispose();
  await assert.rejects(classifier.classify("late"), coded("disposed"));
  assert.throws(() => ZeroShotClassification.from("models/mnli/" as never), coded("invalid-input"));
});

test("a call fails with the error its listener throws, and the next one starts", async () => {
  const { connection, model } = fake();
  const mine = new Error("of the caller");
  const first = model.echo("first", {}, () => {
    throw mine;
  });
  const second = model.echo("second");
  await assert.rejects(first, (error) => error === mine);
  assert.equal(await second, "second!");
  assert.equal(connection.maxConcurrent, 1);
});

test("a call that is aborted while waiting never starts", async () => {
  const { connection, model } = fake();
  const stop = new AbortController();
  const first = model.echo("first");
  const second = model.echo("second", { signal: stop.signal });
  stop.abort();
  await assert.rejects(second, coded("aborted"));
  await assert.rejects(model.echo("third", { signal: stop.signal }), coded("aborted"));
  assert.equal(await first, "first!");
  assert.equal(await model.echo("fourth"), "fourth!");
  assert.deepEqual(connection.started, ["first", "fourth"]);
});

test("`dispose` ends running, waiting and later calls", async () => {
  const { connection, model } = fake();
  const running = model.echo("running");
  const waiting = model.echo("waiting");
  await model.dispose();
  await assert.rejects(running, coded("disposed"));
  await assert.rejects(waiting, coded("disposed"));
  await assert.rejects(model.echo("late"), coded("disposed"));
  await assert.rejects(model.memory(), coded("disposed"));
  assert.ok(connection.disposed);
  await model.dispose();
});

test("thirty concurrent calls that share a signal cause no warning", async () => {
  const warnings: string[] = [];
  const listen = (warning: Error) => warnings.push(warning.name);
  process.on("warning", listen);
  const { model } = fake();
  const { signal } = new AbortController();
  await Promise.all(Array.from({ length: 30 }, (_, i) => model.echo(String(i), { signal })));
  // Node warns in a later turn of the event loop.
  await new Promise((resolve) => setImmediate(resolve));
  process.off("warning", listen);
  assert.deepEqual(warnings, []);
});
