import assert from "node:assert/strict";
import { test } from "node:test";
import { batches, merged } from "../src/worker/batches.ts";
import type { Call } from "../src/worker/protocol.ts";

const call = (texts: unknown): Call => ({ name: "classify", args: [texts, { a: 1 }], partial: false });
const parts = (texts: unknown) => batches(call(texts)).map(({ args }) => args[0] as unknown[]);

test("a list is split into small batches, and all texts keep their order", () => {
  const many = Array.from({ length: 300 }, (_, i) => (i % 7 === 0 ? ["a", String(i)] : String(i)));
  const split = parts(many);
  assert.deepEqual(split.flat(1), many);
  assert.ok(split.every(({ length }) => length > 0 && length <= 8));
  assert.equal(split.length, 38);
  const long = "x".repeat(3000);
  assert.deepEqual(parts([long, long, "a", long]), [[long], [long, "a"], [long]]);
  assert.deepEqual(parts(["x".repeat(9000), "a"]).length, 2);
  for (const batch of batches(call(many))) assert.deepEqual(batch.args[1], { a: 1 });
});

test("a call without a list is a single batch", () => {
  const ask: Call = { name: "ask", args: ["question", "context", {}], partial: true };
  assert.deepEqual(batches(ask), [ask]);
  const memory: Call = { name: "memory", args: [], partial: false };
  assert.deepEqual(batches(memory), [memory]);
});

test("results of batches are merged, and each text gets the timing of the whole call", () => {
  const timing = { tokenize: 1, compute: 2, postprocess: 3, total: 6 };
  const one = (label: string) => ({ label, timing: { ...timing } });
  const twice = { tokenize: 2, compute: 4, postprocess: 6, total: 12 };
  assert.deepEqual(merged([[one("a"), one("b")], [one("c")]]), [
    { label: "a", timing: twice },
    { label: "b", timing: twice },
    { label: "c", timing: twice },
  ]);
  const row = new Float32Array(2);
  assert.deepEqual(merged([[row], [row, row]]), [row, row, row]);
  assert.equal(merged([row]), row);
});
