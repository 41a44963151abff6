/** The latency page before, during and after a measurement: what it promises, its progress, and where it scrolls. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { endOfBench, openBench, startBench } from "./support/bench-page.mjs";
import { chromium, newPage } from "./support/browsers.mjs";
import { text } from "./support/elements.mjs";
import { serveSmallModels } from "./support/small-models.mjs";

const site = serveSmallModels();
let browser;
before(async () => {
  browser = await chromium();
});
after(() => browser?.close());

const choose = (page, name) => page.evaluate((name) => document.getElementById(`models-${name}`).click(), name);

describe("what Start downloads", () => {
  let page;
  before(async () => {
    ({ page } = await newPage(browser));
    await openBench(
      page,
      site.address(),
      "?variant=tiny&sequence=16&runs=1&device=wasm&model=https://models.example/big/",
    );
  });
  after(() => page?.close());

  test("is nothing for networks whose weights are generated", async () => {
    await choose(page, "https://models.example/big/");
    const requests = [];
    page.on("request", (request) => requests.push(request.url()));
    assert.equal(await text(page, "#downloads"), "No weights are downloaded: they are generated on this device.");
    await startBench(page);
    await endOfBench(page);
    assert.deepEqual(
      requests.filter((url) => /models\/|models\.example|safetensors/.test(url)),
      [],
    );
  });

  test("is stated for each model, with its size if it is known", async () => {
    await choose(page, "small-answers");
    assert.match(await text(page, "#downloads"), /^Start downloads 0\.\d MB for small-answers\.$/);
    assert.match(await text(page, "label:has(#models-small-answers)"), /downloads 0\.\d MB; results are not checked/);
    await choose(page, "https://models.example/big/");
    assert.match(
      await text(page, "#downloads"),
      /for small-answers, downloads weights of unknown size for https:\/\/models\.example\/big\/\.$/,
    );
  });
});

/** The states of the progress bar during a measurement. */
async function progressOf(page) {
  await page.evaluate(() => {
    const bar = document.querySelector("#bar");
    globalThis.seen = [];
    const note = () => globalThis.seen.push(bar.hasAttribute("value") ? bar.value : "unknown");
    new MutationObserver(note).observe(bar, { attributes: true });
  });
  await startBench(page);
  await endOfBench(page);
  return await page.evaluate(() => globalThis.seen);
}

test("a sustained measurement is of the shortest length chosen, as the form says, and its progress goes to the end", async () => {
  const { page } = await newPage(browser);
  await openBench(page, site.address(), "?variant=tiny&sequence=64,16,32&mode=sustained&minutes=0.05&device=wasm");
  assert.match(await text(page, "#modes"), /0\.05 minutes at the shortest length chosen/);
  const seen = await progressOf(page);
  assert.ok(Math.max(...seen) > 0.8 && Math.max(...seen) <= 1, String(seen));
  assert.match(await text(page, "#sustained-text"), /at 16 tokens/);
  await page.close();
});

test("progress covers all networks and lengths, and never goes back", async () => {
  const { page } = await newPage(browser);
  await openBench(page, site.address(), "?variant=tiny,mobilebert&sequence=16,32&runs=3&device=wasm");
  const seen = await progressOf(page);
  assert.ok(seen.length > 4, String(seen));
  assert.deepEqual(
    seen,
    seen.toSorted((a, b) => a - b),
  );
  // The second network begins in the middle.
  assert.ok(
    seen.some((value) => value >= 0.5 && value < 0.65),
    String(seen),
  );
  assert.ok(Math.max(...seen) <= 1);
  await page.close();
});

describe("on a phone", () => {
  const top = (page) => page.$eval("#results", (results) => Math.round(results.getBoundingClientRect().top));
  let page;
  before(async () => {
    ({ page } = await newPage(browser, { width: 360, height: 740 }));
    await page.emulateMediaFeatures([{ name: "prefers-reduced-motion", value: "reduce" }]);
  });
  after(() => page?.close());

  test("the results are in view when there are some, with Stop above them while it measures", async () => {
    await openBench(page, site.address(), "?variant=tiny&sequence=16,32&runs=1000&device=wasm");
    await page.focus("#start");
    await startBench(page);
    await page.waitForFunction(() => document.querySelectorAll("#warm .spark").length > 0);
    const stop = await page.$eval("#stop", (button) => button.getBoundingClientRect().top);
    assert.ok(stop >= 0 && stop < 200, `Stop is at ${stop}`);
    assert.ok((await top(page)) < 500, `the results begin at ${await top(page)}`);
    await page.click("#stop");
    await endOfBench(page);
    assert.ok(Math.abs(await top(page)) < 20, `the results begin at ${await top(page)}`);
  });

  test("the page stays where the user has scrolled to", async () => {
    await openBench(page, site.address(), "?variant=tiny&sequence=16&runs=5&device=wasm");
    await startBench(page);
    await page.evaluate(() => {
      dispatchEvent(new WheelEvent("wheel"));
      scrollTo(0, 0);
    });
    await endOfBench(page);
    assert.equal(await page.evaluate(() => scrollY), 0);
  });
});
