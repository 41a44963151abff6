import assert from "node:assert/strict";
import { before, test } from "node:test";
import { describeInEachBrowser } from "./support/each-browser.mjs";
import { serveSmallModels } from "./support/small-models.mjs";

const site = serveSmallModels();

/**
 * Types a sentence into the sentiment field, word by word, each when the one before has its result. Returns the number of
 * announcements in the section's live regions while typing, those until the field is empty again, and the last result.
 */
function typeSlowly(page, sentence) {
  return page.evaluate(async (sentence) => {
    const field = document.querySelector("#mood");
    const section = field.closest("section");
    const mark = section.querySelector("#mood-mark");
    const timing = section.querySelector("#mood-timing");
    const announced = [];
    const until = async (happened) => {
      while (!happened()) await new Promise((resolve) => requestAnimationFrame(resolve));
    };
    const type = (text) => {
      field.value = text;
      field.dispatchEvent(new InputEvent("input", { bubbles: true }));
    };
    let results = 0;
    const live = [...section.querySelectorAll("[aria-live], [role=status], [role=alert]")];
    const observers = live.map((region) => {
      const observer = new MutationObserver(() => announced.push(region.textContent));
      observer.observe(region, { childList: true, characterData: true, subtree: true });
      return observer;
    });
    const counter = new MutationObserver(() => results++);
    counter.observe(timing, { childList: true });
    counter.observe(mark, { attributes: true });
    const words = sentence.split(" ");
    for (const end of words.keys()) {
      const before = results;
      type(words.slice(0, end + 1).join(" "));
      await until(() => results > before);
    }
    const whileTyping = announced.length;
    const shown = section.querySelector("#mood-text").textContent;
    await until(() => announced.length > 0);
    // Announced as an empty text, after anything else about the sentence.
    type("");
    await until(() => announced.at(-1) === "");
    for (const observer of [...observers, counter]) observer.disconnect();
    return { whileTyping, announced, shown };
  }, sentence);
}

describeInEachBrowser("the sentiment", (browser) => {
  let page;
  before(async () => {
    page = await site.open(browser());
  });

  test("is shown while typing and announced once after it", async () => {
    const { whileTyping, announced, shown } = await typeSlowly(page, "a warm and funny film that stays");
    assert.equal(whileTyping, 0);
    assert.notEqual(shown, "");
    assert.deepEqual(announced, [shown, ""]);
  });
});
