import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";

const source = await readFile(join(import.meta.dirname, "../../www/app/format.js"), "utf8");
const { percent } = await import(`data:text/javascript,${encodeURIComponent(source)}`);

test("probabilities are shown in whole percent, and never as certain or impossible", () => {
  const shown = [0, 1e-9, 0.00999, 0.01, 0.0149, 0.015, 0.983, 0.9949, 0.995, 0.99999, 1].map(percent);
  const expected = ["< 1 %", "< 1 %", "< 1 %", "1 %", "1 %", "2 %", "98 %", "99 %", "> 99 %", "> 99 %", "> 99 %"];
  assert.deepEqual(shown, expected);
  for (let i = 0; i <= 1000; i++) assert.match(percent(i / 1000), /^(< 1|> 99|[1-9]\d?) %$/);
});
