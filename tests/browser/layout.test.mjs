import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { before, test } from "node:test";
import { endOfBench, openBench, startBench } from "./support/bench-page.mjs";
import { chromium, newPage } from "./support/browsers.mjs";
import { contrast } from "./support/contrast.mjs";
import { describeInEachBrowser } from "./support/each-browser.mjs";
import { ask, paste } from "./support/index-page.mjs";
import { serveSmallModels } from "./support/small-models.mjs";

const PHONE = { width: 360, height: 740 };

const site = serveSmallModels();

/** Height in pixels of the filled part of the first probability bar, from a screenshot, and of the whole bar. */
async function barHeights(page) {
  const meter = await page.$("#alternatives meter");
  await meter.evaluate((bar) => {
    bar.value = 0.9;
    bar.scrollIntoView({ block: "center", behavior: "instant" });
  });
  const picture = await meter.screenshot({ encoding: "base64" });
  const whole = (await meter.boundingBox()).height;
  const accent = await page.$eval("#ask-button", (button) =>
    getComputedStyle(button).backgroundColor.match(/\d+/g).map(Number),
  );
  // The page's security policy forbids this picture.
  const blank = await page.browser().newPage();
  const filled = await blank.evaluate(countRows, picture, accent);
  await blank.close();
  return { filled, whole };
}

/** Counts the rows of a picture that have this color in their middle. */
async function countRows(picture, color) {
  const image = new Image();
  image.src = `data:image/png;base64,${picture}`;
  await image.decode();
  const canvas = new OffscreenCanvas(image.width, image.height);
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0);
  const { data } = context.getImageData(image.width >> 1, 0, 1, image.height);
  let filled = 0;
  for (let row = 0; row < image.height; row++) {
    if (color.every((value, channel) => Math.abs(data[4 * row + channel] - value) < 8)) filled++;
  }
  return filled;
}

describeInEachBrowser("layout", (browser) => {
  let page;
  before(async () => {
    page = await site.open(browser(), PHONE);
  });

  test("probability bars are filled over their whole height", async () => {
    await ask(page, "Who keeps it?");
    await page.$eval("#alternatives", (list) => {
      if (!list.querySelector("meter")) list.append(document.createElement("meter"));
    });
    const { filled, whole } = await barHeights(page);
    assert.ok(Math.abs(filled - whole) <= 1, `${filled} of ${whole} px`);
  });

  test("nothing shifts when the length of the passage becomes longer, at 100% and 200% text", async () => {
    for (const size of ["100%", "200%"]) {
      const top = async (words) => {
        await paste(page, "#passage", "word ".repeat(words));
        const shown = words.toLocaleString("en");
        await page.waitForFunction(
          (shown) => document.querySelector("#passage-size").textContent.startsWith(`${shown} word`),
          {},
          shown,
        );
        return await page.$eval("#paper", (paper) => paper.getBoundingClientRect().top + scrollY);
      };
      await page.evaluate((size) => document.documentElement.style.setProperty("font-size", size), size);
      assert.equal(await top(38_851), await top(1), size);
    }
  });

  test("at 200% text on a phone the question has room for words", async () => {
    await page.evaluate(() => document.documentElement.style.setProperty("font-size", "200%"));
    const { question, card, wide } = await page.evaluate(() => ({
      question: document.querySelector("#question").getBoundingClientRect().width,
      card: document.querySelector("#ask").getBoundingClientRect().width,
      wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    }));
    assert.equal(wide, 0);
    assert.ok(question > 0.9 * card, `the question is ${question} of ${card} px wide`);
    await page.evaluate(() => document.documentElement.style.removeProperty("font-size"));
    const tops = await page.evaluate(() =>
      ["#question", "#ask-button"].map((id) => document.querySelector(id).getBoundingClientRect().top),
    );
    assert.equal(tops[0], tops[1], "at 100%, the button isn't next to the question");
  });

  test("everything is inside a landmark", async () => {
    const axe = await readFile(join(import.meta.dirname, "node_modules/axe-core/axe.min.js"), "utf8");
    await page.evaluate(axe);
    const outside = await page.evaluate(async () => {
      const { violations } = await globalThis.axe.run({ runOnly: ["region"] });
      return violations.flatMap(({ nodes }) => nodes.map(({ html }) => html));
    });
    assert.deepEqual(outside, []);
  });
});

test("the latency page's Start is legible while measuring, in light and dark mode", async () => {
  // Puppeteer can't emulate the theme in Firefox.
  const browser = await chromium();
  try {
    const { page: bench } = await newPage(browser, PHONE);
    await openBench(bench, site.address(), "?variant=tiny&runs=3&device=wasm");
    await startBench(bench);
    assert.ok(await bench.$eval("#start", (button) => button.disabled), "Start isn't disabled");
    for (const theme of ["light", "dark"]) {
      await bench.emulateMediaFeatures([{ name: "prefers-color-scheme", value: theme }]);
      const { ratio } = await contrast(bench, "#start");
      assert.ok(ratio >= 4.5, `${theme}: ${ratio}`);
    }
    await bench.evaluate(() => document.querySelector("#stop").click());
    await endOfBench(bench);
  } finally {
    await browser.close();
  }
});
