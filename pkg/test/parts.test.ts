import assert from "node:assert/strict";
import { test } from "node:test";
import { findParts, readParts, storeWhileReading } from "../src/files/cache.ts";
import { join } from "../src/files/streams.ts";
import { MemoryCaches } from "./memory-caches.ts";
import { Random } from "./random.mjs";

const base = "https://example.org/m/";
const name = "model.safetensors";
const PART = 4 << 20;
const random = new Random(5);
const content = Buffer.alloc(2.6 * PART).map((_, i) => (i * i) >> 7) as Buffer;
const nothing = { count: 0, bytes: 0, validator: "" };

/** The content from an offset on, in chunks of random sizes, which may be larger than a part; fails at `until`. */
async function* arriving(from = 0, until = content.length): AsyncGenerator<Uint8Array> {
  for (let at = from; at < until; ) {
    const end = Math.min(until, at + 1 + random.below(random.below(4) === 0 ? 2 * PART : 1 << 19));
    yield content.subarray(at, end);
    at = end;
  }
  if (until < content.length) throw new Error("interrupted");
}

/** Reads a file as a load of a tab does, from what is stored of it. */
function tab(stored = nothing, until?: number): AsyncIterator<Uint8Array> {
  const { chunks } = storeWhileReading(base, name, "1||", stored, arriving(stored.bytes, until));
  return chunks[Symbol.asyncIterator]();
}

/** Returns whether the stored parts are the whole file. */
async function isComplete(): Promise<boolean> {
  const { count } = await findParts(base, name);
  return content.equals(await join(readParts(base, name, count)));
}

async function finish(reading: AsyncIterator<Uint8Array>): Promise<void> {
  while (!(await reading.next()).done);
}

test("tabs that load a model at the same time store the same parts, whatever chunks they get", async () => {
  await new MemoryCaches().during(async () => {
    const reading = [tab(), tab(), tab()];
    while (reading.length > 0) {
      const at = random.below(reading.length);
      if ((await reading[at]?.next())?.done) reading.splice(at, 1);
      // Once one of them has read everything, it counts on what is stored.
      if (reading.length < 3) assert.ok(await isComplete());
    }
  });
});

test("a tab that is interrupted doesn't damage the parts of another one", async () => {
  await new MemoryCaches().during(async () => {
    const [complete, cut] = [tab(), tab(nothing, 1.5 * PART)];
    await finish(complete);
    await assert.rejects(finish(cut), /interrupted/);
    assert.ok(await isComplete());
  });
});

test("an interrupted load leaves whole parts, from which the next one goes on", async () => {
  await new MemoryCaches().during(async () => {
    await assert.rejects(finish(tab(nothing, 1.5 * PART)), /interrupted/);
    const stored = await findParts(base, name);
    assert.deepEqual([stored.count, stored.bytes], [1, PART]);
    await finish(tab(stored));
    assert.ok(await isComplete());
  });
});
