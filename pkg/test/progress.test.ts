import assert from "node:assert/strict";
import { test } from "node:test";
import { ProgressTotal } from "../src/files/progress.ts";
import type { Progress } from "../src/types.ts";
import { Random } from "./random.mjs";

test("neither the total nor the bytes read ever decrease, whatever sizes servers report", () => {
  const random = new Random(2);
  for (let round = 0; round < 200; round++) {
    const seen: Progress[] = [];
    const total = new ProgressTotal((progress) => seen.push(progress));
    const files = ["config.json", "tokenizer.json", "model.safetensors"];
    for (const file of files) {
      // Unknown, right, or wrong.
      const size = [undefined, 100, random.below(1000)][random.below(3)];
      total.expect(file, size);
    }
    for (let step = 0; step < 50; step++) {
      const file = files[random.below(files.length)] ?? "config.json";
      const action = random.below(20);
      if (action < 2) total.restart(file);
      else if (action === 2) total.finish("download", file);
      else total.advance("download", file, random.below(40));
    }
    total.enter("upload");
    for (const [i, progress] of seen.entries()) {
      const before = seen[i - 1] ?? { loaded: 0, total: 0 };
      assert.ok(progress.loaded >= before.loaded && progress.total >= before.total, JSON.stringify(progress));
      assert.ok(progress.loaded <= progress.total, JSON.stringify(progress));
    }
  }
});

test("a known total is reported from the first byte on and reached with the last", () => {
  const seen: Progress[] = [];
  const total = new ProgressTotal((progress) => seen.push(progress));
  total.expect("a", 30);
  total.expect("b", 70);
  total.advance("download", "a", 30);
  total.advance("download", "b", 70);
  assert.deepEqual(
    seen.map(({ loaded, total }) => [loaded, total]),
    [
      [30, 100],
      [100, 100],
    ],
  );
});
