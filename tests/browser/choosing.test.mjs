import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { chromium, newPage } from "./support/browsers.mjs";
import { text, waitForText } from "./support/elements.mjs";
import { answer, ask, openReady, paste, pickModel, shownProblem } from "./support/index-page.mjs";
import { frames } from "./support/settled.mjs";
import { SMALL_MODELS, serveSmallModels } from "./support/small-models.mjs";

const LINE =
  "The lighthouse on Skarn Point was first lit on 4 October 1871, and its keeper is still called Ada Ferrow. ";

const site = serveSmallModels({
  "other-answers": {},
  "other-sentiment": { task: "text-classification" },
  "small-emotions": { task: "text-classification", labels: ["happy", "sad", "angry"] },
});

let browser;
before(async () => {
  browser = await chromium();
});
after(() => browser?.close());

const focused = (page) => page.evaluate(() => document.activeElement?.id);

/** A new browser context with an empty cache. */
async function visitor(size = {}) {
  const context = await browser.createBrowserContext();
  const { page } = await newPage(context, size);
  return { page, leave: () => context.close() };
}

/** Keeps workers from getting requests to load, or no longer. */
const holdLoads = (page, on) =>
  page.evaluate((on) => {
    globalThis.post ??= Worker.prototype.postMessage;
    Worker.prototype.postMessage = function (message, ...rest) {
      if (!on || message.kind !== "load") globalThis.post.call(this, message, ...rest);
    };
  }, on);

test("reading can be stopped, and the best answer so far is kept", async () => {
  const { page, leave } = await visitor();
  await openReady(page, site.address(), SMALL_MODELS);
  assert.equal(await page.$eval("#answer-stop", (button) => button.checkVisibility()), false);
  await paste(page, "#passage", LINE.repeat(8000));
  await paste(page, "#question", "Who keeps it?");
  await page.evaluate(() => document.querySelector("#ask").requestSubmit());
  await waitForText(page, "#reading-count", /^\d+ of/);
  await page.focus("#answer-stop");
  await page.keyboard.press("Enter");
  const { state, cut, line, alternatives } = await answer(page);
  assert.equal(state, "found");
  assert.match(cut, /^Stopped: best answer from \d+ of [\d,]+ sections\.$/);
  assert.equal(alternatives[0], line);
  assert.equal(await page.$eval("#answer-stop", (button) => button.checkVisibility()), false);
  assert.equal(await focused(page), "ask-button");
  assert.notEqual((await ask(page, "Who else?", await paste(page, "#passage", LINE))).state, "stopped");
  await leave();
});

test("the status line is right about the cache for both models", async () => {
  const { page, leave } = await visitor();
  await openReady(page, site.address(), "?device=wasm&model=small-answers&model=other-sentiment");
  await openReady(page, site.address(), SMALL_MODELS);
  assert.match(await text(page, "#loading-text"), /^Ready\. The model is stored/);
  await openReady(page, site.address(), SMALL_MODELS);
  assert.match(await text(page, "#loading-text"), /nothing was downloaded/);
  await leave();
});

test("a model on the site can be given by its directory", async () => {
  const { page } = await newPage(browser);
  await openReady(page, site.address(), "?device=wasm&model=models/small-answers&model=models/small-sentiment/");
  assert.match(await page.$eval("#model-names", (element) => element.textContent), /small-answers.*small-sentiment/);
  await page.goto(`${site.address()}bench.html?model=models/small-answers`);
  await page.waitForFunction(() => document.documentElement.dataset.ready === "true");
  const chosen = await page.$$eval("#models input:checked", (boxes) => boxes.map((box) => box.value));
  assert.deepEqual(chosen, ["small-answers"]);
  assert.equal(
    await page.$$eval("#models input", (boxes) => boxes.filter(({ value }) => /small-answers/.test(value)).length),
    1,
  );
  await page.close();
});

test("a stalled load blocks nothing, can be stopped, and can be replaced by another model", async () => {
  const { page, leave } = await visitor();
  await page.evaluateOnNewDocument(() => {
    const { set } = Object.getOwnPropertyDescriptor(Worker.prototype, "onmessage");
    let first;
    Object.defineProperty(Worker.prototype, "onmessage", {
      set(listener) {
        first ??= this;
        let held = false;
        set.call(this, (event) => {
          if (!held) listener.call(this, event);
          held ||= this === first && event.data.progress !== undefined;
        });
      },
    });
  });
  await page.goto(site.address() + SMALL_MODELS);
  await waitForText(page, "#model-names", /small-sentiment for sentiment/);
  await paste(page, "#mood", "Not bad at all.");
  await page.waitForFunction(() => document.querySelector("#mood-timing").textContent !== "");
  await page.click("#choose-open");
  assert.equal(await focused(page), "choose-title");
  assert.equal(await text(page, "#choose-act"), "Stop loading small-answers");
  await page.click("#choose-act");
  await waitForText(page, "#loading-text", /^small-answers was not loaded because you stopped it\.$/);
  await page.type("#hub-id", "./models/small-answers/");
  await page.keyboard.press("Enter");
  await waitForText(page, "#model-names", /models\/small-answers\/ for answers/);
  assert.match(await text(page, "#choose-text"), /^Currently using \.\/models\/small-answers\//);
  assert.notEqual((await ask(page, "Who built it?")).state, "stopped");
  await page.focus("#hub-id");
  await page.keyboard.press("Escape");
  assert.equal(await page.$eval("#choose", (panel) => panel.hidden), true);
  assert.equal(await focused(page), "choose-open");
  await leave();
});

test("models on the site are offered with their tasks", async () => {
  const { page, leave } = await visitor();
  await openReady(page, site.address(), SMALL_MODELS);
  await page.click("#choose-open");
  const take = (words) =>
    page.evaluate((words) => {
      const offered = [...document.querySelectorAll("#choose-bundled button span")];
      offered.find((name) => name.textContent === words).click();
    }, words);
  const offered = await page.$$eval("#choose-bundled button span", (found) =>
    found.map((button) => button.textContent),
  );
  const made = ["small-answers (answers)", "small-sentiment (sentiment)", "other-sentiment (sentiment)"];
  // The project's own models are there, too.
  assert.deepEqual(
    made.filter((words) => offered.includes(words)),
    made,
  );
  await take("other-sentiment (sentiment)");
  await waitForText(page, "#model-names", /small-answers for answers.*other-sentiment for sentiment/);
  assert.match(await text(page, "#choose-text"), /^Currently using other-sentiment/);
  await take("small-answers (answers)");
  await page.waitForFunction(() => document.querySelector("#loading").dataset.state === "ready");
  assert.match(await text(page, "#model-names"), /small-answers for answers/);
  assert.notEqual((await ask(page, "Who built it?")).state, "stopped");
  await leave();
});

test("a sentiment model from elsewhere is used for sentiment", async () => {
  const { page, leave } = await visitor();
  const elsewhere = `${site.address()}models/other-sentiment/`;
  await openReady(page, site.address(), `?device=wasm&model=${elsewhere}`);
  await waitForText(page, "#model-names", /^Models: .*small-answers for answers|small-answers for answers/);
  await waitForText(page, "#model-names", /other-sentiment\/ for sentiment/);
  await page.waitForFunction(() => document.querySelector("#loading").dataset.state === "ready");
  assert.equal(await shownProblem(page), undefined);
  assert.notEqual((await ask(page, "Who built it?")).state, "stopped");
  await leave();
});

test("an unknown device gives one error, and the badge says that no device is in use", async () => {
  const { page, leave } = await visitor();
  await page.goto(`${site.address()}?device=garbage&model=small-answers&model=small-sentiment`);
  await page.waitForFunction(() => !document.querySelector("#problem").hidden);
  const { code, advice } = await shownProblem(page);
  assert.equal(code, "invalid-input");
  assert.match(advice, /Choose a device at the top/);
  assert.equal(await page.$eval("#problem-retry", (button) => button.checkVisibility()), false);
  assert.equal(await text(page, "#device-name"), "No device in use");
  assert.match(await text(page, "#device-reason"), /No model could be loaded/);
  await leave();
});

test("an unknown number format or schedule is to be changed in the URL, and no other model is suggested", async () => {
  for (const name of ["dtype", "schedule"]) {
    const { page, leave } = await visitor();
    await page.goto(`${site.address()}${SMALL_MODELS}&${name}=garbage`);
    await page.waitForFunction(() => !document.querySelector("#problem").hidden);
    const { code, advice } = await shownProblem(page);
    assert.deepEqual([code, advice], ["invalid-input", `Change ?${name}= in the page's URL.`]);
    assert.equal(await page.$eval("#choose", (panel) => panel.hidden), true);
    await page.click("#choose-open");
    assert.equal(await text(page, "#choose-text"), "small-answers could not be loaded.");
    assert.equal(await page.$eval("#choose-act", (button) => button.hidden), true);
    await leave();
  }
});

test("on a phone the page scrolls to the answer, instantly with reduced motion", async () => {
  const { page, leave } = await visitor({ width: 360, height: 740 });
  await page.emulateMediaFeatures([{ name: "prefers-reduced-motion", value: "reduce" }]);
  await openReady(page, site.address(), SMALL_MODELS);
  await page.click("#chips button");
  await answer(page);
  const seen = await page.evaluate(() => {
    const box = (selector) => document.querySelector(selector).getBoundingClientRect();
    return { top: box("#answer-line").top, bottom: box("#answer-sentence").bottom, height: innerHeight };
  });
  assert.ok(seen.top >= 0 && seen.bottom <= seen.height, JSON.stringify(seen));
  await leave();
});

test("with forced colors the highlight and the selected sample are visible", async () => {
  const { page, leave } = await visitor();
  await openReady(page, site.address(), SMALL_MODELS);
  assert.equal((await ask(page, "Who built it?")).state, "found");
  const session = await page.createCDPSession();
  await session.send("Emulation.setEmulatedMedia", { features: [{ name: "forced-colors", value: "active" }] });
  const changes = async (selector, hide) => {
    const picture = async () => {
      const { x, y, width, height } = await page.$eval(selector, (element) => {
        const box = element.getBoundingClientRect();
        return { x: box.x + scrollX, y: box.y + scrollY, width: box.width, height: box.height };
      });
      const clip = { x: x - 4, y: y - 4, width: width + 8, height: height + 8 };
      return Buffer.from(await page.screenshot({ clip })).toString("base64");
    };
    /** The picture when nothing scrolls or fades anymore. */
    const steady = async () => {
      for (let last = await picture(); ; ) {
        await frames(page);
        const next = await picture();
        if (next === last) return next;
        last = next;
      }
    };
    await page.$eval("#paper", (paper) => paper.scrollIntoView({ block: "start" }));
    const before = await steady();
    await page.evaluate(hide);
    return before !== (await picture());
  };
  const unmark = () => document.querySelector("#passage-marks").style.setProperty("visibility", "hidden");
  assert.ok(await changes("#passage-marks mark.best", unmark), "the highlight is not visible");
  const release = () => document.querySelector("#samples button").setAttribute("aria-pressed", "false");
  assert.ok(await changes("#samples button", release), "the selected sample looks like the others");
  await leave();
});

test("an answers model whose load is stopped gives way to the one before", async () => {
  const { page, leave } = await visitor();
  await openReady(page, site.address(), SMALL_MODELS);
  await holdLoads(page, true);
  await pickModel(page, "other-answers");
  await waitForText(page, "#choose-act", /^Stop loading other-answers$/);
  await paste(page, "#question", "Who built it?");
  await page.evaluate(() => document.querySelector("#ask").requestSubmit());
  await holdLoads(page, false);
  await page.click("#choose-act");
  assert.notEqual((await answer(page)).state, "stopped");
  assert.match(await text(page, "#model-names"), /small-answers for answers/);
  assert.equal(await text(page, "#choose-text"), "Loading other-answers was stopped. Choose another model:");
  await leave();
});

test("while another model is loading, the labels of the last text are gone", async () => {
  const { page, leave } = await visitor();
  await openReady(page, site.address(), SMALL_MODELS);
  await paste(page, "#mood", "It is the end.");
  await pickModel(page, "small-emotions");
  await waitForText(page, "#labels-line", /\d %/);
  await holdLoads(page, true);
  await pickModel(page, "other-sentiment");
  await waitForText(page, "#labels-line", /^The model is still loading\.$/);
  await paste(page, "#labels-text", "It is the end of the day.");
  // Longer than the pause after typing.
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.equal(await text(page, "#labels-line"), "The model is still loading.");
  assert.equal(await page.$eval("#labels-list", (list) => list.childElementCount), 0);
  await leave();
});
