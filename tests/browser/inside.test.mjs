import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { chromium, firefox, newPage } from "./support/browsers.mjs";
import { contrast } from "./support/contrast.mjs";
import { ask, openReady, paste } from "./support/index-page.mjs";
import { choose, openInside, painted, shownInside, tapAnswer } from "./support/inside-panel.mjs";
import { shiftSoFar, watchShift } from "./support/settled.mjs";
import { serveSmallModels } from "./support/small-models.mjs";
import { delayMessages } from "./support/worker-messages.mjs";

const QUESTION = "Who keeps it?";
/** Five letters are a word of five tokens in the small models. Several sections. */
const PASSAGE =
  "Ada keeps the light. The boats go out at nine, and the last of them is back by noon, \u201cor so\u201d. 🗼 ";
const THRESHOLDS = [0.01, 0.1, 0.3, 0.6, 0.9];

const site = serveSmallModels();

/** The page with an answer, and a record of the calls to its workers. */
async function answered(browser, { device = "wasm", size, before = async () => {} } = {}) {
  const { page, faults } = await newPage(browser, size);
  await page.evaluateOnNewDocument(() => {
    globalThis.calls = [];
    const { postMessage } = Worker.prototype;
    Worker.prototype.postMessage = function (message, ...rest) {
      if (message?.kind === "call") globalThis.calls.push(message.call.name);
      return postMessage.call(this, message, ...rest);
    };
  });
  await before(page);
  await openReady(page, site.address(), `?device=${device}&model=small-answers&model=small-sentiment`);
  await paste(page, "#passage", PASSAGE);
  await ask(page, QUESTION);
  return { page, faults };
}

const calls = (page) => page.evaluate(() => globalThis.calls.filter((name) => name === "explain").length);

/** Returns the package's own explanation of the best answer, with the attention of a layer and a head. */
function explained(page, device, layer, head) {
  return page.evaluate(
    async ({ device, question, passage, layer, head }) => {
      const { QuestionAnswering } = await import("/pkg/dist/index.js");
      const qa = await QuestionAnswering.load("/models/small-answers/", { device });
      const { answers } = await qa.ask(question, passage, { topK: 3 });
      const { words, attention, windows } = await qa.explain(question, passage, { answer: answers[0], layer, head });
      await qa.dispose();
      return { words, attention: [...attention], windows, answer: answers[0] };
    },
    { device, question: QUESTION, passage: PASSAGE, layer, head },
  );
}

const step = (value, thresholds) => thresholds.filter((least) => value >= least).length;
const sourceOf = ({ source }) => source;

for (const [name, launch, device] of [
  ["Chromium on the CPU", () => chromium(), "wasm"],
  ["Chromium on WebGPU", () => chromium({ webgpu: true }), "webgpu"],
  ["Firefox on the CPU", firefox, "wasm"],
  ["Firefox on WebGPU", firefox, "webgpu"],
]) {
  describe(`"See inside" in ${name}`, () => {
    let browser;
    let page;
    let faults;
    before(async () => {
      browser = await launch();
      ({ page, faults } = await answered(browser, { device }));
    });
    after(() => browser?.close());

    test("nothing is computed until it is opened", async () => {
      assert.equal(await calls(page), 0);
      assert.equal(await page.$eval("#inside", (panel) => panel.checkVisibility()), false);
      await openInside(page);
      assert.equal(await calls(page), 1);
    });

    test("it paints the start and end probabilities of the section with the answer", async () => {
      const { words, windows, answer } = await explained(page, device, 0, 0);
      assert.ok(windows > 1, "there is one section only");
      const shown = await shownInside(page);
      assert.deepEqual(
        shown.words.map(({ text }) => text),
        words.map(({ text }) => text),
      );
      for (const [index, { startProbability, endProbability }] of words.entries()) {
        const { under, over } = shown.words[index];
        assert.deepEqual([under, over], [step(startProbability, THRESHOLDS), step(endProbability, THRESHOLDS)]);
      }
      assert.ok(shown.words.some(({ under }) => under > 0) && shown.words.some(({ over }) => over > 0));
      const chosen = words.filter(
        (word) => word.source === "context" && word.start < answer.end && word.end > answer.start,
      );
      assert.deepEqual(
        shown.words.filter((word) => word.chosen).map(({ text }) => text),
        chosen.map(({ text }) => text),
      );
      const first = words.reduce((best, word) => (word.startProbability > best.startProbability ? word : best));
      assert.ok(shown.rows[0][0].startsWith(first.text), JSON.stringify(shown.rows));
      assert.match(shown.rows[0][1], /^(> |< )?\d+ %$/);
    });

    test("a tapped word shows what it attends to, in shades, numbers and words", async () => {
      await tapAnswer(page);
      for (const [layer, head] of [
        [1, 0],
        [0, 0],
        [0, 1],
      ]) {
        await choose(page, "layer", layer);
        await choose(page, "head", head);
        const { words, attention } = await explained(page, device, layer, head);
        const shown = await shownInside(page);
        const from = shown.words.findIndex(({ selected }) => selected);
        const given = attention.slice(from * words.length, (from + 1) * words.length);
        const ofWords = given.map((share, index) => (sourceOf(words[index]) === "special" ? 0 : share));
        const most = Math.max(...ofWords);
        for (const [index, share] of given.entries()) {
          const expected = step(
            share,
            [0.05, 0.2, 0.4, 0.6, 0.8].map((least) => least * most),
          );
          assert.equal(shown.words[index].under, expected, `${words[index].text}: ${share} of ${most}`);
        }
        const ranked = [...words.keys()].sort((a, b) => ofWords[b] - ofWords[a]).slice(0, 5);
        const [top, parts] = [shown.rows.slice(0, 5), shown.rows.slice(5)];
        for (const [place, index] of ranked.entries()) {
          assert.equal(shown.words[index].rank, place + 1);
          assert.ok(top[place][0].startsWith(words[index].text), JSON.stringify(top));
          assert.ok(Math.abs(Number.parseFloat(top[place][1]) - 100 * ofWords[index]) < 0.51, JSON.stringify(top));
        }
        const total = (source) =>
          given.reduce((sum, share, at) => sum + (sourceOf(words[at]) === source ? share : 0), 0);
        for (const [row, source] of [
          [0, "context"],
          [1, "question"],
          [2, "special"],
        ]) {
          assert.ok(Math.abs(Number.parseFloat(parts[row][1]) - 100 * total(source)) < 0.51, JSON.stringify(parts));
        }
        assert.match(shown.line, new RegExp(`^Layer ${layer + 1}, head ${head + 1}, from the word “`));
      }
      assert.deepEqual(faults, []);
    });
  });
}

describe("the panel", () => {
  let browser;
  let page;
  before(async () => {
    browser = await chromium();
    ({ page } = await answered(browser));
  });
  after(() => browser?.close());

  test("arrow keys move through the words, of which Tab reaches one", async () => {
    await openInside(page);
    await page.focus("#inside-words [tabindex='0']");
    const at = async () => {
      const { words } = await shownInside(page);
      const reachable = words.flatMap((word, index) => (word.reachable ? [index] : []));
      const selected = words.flatMap((word, index) => (word.selected ? [index] : []));
      const focused = await page.evaluate(() =>
        Array.from(document.querySelectorAll("#inside-words .word")).indexOf(document.activeElement),
      );
      assert.deepEqual([reachable, selected], [[focused], [focused]]);
      return focused;
    };
    const press = async (key) => {
      await page.keyboard.press(key);
      return await at();
    };
    assert.equal(await press("Home"), 0);
    assert.equal(await press("ArrowLeft"), 0);
    assert.equal(await press("ArrowRight"), 1);
    const below = await press("ArrowDown");
    assert.ok(below > 2, `${below}`);
    assert.equal(await press("ArrowUp"), 1);
    const last = await press("End");
    assert.equal(last, (await shownInside(page)).words.length - 1);
    assert.equal(await press("ArrowDown"), last);
    assert.equal(await press("ArrowRight"), last);
    // In view, within the box.
    const inView = await page.evaluate(() => {
      const box = document.querySelector("#inside-words").getBoundingClientRect();
      const word = document.activeElement.getBoundingClientRect();
      return word.top >= box.top && word.bottom <= box.bottom;
    });
    assert.ok(inView);
    assert.match((await shownInside(page)).line, /^\[SEP\]: the answer starts here with/);
    await page.keyboard.press("Enter");
    await painted(page, "attention");
    await page.keyboard.press("ArrowLeft");
    const { titles, words } = await shownInside(page);
    assert.equal(titles[0], `“${words[last - 1].text}” attends most to`);
  });

  test("another head of the same layer is shown without losing the place, and the start and end without computing", async () => {
    const before = await shownInside(page);
    await choose(page, "head", 1);
    const { words } = await shownInside(page);
    assert.equal(
      words.findIndex(({ selected }) => selected),
      before.words.findIndex(({ selected }) => selected),
    );
    const count = await calls(page);
    await page.click("#inside-ends");
    await painted(page, "ends");
    assert.equal(await calls(page), count);
  });

  test("what a word attends to is announced once the user stays on it", async () => {
    await page.click("#inside-attention");
    await painted(page, "attention");
    await page.focus("#inside-words [tabindex='0']");
    await page.evaluate(() => {
      globalThis.announced = [];
      const region = document.querySelector("#inside-announcement");
      new MutationObserver(() => globalThis.announced.push(region.textContent)).observe(region, { childList: true });
    });
    for (let i = 0; i < 6; i++) await page.keyboard.press("ArrowLeft");
    await page.waitForFunction(() => globalThis.announced.length > 0);
    const announced = await page.evaluate(() => globalThis.announced);
    assert.equal(announced.length, 1);
    const { rows } = await shownInside(page);
    assert.ok(announced[0].includes(rows[0][1]) && announced[0].includes(rows[4][1]), announced[0]);
  });

  test("text over painted words has a contrast of 4.5 at every step, in light and dark mode", async () => {
    for (const mode of ["ends", "attention"]) {
      await page.click(`#inside-${mode}`);
      await painted(page, mode);
      for (const theme of ["light", "dark"]) {
        await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: theme }]);
        const backgrounds = new Set();
        for (let step = 0; step <= 5; step++) {
          await page.$eval(
            "#inside-words .word",
            (word, step) => word.style.setProperty("--level", String(step)),
            step,
          );
          const { ratio, background } = await contrast(page, "#inside-words .word");
          assert.ok(ratio >= 4.5, `${mode}, ${theme}, step ${step}: ${ratio}`);
          backgrounds.add(background);
        }
        assert.equal(backgrounds.size, 6, `${mode}, ${theme}: steps look the same`);
      }
    }
  });

  test("an alternative is explained where it is, and a new question or an edit closes the panel", async () => {
    await page.click("#inside-ends");
    await painted(page, "ends");
    const before = (await shownInside(page)).words.filter(({ chosen }) => chosen);
    const rows = await page.$$("#alternatives button");
    assert.ok(rows.length > 1, "there is one answer only");
    const count = await calls(page);
    await rows[1].evaluate((row) => row.click());
    await page.waitForFunction(
      (count) => globalThis.calls.filter((name) => name === "explain").length > count,
      {},
      count,
    );
    await painted(page, "ends");
    const after = (await shownInside(page)).words.filter(({ chosen }) => chosen);
    assert.notDeepEqual(after, before);
    const line = await page.$eval("#answer-line", ({ textContent }) => textContent);
    assert.equal(after.map(({ text }) => text).join(""), line.replace(/\s/g, ""));
    await ask(page, "What is back by noon?");
    const isOpen = () => page.$eval("#inside", (panel) => panel.checkVisibility());
    assert.equal(await isOpen(), false);
    await openInside(page);
    assert.equal(await isOpen(), true);
    await paste(page, "#passage", `${PASSAGE} More.`);
    assert.equal(await isOpen(), false);
    assert.equal(await page.$eval("#inside-toggle", (button) => button.checkVisibility()), false);
  });

  test("it follows a change of the device, and Undo brings it back for the same texts", async () => {
    await paste(page, "#passage", PASSAGE);
    await ask(page, QUESTION);
    await openInside(page);
    const before = await shownInside(page);
    const count = await calls(page);
    await page.focus("#inside-words [tabindex='0']");
    await page.evaluate(() => {
      document.querySelector("#device").open = true;
      document.querySelector('#device-switch [data-device="auto"]').click();
    });
    await page.waitForFunction(
      (count) => globalThis.calls.filter((name) => name === "explain").length > count,
      {},
      count,
    );
    await painted(page, "ends");
    assert.deepEqual({ ...(await shownInside(page)), timing: "" }, { ...before, timing: "" });
    assert.ok(await page.evaluate(() => document.activeElement.matches("#inside-words .chosen")), "the focus is lost");
    await page.evaluate(() => document.querySelectorAll("#samples button")[1].click());
    await page.evaluate(() => document.querySelector("#passage-undo").click());
    await openInside(page);
    assert.deepEqual({ ...(await shownInside(page)), timing: "" }, { ...before, timing: "" });
  });
});

test("nothing shifts when it is computed, on a phone and a wide screen", async () => {
  const browser = await chromium();
  try {
    for (const size of [
      { width: 360, height: 740 },
      { width: 1280, height: 900 },
    ]) {
      // Shifts soon after a tap don't count, so results have to come later.
      const { page } = await answered(browser, { size, before: (page) => delayMessages(page, 700) });
      await watchShift(page);
      await page.click("#inside-toggle");
      await painted(page, "ends");
      await page.click("#inside-words .chosen");
      await painted(page, "attention");
      await choose(page, "layer", 0);
      const shift = await shiftSoFar(page);
      assert.ok(shift <= 0.02, `${size.width} px: the layout shifted by ${shift}`);
      await page.close();
    }
  } finally {
    await browser.close();
  }
});
