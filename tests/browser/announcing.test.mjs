import assert from "node:assert/strict";
import { before, test } from "node:test";
import { describeInEachBrowser } from "./support/each-browser.mjs";
import { serveSmallModels } from "./support/small-models.mjs";

const site = serveSmallModels();

/**
 * Types a sentence into the sentiment field, word by word with short pauses. Returns the number of changes of the shown
 * result, and what the section's live regions announced while typing and after it.
 */
function typeSlowly(page, sentence) {
  return page.evaluate(async (sentence) => {
    const field = document.querySelector("#mood");
    const section = field.closest("section");
    const mark = section.querySelector("#mood-mark");
    const timing = section.querySelector("#mood-timing");
    const announced = [];
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
      field.value = words.slice(0, end + 1).join(" ");
      field.dispatchEvent(new InputEvent("input", { bubbles: true }));
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
    const whileTyping = announced.length;
    await new Promise((resolve) => setTimeout(resolve, 3000));
    for (const observer of [...observers, counter]) observer.disconnect();
    return { results, whileTyping, announced, shown: section.querySelector("#mood-text").textContent };
  }, sentence);
}

describeInEachBrowser("the sentiment", (browser) => {
  let page;
  before(async () => {
    page = await site.open(browser());
  });

  test("is shown while typing and announced once after it", async () => {
    const { results, whileTyping, announced, shown } = await typeSlowly(page, "a warm and funny film that stays");
    assert.ok(results >= 3, `only ${results} results were shown while typing`);
    assert.equal(whileTyping, 0);
    assert.notEqual(shown, "");
    assert.deepEqual(announced, [shown]);
  });
});
