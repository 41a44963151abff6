/** What the page says when a model or a call fails, and when it works again. */
import assert from "node:assert/strict";
import { rename } from "node:fs/promises";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { chromium, newPage } from "./support/browsers.mjs";
import { text, waitForText } from "./support/elements.mjs";
import { answer, ask, openReady, paste, pickModel, shownProblem } from "./support/index-page.mjs";
import { SMALL_MODELS, serveSmallModels } from "./support/small-models.mjs";
import { replaceModelList } from "./support/states/loading.mjs";
import { changeDevices, failCalls } from "./support/worker-messages.mjs";

const site = serveSmallModels({
  "other-sentiment": { task: "text-classification" },
  "small-emotions": { task: "text-classification", labels: ["happy", "sad", "angry"] },
});

let browser;
before(async () => {
  browser = await chromium();
});
after(() => browser?.close());

/** A new browser context with an empty cache. */
async function visitor() {
  const context = await browser.createBrowserContext();
  const { page } = await newPage(context);
  return { page, leave: () => context.close() };
}

/** Lets calls to models fail, or no longer. */
const fail = (page, on) =>
  page.evaluate((on) => {
    globalThis.failing = on;
  }, on);

describe("after a call that fails", () => {
  let page;
  let leave;
  beforeEach(async () => {
    ({ page, leave } = await visitor());
    await failCalls(page);
    await openReady(page, site.address(), SMALL_MODELS);
    await fail(page, true);
  });
  afterEach(() => leave());

  test("trying again answers the question", async () => {
    assert.equal((await ask(page, "Who built it?")).line, "No answer; see the message above.");
    assert.equal((await shownProblem(page)).code, "internal");
    await fail(page, false);
    await page.evaluate(() => document.querySelector("#problem-retry").click());
    assert.notEqual((await answer(page)).state, "stopped");
    assert.equal(await shownProblem(page), undefined);
  });

  test("the error goes with the next answer", async () => {
    await ask(page, "Who built it?");
    await fail(page, false);
    assert.notEqual((await ask(page, "Who keeps it?")).state, "stopped");
    assert.equal(await shownProblem(page), undefined);
  });

  test("neither card shows the result of the text before", async () => {
    await fail(page, false);
    await paste(page, "#mood", "It is the end.");
    await page.waitForFunction(() => document.querySelector("#mood-timing").textContent !== "");
    await fail(page, true);
    await paste(page, "#mood", "It is the end of the day.");
    await waitForText(page, "#mood-text", /^No result; see the message above\.$/);
    const scale = await page.$eval("#mood-scale", ({ dataset, ariaLabel }) => [dataset.state, ariaLabel]);
    assert.deepEqual(scale, ["empty", "No result; see the message above."]);
    await fail(page, false);
    await pickModel(page, "small-emotions");
    await waitForText(page, "#labels-line", /\d %/);
    await fail(page, true);
    await paste(page, "#labels-text", "It is the end of the week.");
    await waitForText(page, "#labels-line", /^No result; see the message above\.$/);
    assert.equal(await page.$eval("#labels-list", (list) => list.childElementCount), 0);
    await fail(page, false);
    await paste(page, "#labels-text", "It is the end of the year.");
    await waitForText(page, "#labels-line", /\d %/);
    assert.equal(await shownProblem(page), undefined);
  });
});

test("the error about a model goes when another is picked", async () => {
  const { page, leave } = await visitor();
  await openReady(page, site.address(), SMALL_MODELS);
  const folder = site.folder("small-emotions");
  await rename(folder, `${folder}-away`);
  try {
    await pickModel(page, "small-emotions");
    await page.waitForFunction(() => !document.querySelector("#problem").hidden);
    await waitForText(page, "#model-names", /small-sentiment for sentiment/);
    await pickModel(page, "other-sentiment");
    assert.equal(await shownProblem(page), undefined);
    await waitForText(page, "#model-names", /other-sentiment for sentiment/);
    assert.equal(await shownProblem(page), undefined);
  } finally {
    await rename(`${folder}-away`, folder);
  }
  await leave();
});

test("a CPU with fewer workers isn't called a lost GPU", async () => {
  const { page, leave } = await visitor();
  await changeDevices(page, {});
  await openReady(page, site.address(), SMALL_MODELS);
  await page.evaluate(() => {
    globalThis.next = { threads: 1, reason: "1 of 2 workers: no response" };
  });
  await ask(page, "Who built it?");
  await waitForText(page, "#device-reason", /^1 of 2 workers: no response\.$/);
  assert.doesNotMatch(await text(page, "#loading-text"), /GPU/);
  await leave();
});

test("a lost GPU is reported, even if a model was no longer stored", async () => {
  const { page, leave } = await visitor();
  await changeDevices(page, { kind: "webgpu" });
  const gone = JSON.stringify({ answers: { label: "gone", source: "models/gone/" } });
  await page.evaluateOnNewDocument((gone) => localStorage.setItem("mobilebert-models:/", gone), gone);
  await openReady(page, site.address(), "?device=wasm");
  assert.match(await text(page, "#loading-text"), /^Ready\. gone is no longer stored/);
  await page.evaluate(() => {
    globalThis.next = { kind: "wasm", reason: "the GPU was lost; the CPU took over" };
  });
  await ask(page, "Who built it?");
  await waitForText(page, "#loading-text", /^The GPU was lost\. The model was reloaded/);
  await leave();
});

test("a list of models that isn't one is reported, or taken as empty", async () => {
  for (const [list, words, isProblem] of [
    [{}, /^No model comes with this page\. Choose one below\.$/, false],
    [[null], /^The page could not find out which models there are\.$/, true],
  ]) {
    const { page, leave } = await visitor();
    await replaceModelList(page, list);
    await page.goto(site.address() + SMALL_MODELS.replace(/&.*/, ""));
    await waitForText(page, "#loading-text", words);
    assert.equal((await shownProblem(page)) !== undefined, isProblem);
    await leave();
  }
});
