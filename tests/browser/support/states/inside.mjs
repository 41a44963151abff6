import { ask, openReady, takeSample } from "../index-page.mjs";
import { openInside, tapAnswer } from "../inside-panel.mjs";
import { still } from "../keyboard.mjs";

/** Asks about a sample and opens "See inside". */
async function enter(page, { address }, question, sample = 0) {
  await openReady(page, address);
  await takeSample(page, sample);
  await ask(page, question);
  await openInside(page);
}

/** Scrolls to a part of the panel, once the page has scrolled there by itself. */
async function show(page, selector = "#inside") {
  await still(page);
  await page.evaluate(
    (selector) => document.querySelector(selector).scrollIntoView({ block: "start", behavior: "instant" }),
    selector,
  );
}

/** States of "See inside". */
export const inside = {
  "inside-ends": {
    async enter(page, where) {
      await enter(page, where, "When was the lighthouse first lit?");
      await show(page);
    },
  },
  "inside-attention": {
    async enter(page, where) {
      await enter(page, where, "When was the lighthouse first lit?");
      await tapAnswer(page);
      await show(page);
    },
  },
  "inside-lists": {
    async enter(page, where) {
      await enter(page, where, "When was the lighthouse first lit?");
      await tapAnswer(page);
      await show(page, "#inside-legend");
    },
  },
  "inside-long-text": {
    async enter(page, where) {
      await enter(page, where, "With what did Olsen mend the boat?", 3);
      await tapAnswer(page);
      await show(page);
    },
  },
};
