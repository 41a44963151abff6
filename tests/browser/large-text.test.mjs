import assert from "node:assert/strict";
import { before, test } from "node:test";
import { openBench } from "./support/bench-page.mjs";
import { newPage } from "./support/browsers.mjs";
import { crowding, lettersIn } from "./support/crowding.mjs";
import { describeInEachBrowser } from "./support/each-browser.mjs";
import { answer, ask, paste } from "./support/index-page.mjs";
import { openInside, tapAnswer } from "./support/inside-panel.mjs";
import { serveSmallModels } from "./support/small-models.mjs";

const PHONE = { width: 360, height: 740 };

const site = serveSmallModels();

const enlarge = (page) => page.evaluate(() => document.documentElement.style.setProperty("font-size", "200%"));
const click = (page, selector) => page.evaluate((selector) => document.querySelector(selector).click(), selector);

// One visit: each test continues where the one before it ended.
describeInEachBrowser("with text at 200% on a phone", (browser) => {
  let page;
  before(async () => {
    page = await site.open(browser(), PHONE);
    await enlarge(page);
  });

  test("everything on the page fits, and the question has room for words", async () => {
    assert.deepEqual(await crowding(page), []);
    const letters = await lettersIn(page, "#question");
    assert.ok(letters >= 12, `the question shows ${letters} letters`);
  });

  test("so does an answer with its alternatives", async () => {
    await ask(page, "Who keeps it?");
    assert.deepEqual(await crowding(page), []);
    const row = await page.$$("#alternatives button");
    await row.at(-1).evaluate((button) => button.click());
    await answer(page);
    assert.deepEqual(await crowding(page), []);
  });

  test('so does "See inside"', async () => {
    await openInside(page);
    assert.deepEqual(await crowding(page), []);
    await tapAnswer(page);
    assert.deepEqual(await crowding(page), []);
    await click(page, "#inside-toggle");
  });

  test("so do the panels for sharing, models and the device", async () => {
    await click(page, "#share-open");
    assert.deepEqual(await crowding(page), []);
    await click(page, "#share-open");
    await click(page, "#choose-open");
    assert.deepEqual(await crowding(page), []);
    await click(page, "#choose-close");
    await click(page, "#device summary");
    assert.deepEqual(await crowding(page), []);
  });

  test("so does a sentiment", async () => {
    await paste(page, "#mood", "the best of the worst, and then some");
    await page.waitForFunction(() => document.querySelector("#mood-timing").textContent !== "");
    assert.deepEqual(await crowding(page), []);
  });

  test("so do the latency page and the page about the project", async () => {
    const { page: other } = await newPage(browser(), PHONE);
    await openBench(other, site.address());
    await enlarge(other);
    assert.deepEqual(await crowding(other), []);
    await other.goto(`${site.address()}about.html`);
    await enlarge(other);
    assert.deepEqual(await crowding(other), []);
    await other.close();
  });

  test("an overlap and a text that is cut off are detected", async () => {
    await page.evaluate(() => {
      document.querySelector("#ask-title").style.cssText = "position: relative; top: 3rem";
      document.querySelector("#mood-title").style.cssText = "width: 4rem; overflow: hidden; white-space: nowrap";
    });
    const found = await crowding(page);
    assert.ok(
      found.some((line) => /ask-title.* overlaps/.test(line)) &&
        found.some((line) => /mood-title.* cut off/.test(line)),
    );
  });
});
