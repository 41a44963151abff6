import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { chromium, newPage } from "./support/browsers.mjs";
import { answer, ask, openReady, paste, takeSample } from "./support/index-page.mjs";
import { frames, shiftSoFar, watchShift } from "./support/settled.mjs";
import { SMALL_MODELS, serveSmallModels } from "./support/small-models.mjs";
import { delayMessages } from "./support/worker-messages.mjs";

const LINE =
  "The lighthouse on Skarn Point was first lit on 4 October 1871, and its keeper is still called Ada Ferrow. ";

const site = serveSmallModels({ "silent-answers": { silent: true } });

let browser;
before(async () => {
  browser = await chromium();
});
after(() => browser?.close());

/** Top and bottom of elements on the screen, in pixels. */
const boxes = (page, ...selectors) =>
  page.evaluate(
    (selectors) =>
      selectors.map((selector) => {
        const { top, bottom, left, right } = document.querySelector(selector).getBoundingClientRect();
        return { selector, top, bottom, left, right };
      }),
    selectors,
  );

/** Returns what a user sees of the text, the question and the answer. */
const shown = (page) =>
  page.evaluate(() => ({
    passage: document.querySelector("#passage").value,
    question: document.querySelector("#question").value,
    line: document.querySelector("#answer-line").textContent,
    sentence: document.querySelector("#answer-sentence").textContent,
    marked: document.querySelector("#passage-marks mark.best")?.textContent,
    rows: Array.from(document.querySelectorAll("#alternatives button"), (row) => row.textContent),
  }));

/** Waits until elements are on a screen of this height, and fails with their places if they don't come there. */
async function assertOnScreen(page, height, ...selectors) {
  const areThere = (height, selectors) =>
    selectors.every((selector) => {
      const { top, bottom } = document.querySelector(selector).getBoundingClientRect();
      return top >= 0 && bottom <= height && bottom > top;
    });
  await page
    .waitForFunction(areThere, {}, height, selectors)
    .catch(async () => assert.fail(JSON.stringify(await boxes(page, ...selectors))));
}

describe("on a phone", () => {
  let page;
  beforeEach(async () => {
    const context = await browser.createBrowserContext();
    ({ page } = await newPage(context));
    await page.setViewport({ width: 360, height: 640, hasTouch: true, isMobile: true });
    await page.emulateMediaFeatures([{ name: "prefers-reduced-motion", value: "reduce" }]);
    await openReady(page, site.address(), SMALL_MODELS);
  });

  test("the passage, the question and the answer are on the screen together", async () => {
    await page.tap("#question");
    await page.keyboard.type("Who keeps it?");
    await page.keyboard.press("Enter");
    await answer(page);
    await assertOnScreen(page, 640, "#paper", "#question", "#answer-line", "#answer-sentence");
    const [{ top, bottom }] = await boxes(page, "#paper");
    assert.ok(bottom - top <= 5 * 25.6 + 24 + 2, `the passage is ${bottom - top} px tall`);
  });

  test("the keyboard is closed, which would cover the answer", async () => {
    await page.tap("#question");
    await page.keyboard.type("Who keeps it?");
    await page.keyboard.press("Enter");
    assert.equal(await page.evaluate(() => document.activeElement?.id), "");
  });

  test("the progress in a long text, its best answer and a way to stop are on the screen", async () => {
    await paste(page, "#passage", LINE.repeat(3000));
    await paste(page, "#question", "Who keeps it?");
    await page.evaluate(() => document.querySelector("#ask").requestSubmit());
    await page.waitForFunction(() => / left$/.test(document.querySelector("#reading-count").textContent));
    await page.evaluate(() => scrollTo(0, 0));
    for (const { selector, top, bottom } of await boxes(page, "#reading-bar", "#reading-best", "#answer-stop")) {
      assert.ok(top >= 0 && bottom <= 640 && bottom > top, `${selector} is at ${top} to ${bottom}`);
    }
    assert.match(
      await page.$eval("#reading-count", (count) => count.textContent),
      /^\d+ of [\d,]+ sections, about \d+ (s|min) left$/,
    );
    assert.notEqual(await page.$eval("#reading-best", (best) => best.textContent), "");
    await page.tap("#answer-stop");
    assert.equal((await answer(page)).state, "found");
    assert.equal(await page.$eval("#reading", (panel) => panel.checkVisibility()), false);
  });

  test("nothing shifts on the screen when the answer comes", async () => {
    // Shifts soon after a tap don't count, so the answer has to come later.
    await delayMessages(page, 700);
    await openReady(page, site.address(), SMALL_MODELS);
    await watchShift(page);
    for (const index of [1, 2]) {
      await page.tap(`#samples button:nth-child(${index})`);
      await frames(page);
      await page.tap("#chips button");
      await answer(page);
      await frames(page);
    }
    const shift = await shiftSoFar(page);
    assert.ok(shift <= 0.02, `the layout shifted by ${shift}`);
  });
});

describe("on a wide screen", () => {
  let page;
  before(async () => {
    ({ page } = await newPage(browser, { width: 1280, height: 900 }));
    await openReady(page, site.address(), SMALL_MODELS);
  });

  test("the answer and its alternatives are next to the passage, without scrolling", async () => {
    await ask(page, "Who keeps it?");
    const [paper, line, rows] = await boxes(page, "#paper", "#answer-line", "#alternatives");
    assert.ok(line.left > paper.right, "the answer isn't next to the passage");
    assert.ok(rows.bottom <= 900, `the alternatives end at ${rows.bottom}`);
    assert.equal(await page.evaluate(() => scrollY), 0);
  });

  test("tapping an alternative shows that one everywhere", async () => {
    await ask(page, "Who keeps it?");
    const count = await page.$$eval("#alternatives button", (rows) => rows.length);
    assert.ok(count > 1, `${count} rows`);
    for (let index = count - 1; index >= 0; index--) {
      await page.evaluate((index) => document.querySelectorAll("#alternatives button")[index].click(), index);
      const { picked, text } = await page.evaluate(() => {
        const pressed = [...document.querySelectorAll('#alternatives [aria-pressed="true"]')];
        return { picked: pressed.length, text: pressed[0].querySelector(".what").textContent };
      });
      assert.equal(picked, 1);
      if (text === "The passage does not say") continue;
      const { line, sentence, marked } = await shown(page);
      assert.deepEqual([line, marked], [text, text]);
      assert.ok(sentence.includes(text), sentence);
    }
  });

  test("the focus stays on the tapped alternative", async () => {
    await ask(page, "Who keeps it?");
    await page.focus("#alternatives li:nth-child(2) button");
    await page.keyboard.press("Enter");
    const [focused, pressed] = await page.evaluate(() => {
      const { activeElement } = document;
      return [activeElement?.className, activeElement?.getAttribute("aria-pressed")];
    });
    assert.deepEqual([focused, pressed], ["pick", "true"]);
  });

  test("Escape stops reading", async () => {
    await paste(page, "#passage", LINE.repeat(3000));
    await paste(page, "#question", "Who keeps it?");
    await page.focus("#question");
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => /^\d+ of/.test(document.querySelector("#reading-count").textContent));
    // Where it closes a panel, it does nothing else.
    await page.$eval("#choose-open", (button) => button.click());
    await page.keyboard.press("Escape");
    assert.equal(await page.$eval("#choose", (panel) => panel.hidden), true);
    assert.equal(await page.$eval("#answer", (section) => section.dataset.state), "reading");
    await page.keyboard.press("Escape");
    assert.match((await answer(page)).cut, /^Stopped/);
  });
});

describe("a passage that does not say", () => {
  let page;
  before(async () => {
    ({ page } = await newPage(browser));
    await openReady(page, site.address(), SMALL_MODELS.replace("small-answers", "silent-answers"));
  });

  for (const [passage, certain] of [
    ["No.", "a short passage"],
    [LINE.repeat(3), "a longer passage"],
  ]) {
    test(`${certain}: the words fit the probability, and improbable answers have no rows`, async () => {
      await paste(page, "#passage", passage);
      const { state, line, shares } = await ask(page, "Who keeps it?");
      assert.equal(state, "none");
      const [, words, share] = /^The passage (.*) not say \((.*)\)\.$/.exec(line) ?? assert.fail(line);
      const probability = share === "> 99 %" ? 100 : Number.parseFloat(share);
      const expected = probability < 50 ? ["may"] : probability < 90 ? ["probably does"] : ["does"];
      // Rounded to a limit, either is right.
      if (probability === 50) expected.push("may");
      if (probability === 90) expected.push("probably does");
      assert.ok(expected.includes(words), line);
      assert.ok(!shares.includes("< 1 %"), String(shares));
      assert.notEqual(shares.length, 1, "a row that can't be compared with another");
    });
  }
});

describe("what the user wrote is kept", () => {
  let page;
  beforeEach(async () => {
    ({ page } = await newPage(browser));
    await openReady(page, site.address(), SMALL_MODELS);
    await paste(page, "#passage", `My own words. ${LINE}`);
    assert.equal((await ask(page, "Who keeps it?")).state, "found");
  });

  test("when the device is switched, which happens in place", async () => {
    const kept = await shown(page);
    await page.evaluate(() => {
      globalThis.samePage = true;
      // Observed in the page: small models load between two looks from outside.
      const loading = document.querySelector("#loading");
      globalThis.loadedAgain = new Promise((resolve) => {
        let began = false;
        new MutationObserver(() => {
          began ||= loading.dataset.state === "loading";
          if (began && loading.dataset.state === "ready") resolve();
        }).observe(loading, { attributes: true });
      });
      document.querySelector('#device-switch [data-device="auto"]').click();
    });
    await page.evaluate(() => globalThis.loadedAgain);
    assert.deepEqual(await shown(page), kept);
    assert.equal(await page.evaluate(() => globalThis.samePage), true);
    assert.match(page.url(), /device=auto/);
    const current = await page.$$eval("#device-switch [aria-current]", (links) =>
      links.map((link) => link.dataset.device),
    );
    assert.deepEqual(current, ["auto"]);
  });

  test("when a sample replaces the text: Undo brings back text, question and answer", async () => {
    const kept = await shown(page);
    await takeSample(page, 1);
    await ask(page, "How long does it simmer?");
    await page.$eval("#passage-undo", (button) => button.click());
    assert.deepEqual(await shown(page), kept);
    // Not counted again.
    assert.match(await page.$eval("#answer-timing", (line) => line.textContent), / · median of 2 answers /);
    assert.equal(await page.$eval("#passage-undo", (button) => button.checkVisibility()), false);
  });

  test("when a file replaces the text", async () => {
    const kept = await shown(page);
    await page.evaluate(() => {
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File(["Another text."], "note.txt"));
      document.body.dispatchEvent(new DragEvent("drop", { dataTransfer, cancelable: true, bubbles: true }));
    });
    await page.waitForFunction(() => document.querySelector("#passage").value === "Another text.");
    assert.equal(
      await page.$eval("#passage-hint", (hint) => hint.textContent),
      "Opened note.txt. Your text was replaced.",
    );
    await page.click("#passage-undo");
    assert.deepEqual(await shown(page), kept);
  });

  test("when the page is loaded again, or left and opened again in the same tab", async () => {
    await paste(page, "#mood", "My own film.");
    const texts = () => page.$$eval("#passage, #question, #mood", (fields) => fields.map(({ value }) => value));
    const kept = await texts();
    assert.deepEqual(kept.slice(1), ["Who keeps it?", "My own film."]);
    await page.reload({ waitUntil: "domcontentloaded" });
    await page.waitForSelector("#mood-chips button");
    assert.deepEqual(await texts(), kept);
    await page.goto(`${site.address()}bench.html`);
    await openReady(page, site.address(), SMALL_MODELS);
    assert.deepEqual(await texts(), kept);
    await page.waitForFunction(() => document.querySelector("#mood-timing").textContent !== "");
  });

  test("when a phone ends the hidden tab, more than once", async () => {
    const texts = () => page.$$eval("#passage, #question, #mood", (fields) => fields.map(({ value }) => value));
    await paste(page, "#mood", "My own film.");
    const kept = await texts();
    await page.evaluate(() => {
      Object.defineProperty(document, "hidden", { value: true });
      document.dispatchEvent(new Event("visibilitychange"));
    });
    const endWithoutEvents = () => {
      for (const type of ["pagehide", "visibilitychange"]) {
        addEventListener(type, (event) => event.stopImmediatePropagation(), true);
      }
    };
    await page.evaluate(endWithoutEvents);
    await page.evaluateOnNewDocument(endWithoutEvents);
    for (let i = 0; i < 2; i++) {
      await page.reload({ waitUntil: "domcontentloaded" });
      await page.waitForSelector("#mood-chips button");
      assert.deepEqual(await texts(), kept);
    }
  });

  test("but replacing a sample by another needs no Undo", async () => {
    await takeSample(page, 0);
    await takeSample(page, 1);
    assert.equal(await page.$eval("#passage-undo", (button) => button.checkVisibility()), false);
  });
});
