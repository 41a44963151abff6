import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { chromium, newPage } from "./support/browsers.mjs";
import { startStates } from "./support/state-models.mjs";
import { answering } from "./support/states/answering.mjs";
import { devices } from "./support/states/devices.mjs";
import { inside } from "./support/states/inside.mjs";
import { loading } from "./support/states/loading.mjs";

const axe = await readFile(join(import.meta.dirname, "node_modules/axe-core/axe.min.js"), "utf8");
const SIZES = [
  { width: 360, height: 780 },
  { width: 1280, height: 1000 },
];

let served;
const browsers = {};
before(async () => {
  served = await startStates({ tiny: true, networks: "?variant=tiny&sequence=8,16,32&runs=2&device=wasm" });
  browsers.plain = await chromium();
  browsers.gpu = await chromium({ webgpu: true });
});
after(async () => {
  for (const browser of Object.values(browsers)) await browser.close();
  await served?.stop();
});

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

for (const [name, state] of Object.entries({ ...loading, ...answering, ...inside, ...devices })) {
  test(`axe has no objections in the state ${name}, on a phone and a wide screen, in light and dark mode`, async () => {
    const context = await (state.gpu ? browsers.gpu : browsers.plain).createBrowserContext();
    try {
      const { page } = await newPage(context, SIZES[0]);
      await state.enter(page, served.where);
      assert.deepEqual(await objections(page), []);
    } finally {
      await context.close();
    }
  });
}
