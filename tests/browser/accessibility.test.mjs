import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { describeEachState, watchedBrowsers } from "./support/each-state.mjs";
import { answers } from "./support/states.mjs";

const axe = await readFile(join(import.meta.dirname, "node_modules/axe-core/axe.min.js"), "utf8");
const SIZES = [
  { width: 360, height: 780 },
  { width: 1280, height: 1000 },
];

/** Returns axe's objections at each size and in each theme. */
async function objections(page) {
  const found = [];
  await page.evaluate(axe);
  for (const size of SIZES) {
    await page.setViewport(size);
    for (const theme of ["light", "dark"]) {
      await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: theme }]);
      const { violations, passes } = await page.evaluate(async () => {
        const { violations, passes } = await globalThis.axe.run({ resultTypes: ["violations"] });
        return { violations, passes: passes.length };
      });
      assert.ok(passes > 15, "axe checked almost nothing");
      for (const { id, nodes } of violations) {
        found.push(`${size.width} px, ${theme}: ${id}: ${nodes.slice(0, 3).map(({ html }) => html.slice(0, 160))}`);
      }
    }
  }
  return found;
}

describeEachState(answers, { browsers: watchedBrowsers(), size: SIZES[0] }, (page) => {
  test("axe has no objections, on a phone and a wide screen, in light and dark mode", async () => {
    assert.deepEqual(await objections(page()), []);
  });
});
