import assert from "node:assert/strict";
import { test } from "node:test";
import type { Call } from "../src/protocol.ts";
import { joined, slices } from "../src/slices.ts";

const call = (texts: unknown): Call => ({ name: "classify", args: [texts, { a: 1 }], partial: false });
const parts = (texts: unknown) => slices(call(texts)).map(({ args }) => args[0] as unknown[]);

test("a list is cut into slices of few and short texts; nothing is lost, nothing moves", () => {
  const many = Array.from({ length: 300 }, (_, i) => (i % 7 === 0 ? ["a", String(i)] : String(i)));
  const cut = parts(many);
  assert.deepEqual(cut.flat(1), many);
  assert.ok(cut.every(({ length }) => length > 0 && length <= 8));
  assert.equal(cut.length, 38);
  const long = "x".repeat(3000);
  assert.deepEqual(parts([long, long, "a", long]), [[long], [long, "a"], [long]]);
  assert.deepEqual(parts(["x".repeat(9000), "a"]).length, 2);
  for (const slice of slices(call(many))) assert.deepEqual(slice.args[1], { a: 1 });
});

test("what has no list is one slice", () => {
  const ask: Call = { name: "ask", args: ["question", "context", {}], partial: true };
  assert.deepEqual(slices(ask), [ask]);
  const memory: Call = { name: "memory", args: [], partial: false };
  assert.deepEqual(slices(memory), [memory]);
});

test("the results of slices are the call's, and each text bears the times of all", () => {
  const timing = { tokenize: 1, compute: 2, search: 3, total: 6 };
  const one = (label: string) => ({ label, timing: { ...timing } });
  const twice = { tokenize: 2, compute: 4, search: 6, total: 12 };
  assert.deepEqual(joined([[one("a"), one("b")], [one("c")]]), [
    { label: "a", timing: twice },
    { label: "b", timing: twice },
    { label: "c", timing: twice },
  ]);
  const row = new Float32Array(2);
  assert.deepEqual(joined([[row], [row, row]]), [row, row, row]);
  assert.equal(joined([row]), row);
});
