import { answer, openReady, press } from "../index-page.mjs";

/** The panel for developers. */
export const code = {
  code: {
    async enter(page, { address }) {
      await openReady(page, address);
      await press(page, "#chips button:nth-child(2)");
      await answer(page);
      await press(page, "#code-open");
      await page.evaluate(() => document.querySelector("#code-panel").scrollIntoView({ block: "end" }));
    },
  },
};
