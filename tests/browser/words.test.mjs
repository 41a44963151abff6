import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { newPage } from "./support/browsers.mjs";
import { describeInEachBrowser } from "./support/each-browser.mjs";
import { openReady, paste } from "./support/index-page.mjs";
import { startServer } from "./support/server.mjs";

/** The models that come with the page, whatever others there are. */
const SHIPPED = "?device=wasm&model=mobilebert-squad&model=mobilebert-sst2";

let server;
before(async () => {
  server = await startServer();
});
after(() => server?.stop());

/** Types a sentence and waits for its words. Returns them with their sides, and the note. */
async function wordsOf(page, sentence) {
  await paste(page, "#mood", sentence);
  await page.waitForFunction(
    (count) =>
      document.querySelectorAll("#mood-words .word").length === count &&
      !document.querySelector("#mood-note").textContent.startsWith("Looking"),
    { timeout: 30_000 },
    sentence.trim().split(/\s+/u).length,
  );
  return page.evaluate(() => ({
    words: Array.from(document.querySelectorAll("#mood-words .word"), (word) => [word.textContent, word.dataset.side]),
    note: document.querySelector("#mood-note").textContent,
  }));
}

describeInEachBrowser("the words of a sentence", (browser) => {
  let page;
  before(async () => {
    ({ page } = await newPage(browser()));
    await openReady(page, server.address, SHIPPED);
  });

  test("show which way each of them pushes, and the note says so in words", async () => {
    const { words, note } = await wordsOf(page, "The story is charming, the jokes are dreadful.");
    const sides = Object.fromEntries(words);
    assert.equal(sides["charming,"], "high");
    assert.equal(sides["dreadful."], "low");
    assert.match(note, /more positive: [^.]*“charming”/u);
    assert.match(note, /more negative: [^.]*“dreadful”/u);
  });

  test("tell that an emoji means nothing to the model", async () => {
    const { words, note } = await wordsOf(page, "We saw it 🤖 yesterday");
    assert.deepEqual(words.find(([text]) => text === "🤖")?.[1], "unknown");
    assert.match(note, /doesn't know “🤖”/u);
  });

  test("have their space before it is known what they contribute, so that nothing moves", async () => {
    await paste(page, "#mood", "");
    const moved = page.evaluate(async () => {
      const watched = ["#mood-words", "#mood-note", "#mood-timing", "footer"].map((name) =>
        document.querySelector(name),
      );
      const places = () => watched.map((element) => Math.round(element.getBoundingClientRect().top + scrollY));
      const note = document.querySelector("#mood-note");
      const until = async (matches) => {
        while (!matches(note.textContent)) await new Promise((resolve) => requestAnimationFrame(resolve));
        return places();
      };
      const before = await until((text) => text.startsWith("Looking"));
      return [before, await until((text) => !text.startsWith("Looking"))];
    });
    await paste(page, "#mood", "The story is charming and moving, but the jokes are dreadful and the end is dull.");
    const [before, after] = await moved;
    assert.deepEqual(after, before);
  });

  test("go as soon as the sentence changes", async () => {
    const announced = (matches) =>
      page.waitForFunction(
        (wanted) => (document.querySelector("#mood-announcement").textContent !== "") === wanted,
        {},
        matches,
      );
    await wordsOf(page, "A moving film.");
    await announced(true);
    const left = await page.evaluate(() => {
      document.querySelector("#mood-chips button").click();
      return document.querySelector("#mood-words").childElementCount;
    });
    assert.equal(left, 0);
    await wordsOf(page, "A moving film.");
    await page.focus("#mood");
    await page.keyboard.type("!");
    assert.equal(await page.$eval("#mood-words", (line) => line.childElementCount), 0);
    await paste(page, "#mood", "");
    // The result is announced after a longer pause than the words appear after.
    await announced(false);
    assert.equal(await page.$eval("#mood-words", (line) => line.childElementCount), 0);
    assert.equal(await page.$eval("#mood-note", (line) => line.textContent), "");
    assert.equal(await page.$eval("#mood-scale", (scale) => scale.getAttribute("aria-label")), "No sentence yet");
  });
});
