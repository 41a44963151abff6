/** States with panels, dialogs and fields of their own: requests, axe, touch targets, width, and layout shifts. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { violations } from "./support/axe.mjs";
import { describeEachState, watchedBrowsers } from "./support/each-state.mjs";
import { panels } from "./support/states.mjs";

const PHONE = { width: 360, height: 740 };

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

const prepare = (page) => page.evaluateOnNewDocument(watchShifts);
describeEachState(panels, { browsers: watchedBrowsers(), size: PHONE, prepare }, (page) => {
  test("nothing shifts, everything fits a phone, and axe has no objections", async () => {
    const shift = await page().evaluate(() => globalThis.shift);
    assert.ok(shift <= 0.02, `the layout shifted by ${shift}`);
    assert.deepEqual(await page().evaluate(smallTargets), []);
    assert.equal(await page().evaluate(() => document.documentElement.scrollWidth - innerWidth), 0);
    assert.deepEqual(await violations(page()), []);
  });
});
