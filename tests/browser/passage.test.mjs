import assert from "node:assert/strict";
import { before, test } from "node:test";
import { describeInEachBrowser } from "./support/each-browser.mjs";
import { ask, paste, takeSample } from "./support/index-page.mjs";
import { frames } from "./support/settled.mjs";
import { serveSmallModels } from "./support/small-models.mjs";

const LINE =
  "The lighthouse on Skarn Point was first lit on 4 October 1871, and its keeper is still called Ada Ferrow. ";
/** A passage of this many characters with some line breaks. */
const passageOf = (length) => LINE.repeat(length / LINE.length).replaceAll(/(.{400}) /g, "$1\n");

const site = serveSmallModels();

/** The distance between the mark and the same words in a copy of the field without any marks. */
function distance(page) {
  return page.evaluate(() => {
    const field = document.querySelector("#passage");
    const mark = document.querySelector("#passage-marks mark.best");
    const before = document.createRange();
    before.setStart(document.querySelector("#passage-marks"), 0);
    before.setEndBefore(mark);
    const start = before.toString().length;
    const copy = document.createElement("div");
    const style = getComputedStyle(field);
    const same = ["font-family", "font-size", "line-height", "font-kerning", "padding", "white-space", "overflow-wrap"];
    for (const name of same) copy.style.setProperty(name, style.getPropertyValue(name));
    copy.style.fontVariantLigatures = "none";
    copy.style.boxSizing = "border-box";
    copy.style.position = "absolute";
    // Not from `clientWidth`, which is rounded.
    const bar = field.offsetWidth - field.clientWidth;
    copy.style.width = `${field.getBoundingClientRect().width - bar}px`;
    copy.textContent = `${field.value}\n`;
    document.body.append(copy);
    const words = document.createRange();
    words.setStart(copy.firstChild, start);
    words.setEnd(copy.firstChild, start + 1);
    const [there, origin] = [words.getBoundingClientRect(), copy.getBoundingClientRect()];
    const [here, box] = [mark.getClientRects()[0], field.getBoundingClientRect()];
    const height = copy.getBoundingClientRect().height;
    copy.remove();
    return {
      across: Math.abs(there.left - origin.left - (here.left - box.left)),
      down: Math.abs(there.top - origin.top - (here.top - box.top + field.scrollTop)),
      height: Math.abs(height - field.scrollHeight),
    };
  });
}

/** Frames until the field has scrolled to the answer, even on a slow machine. */
const MOST_FRAMES = 600;

/** Waits until the mark is in its place and stays there for a few frames. */
async function assertInPlace(page, where) {
  let found;
  for (let i = 0, inPlace = 0; i < MOST_FRAMES && inPlace < 5; i++) {
    await frames(page);
    found = await distance(page);
    inPlace = found.across < 1 && found.down < 1 && found.height < 2 ? inPlace + 1 : 0;
    if (inPlace === 5) return;
  }
  assert.fail(`${where}: ${JSON.stringify(found)}`);
}

describeInEachBrowser("the passage", (browser) => {
  let page;
  before(async () => {
    page = await site.open(browser(), { width: 1280, height: 740 });
  });

  test("has its highlight exactly behind the words, even after scrolling and resizing", async () => {
    await paste(page, "#passage", passageOf(12_000));
    assert.equal((await ask(page, "Who keeps it?")).state, "found");
    await assertInPlace(page, "at first");
    for (const top of [0, 333.5, 100_000]) {
      await page.$eval("#passage", (field, top) => field.scrollTo({ top, behavior: "instant" }), top);
      await assertInPlace(page, `scrolled to ${top}`);
    }
    await page.setViewport({ width: 360, height: 740 });
    await page.waitForFunction(() => innerWidth === 360);
    await assertInPlace(page, "at 360 px");
    await page.setViewport({ width: 1280, height: 740 });
  });

  test("has no text behind it when nothing is highlighted", async () => {
    await paste(page, "#passage", passageOf(12_000));
    assert.equal(await page.$eval("#passage-marks", (marks) => marks.textContent), "");
  });

  test("suggests questions for a sample, even if edited, but not for other texts", async () => {
    const suggested = () =>
      page.$eval("#chips", (group) =>
        group.hidden ? [] : Array.from(group.querySelectorAll("button"), (chip) => chip.textContent),
      );
    const passage = () => page.$eval("#passage", (field) => field.value);
    await takeSample(page, 2);
    const questions = await suggested();
    assert.ok(questions.includes("When does the last boat return?"), String(questions));
    await paste(page, "#passage", (await passage()).replace("22:15", "23:30"));
    assert.deepEqual(await suggested(), questions);
    await paste(page, "#passage", "My own text.");
    assert.deepEqual(await suggested(), []);
    await paste(page, "#passage", "");
    assert.deepEqual(await suggested(), []);
    await takeSample(page, 0);
    assert.ok((await suggested()).includes("How tall is the tower?"));
  });

  test("and everything made of it is shown from right to left if its language is", async () => {
    await paste(page, "#passage", "המגדלור נבנה על ידי מהנדסת. הוא גבוה מאוד.");
    assert.equal((await ask(page, "מי בנה?")).state, "found");
    await paste(page, "#mood", "סרט טוב");
    await page.waitForFunction(() => document.querySelector("#mood-words").textContent !== "");
    await page.$eval("#inside-toggle", (button) => button.click());
    await page.waitForSelector("#inside-words .text");
    await page.$eval("#share-open", (button) => button.click());
    await page.waitForFunction(() => document.querySelector("#card-sentence").textContent !== "");
    const lines = "#answer-line, #answer-sentence, #mood-words, #card-answer, #card-sentence, #inside-words .text";
    const wrong = await page.$$eval(lines, (found) => {
      const beginsOnTheLeft = (line) => {
        const texts = document.createTreeWalker(line, NodeFilter.SHOW_TEXT);
        while (!/[א-ת]/.test(texts.nextNode().data)) {}
        const letter = document.createRange();
        letter.setStart(texts.currentNode, texts.currentNode.data.search(/[א-ת]/));
        letter.setEnd(texts.currentNode, letter.startOffset + 1);
        const { left, width } = line.getBoundingClientRect();
        return letter.getBoundingClientRect().left < left + 0.7 * width;
      };
      return found.filter(beginsOnTheLeft).map(({ id, textContent }) => `${id}: ${textContent}`);
    });
    assert.deepEqual(wrong, []);
    const directions = (fields) => fields.map((field) => getComputedStyle(field).direction);
    const fields = await page.$$eval("#question, #mood", directions);
    assert.deepEqual(fields, ["rtl", "rtl"]);
  });

  test("shows its length in words and sections, for a long text when typing pauses", async () => {
    const size = () => page.$eval("#passage-size", (element) => element.textContent);
    await paste(page, "#passage", "One two three.");
    assert.equal(await size(), "3 words");
    await paste(page, "#passage", `${"word ".repeat(10_000)}`);
    await page.waitForFunction(() =>
      /^10,000 words, read in about \d+ sections$/.test(document.querySelector("#passage-size").textContent),
    );
  });
});
