import assert from "node:assert/strict";
import { test } from "node:test";
import { onAbort, sleep, untilAborted } from "../src/abort.ts";
import { MobileBertError } from "../src/errors.ts";

const never = new Promise<never>(() => {});

function abortedBy(reason: unknown) {
  return (error: unknown) =>
    error instanceof MobileBertError && error.code === "aborted" && (error.cause as unknown) === reason;
}

test("work that never ends is given up when the signal aborts, at once if it has already", async () => {
  const reason = { of: "the caller" };
  await assert.rejects(untilAborted(never, AbortSignal.abort(reason)), abortedBy(reason));
  const stop = new AbortController();
  const working = untilAborted(never, stop.signal);
  stop.abort(reason);
  await assert.rejects(working, abortedBy(reason));
});

test("work that ends settles as without a signal, and an abort after that changes nothing", async () => {
  const stop = new AbortController();
  assert.equal(await untilAborted(Promise.resolve(5), stop.signal), 5);
  const mine = new Error("of the work");
  await assert.rejects(untilAborted(Promise.reject(mine), stop.signal), (error) => error === mine);
  stop.abort();
});

test("a failure of work that was given up causes no unhandled rejection", async () => {
  await assert.rejects(untilAborted(Promise.reject(new Error("late")), AbortSignal.abort()));
  // Node would report it in a later turn of the event loop, and fail this test.
  await new Promise((resolve) => setImmediate(resolve));
});

test("a function is called once per abort, unless it was unsubscribed", () => {
  const called: string[] = [];
  const stop = new AbortController();
  const unsubscribe = onAbort(stop.signal, () => called.push("unsubscribed"));
  onAbort(stop.signal, () => called.push("first"));
  onAbort(stop.signal, () => called.push("second"));
  unsubscribe();
  stop.abort();
  onAbort(stop.signal, () => called.push("late"));
  assert.deepEqual(called, ["first", "second", "late"]);
});

test("waiting ends with its time, or with the signal", async () => {
  await sleep(1, new AbortController().signal);
  const before = performance.now();
  await assert.rejects(sleep(60_000, AbortSignal.timeout(10)), { code: "aborted", name: "TimeoutError" });
  assert.ok(performance.now() - before < 30_000);
});
