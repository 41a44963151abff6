import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { MobileBertError } from "../src/errors.ts";
import { parseManifest, verified } from "../src/files/verify.ts";

const content = new TextEncoder().encode("the weights");
const sha256 = createHash("sha256").update(content).digest("hex");
const good = { name: "model.safetensors", bytes: content.length, sha256 };

async function* chunks(): AsyncGenerator<Uint8Array> {
  yield content.subarray(0, 4);
  yield content.subarray(4);
}

async function read(entry: typeof good, name = entry.name): Promise<number> {
  let length = 0;
  for await (const chunk of verified(parseManifest(JSON.stringify([entry])), name, chunks())) length += chunk.length;
  return length;
}

function coded(code: string, ...words: string[]) {
  return (error: unknown) =>
    error instanceof MobileBertError && error.code === code && words.every((word) => error.message.includes(word));
}

test("files that match the manifest pass", async () => {
  assert.equal(await read(good), content.length);
  assert.equal(await read({ ...good, sha256: sha256.toUpperCase() }), content.length);
  assert.equal(await read(good, "another file"), content.length);
});

test("a wrong size or hash fails with both values", async () => {
  await assert.rejects(read({ ...good, bytes: 12 }), coded("integrity", "model.safetensors", "11 bytes", "lists 12"));
  await assert.rejects(read({ ...good, bytes: 5 }), coded("integrity", "more than the 5 bytes"));
  await assert.rejects(read({ ...good, sha256: "0".repeat(64) }), coded("integrity", sha256));
});

test("a list without sizes or hashes is compared as far as it goes", async () => {
  const readWith = async (entry: { bytes?: number; sha256?: string }) => {
    let checks = 0;
    const manifest = { source: "the Hub", text: "", files: new Map([[good.name, entry]]) };
    for await (const _ of verified(manifest, good.name, chunks(), () => checks++)) assert.equal(checks, 0);
    return checks;
  };
  assert.equal(await readWith({ sha256 }), 1);
  assert.equal(await readWith({ bytes: content.length }), 1);
  assert.equal(await readWith({}), 0);
  await assert.rejects(readWith({ sha256: "0".repeat(64) }), coded("integrity", sha256, "the Hub lists 000"));
  await assert.rejects(readWith({ bytes: 12 }), coded("integrity", "11 bytes", "the Hub lists 12"));
});

test("a manifest may include a version, and a damaged one is reported", () => {
  const within = parseManifest(JSON.stringify({ version: 1, dtype: "q8", files: [good] }));
  assert.equal(within.files.get("model.safetensors")?.bytes, content.length);
  for (const text of ["", "{", "null", "{}", '[{"name":"x"}]', '[{"name":"x","bytes":-1.5,"sha256":"0"}]', "[null]"]) {
    assert.throws(() => parseManifest(text), coded("corrupt", "files.json"), text);
  }
});
