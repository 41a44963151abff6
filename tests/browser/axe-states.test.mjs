/** States with panels, dialogs and fields of their own: axe, touch targets, width, and layout shifts. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { violations } from "./support/axe.mjs";
import { chromium, newPage } from "./support/browsers.mjs";
import { startStates } from "./support/state-models.mjs";
import { bench } from "./support/states/bench.mjs";
import { code } from "./support/states/code.mjs";
import { models } from "./support/states/models.mjs";
import { sharing } from "./support/states/sharing.mjs";

const { "bench-setup": _, "bench-no-webgpu": __, ...measurements } = bench;
const states = { ...sharing, ...models, ...code, ...measurements };

let served;
let browser;
before(async () => {
  served = await startStates({ tiny: true, networks: "?variant=tiny&sequence=8,16&runs=2&device=wasm" });
  browser = await chromium();
});
after(async () => {
  await browser?.close();
  await served?.stop();
});

/** Sums up layout shifts, as browsers do: those right after a click or a key don't count. */
function watchShifts() {
  globalThis.shift = 0;
  new PerformanceObserver((list) => {
    for (const { hadRecentInput, value } of list.getEntries()) if (!hadRecentInput) globalThis.shift += value;
  }).observe({ type: "layout-shift", buffered: true });
}

/** Targets that are smaller than 44 by 44 pixels. A checkbox's target is its label. */
function smallTargets() {
  return [...document.querySelectorAll("button, summary, select, textarea, input, a.button, label:has(input)")]
    .filter((element) => !element.closest("footer") && !(element.type === "checkbox" || element.type === "radio"))
    .filter((element) => element.checkVisibility())
    .map((element) => ({ name: element.id || element.textContent, box: element.getBoundingClientRect() }))
    .filter(({ box }) => box.width > 0 && (box.width < 43.9 || box.height < 43.9))
    .map(({ name, box }) => `${name}: ${box.width}×${box.height}`);
}

describe("on a phone", () => {
  for (const [name, { enter }] of Object.entries(states)) {
    test(name, async () => {
      const context = await browser.createBrowserContext();
      const { page } = await newPage(context, { width: 360, height: 740 });
      await page.evaluateOnNewDocument(watchShifts);
      await enter(page, served.where);
      const shift = await page.evaluate(() => globalThis.shift);
      assert.ok(shift <= 0.02, `the layout shifted by ${shift}`);
      assert.deepEqual(await page.evaluate(smallTargets), []);
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), 0);
      assert.deepEqual(await violations(page), []);
      await context.close();
    });
  }
});
