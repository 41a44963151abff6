import { openReady, press } from "../index-page.mjs";

const open = (page) => press(page, "#choose-open");
const showLabels = (page) =>
  page.evaluate(() => document.querySelector("#labels-card").scrollIntoView({ block: "center" }));

/** Picks a model of this site in the panel. */
async function pick(page, address, name) {
  await openReady(page, address);
  await open(page);
  await page.evaluate((name) => {
    const offered = [...document.querySelectorAll("#choose button.model")];
    const button = offered.find((button) => button.querySelector("span").textContent.startsWith(name));
    button.id = "wanted";
  }, name);
  await press(page, "#wanted");
  await page.waitForFunction((name) => document.querySelector("#model-names").textContent.includes(name), {}, name);
  await page.keyboard.press("Escape");
}

/** States of choosing a model, and of the card for other classifiers. */
export const models = {
  models: {
    async enter(page, { address }) {
      await openReady(page, address);
      await open(page);
    },
  },
  "models-offline": {
    async enter(page, { address }) {
      await openReady(page, address);
      await page.setOfflineMode(true);
      await open(page);
      await press(page, "#choose-answers button");
      await page.waitForFunction(() => /^You are offline/.test(document.querySelector("#choose-text").textContent));
      await page.evaluate(() => document.querySelector("#choose").scrollIntoView());
    },
  },
  labels: {
    async enter(page, { address }) {
      await pick(page, address, "state-emotions");
      await page.type("#labels-text", "What a lovely day.");
      await page.waitForFunction(() => document.querySelector("#labels-list li"));
      await showLabels(page);
    },
  },
  "own-labels": {
    async enter(page, { address }) {
      await pick(page, address, "state-inference");
      await page.type("#labels-text", "We took the night train to Lisbon.");
      await page.waitForFunction(() => document.querySelectorAll("#labels-list li").length === 4);
      await showLabels(page);
    },
  },
};
