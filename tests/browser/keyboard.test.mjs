import assert from "node:assert/strict";
import { before, test } from "node:test";
import { describeInEachBrowser } from "./support/each-browser.mjs";
import { answer } from "./support/index-page.mjs";
import { painted, shownInside } from "./support/inside-panel.mjs";
import { assertVisibleFocus, focused, press, tabTo } from "./support/keyboard.mjs";
import { serveSmallModels } from "./support/small-models.mjs";

const site = serveSmallModels();

const isVisible = (page, selector) => page.$eval(selector, (element) => element.checkVisibility());
const focusIs = (page, selector) => page.evaluate((selector) => document.activeElement.matches(selector), selector);

// One visit without a mouse: each test continues where the one before it ended.
describeInEachBrowser("with the keyboard alone", (browser) => {
  let page;
  before(async () => {
    page = await site.open(browser(), { width: 1280, height: 900 });
  });

  test("the first stop skips to the question", async () => {
    await tabTo(page, ".skip");
    assert.equal((await focused(page)).name, "a Skip to the question");
    await page.keyboard.press("Enter");
    await tabTo(page, "#question, #ask-button");
  });

  test("the stops are in the order in which the page is read", async () => {
    await tabTo(page, "#device summary", { back: true });
    const stops = await tabTo(page, "#ask-button");
    const order = ["choose-open", "button The lighthouse", "passage-file", "passage", "question", "ask-button"];
    const places = order.map((name) => stops.indexOf(name));
    assert.ok(!places.includes(-1), `${order} among ${stops}`);
    assert.deepEqual(
      places,
      places.toSorted((a, b) => a - b),
      stops.join(", "),
    );
  });

  test("the device's details open and close", async () => {
    await tabTo(page, "#device summary", { back: true });
    await press(page, "Enter");
    assert.ok(await isVisible(page, "#device-switch a"));
    await tabTo(page, "#device-switch a[data-device='wasm']");
    await tabTo(page, "#device summary", { back: true });
    await press(page, "Enter");
    assert.ok(!(await isVisible(page, "#device-switch a")));
  });

  test("the choice of a model takes the focus and gives it back", async () => {
    await tabTo(page, "#choose-open");
    await press(page, "Enter");
    assert.ok(await isVisible(page, "#choose"));
    assert.ok(await focusIs(page, "#choose *"), (await focused(page)).name);
    await tabTo(page, "#hub-id");
    await press(page, "Escape");
    assert.ok(!(await isVisible(page, "#choose")));
    assert.ok(await focusIs(page, "#choose-open"));
  });

  test("a sample is chosen", async () => {
    await tabTo(page, "#samples button:nth-child(2)");
    await press(page, "Enter");
    assert.equal(await page.evaluate(() => document.activeElement.getAttribute("aria-pressed")), "true");
  });

  test("a question is typed and asked", async () => {
    await tabTo(page, "#question");
    await page.keyboard.type("Who keeps it?");
    await page.keyboard.press("Enter");
    assert.notEqual((await answer(page)).state, "stopped");
    await assertVisibleFocus(page, "the answer");
    assert.ok(await focusIs(page, "#question"));
  });

  test("the alternatives are shown one after the other", async () => {
    const { alternatives } = await answer(page);
    assert.ok(alternatives.length > 1, `${alternatives}`);
    for (const row of alternatives.keys()) {
      await tabTo(page, `#alternatives li:nth-child(${row + 1}) button`);
      await press(page, "Enter");
      assert.equal(await page.evaluate(() => document.activeElement.getAttribute("aria-pressed")), "true");
    }
  });

  test("the answer is shared, or not", async () => {
    await tabTo(page, "#share-open");
    await press(page, "Enter");
    assert.ok(await isVisible(page, "#share-panel"));
    await tabTo(page, "#share-link");
    await tabTo(page, "#share-open", { back: true });
    await press(page, "Enter");
    assert.ok(!(await isVisible(page, "#share-panel")));
  });

  test('"See inside" is opened, and its mode, layer, head and word are chosen', async () => {
    await tabTo(page, "#inside-toggle", { back: true });
    await press(page, "Enter");
    await painted(page, "ends");
    assert.ok(await focusIs(page, "#inside-title"));
    const [first] = await tabTo(page, "#inside-ends");
    assert.equal(first, "inside-ends");
    await press(page, "ArrowRight");
    await painted(page, "attention");
    for (const field of ["layer", "head"]) {
      await tabTo(page, `#inside-${field}`);
      const before = await page.$eval(`#inside-${field}`, ({ value }) => value);
      await page.keyboard.press(before === "0" ? "ArrowDown" : "ArrowUp");
      await painted(page, "attention");
      await assertVisibleFocus(page, `a change of the ${field}`);
      assert.notEqual(await page.$eval(`#inside-${field}`, ({ value }) => value), before);
    }
    await tabTo(page, "#inside-words [role=option]");
    const before = (await shownInside(page)).titles[0];
    for (const key of ["ArrowRight", "ArrowDown", "ArrowUp", "End", "Home"]) await press(page, key);
    assert.notEqual((await shownInside(page)).titles[0], before);
    const [next] = await tabTo(page, ":not([role=option])");
    assert.notEqual(next, "body");
  });

  test("a sentence is typed, and an example chosen", async () => {
    if (!(await focusIs(page, "#mood"))) await tabTo(page, "#mood");
    await page.keyboard.type("the end is the best");
    await page.waitForFunction(() => document.querySelector("#mood-timing").textContent !== "");
    await tabTo(page, "#mood-chips button");
    await press(page, "Enter");
    assert.equal(
      await page.$eval("#mood", ({ value }) => value),
      await page.evaluate(() => document.activeElement.textContent),
    );
  });

  test('"See inside" is closed from its button', async () => {
    await tabTo(page, "#inside-toggle", { back: true });
    await press(page, "Enter");
    assert.ok(!(await isVisible(page, "#inside")));
    assert.ok(await focusIs(page, "#inside-toggle"));
  });

  test("the last stops are the links at the bottom of the page", async () => {
    const stops = await tabTo(page, "footer p:nth-last-of-type(2) a, footer > :last-child a");
    assert.ok(stops.length > 3, stops.join(", "));
  });

  test("after an error is tried again, the focus is on the page's content", async () => {
    await page.goto(`${site.address()}?device=wasm&model=./nothing-here/`);
    await page.waitForFunction(() => !document.querySelector("#problem").hidden);
    await tabTo(page, "#problem-retry");
    await press(page, "Enter");
    assert.ok(await focusIs(page, "main"), (await focused(page)).name);
    await tabTo(page, "main button");
  });
});
