import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { Sha256 } from "../src/files/sha256.ts";
import { Random } from "./random.mjs";

function digest(chunks: Uint8Array[]): string {
  const hash = new Sha256();
  for (const chunk of chunks) hash.update(chunk);
  return hash.hex();
}

test("matches the examples of the standard", () => {
  const text = (value: string) => [new TextEncoder().encode(value)];
  assert.equal(digest([]), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  assert.equal(digest(text("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
});

test("matches Node's implementation for any length and any chunks", () => {
  const random = new Random(1);
  for (let length = 0; length < 300; length++) {
    const bytes = random.bytes(length < 200 ? length : random.below(20_000));
    const chunks: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; ) {
      const size = random.below(150);
      chunks.push(bytes.subarray(at, at + size));
      at += size;
    }
    assert.equal(digest(chunks), createHash("sha256").update(bytes).digest("hex"), `${length}`);
  }
});
