import { endOfBench, openBench, startBench } from "../bench-page.mjs";
import { answer, openReady, press } from "../index-page.mjs";

const show = (page, selector) =>
  page.evaluate((selector) => document.querySelector(selector).scrollIntoView({ block: "end" }), selector);

/** Opens the panel that shares an answer; returns its link. */
async function shareAnswer(page, address, whole) {
  await openReady(page, address);
  await press(page, "#chips button:nth-child(2)");
  await answer(page);
  await press(page, "#share-open");
  if (whole) await press(page, "#share-passage", "Space");
  await page.waitForFunction(
    (words) => document.querySelector("#share-length").textContent.includes(words),
    {},
    whole ? "with the whole" : "without",
  );
  await show(page, "#share-panel");
  return await page.$eval("#share-link", (field) => field.value);
}

/** Opens a link and waits for its dialog. */
async function open(page, link) {
  await page.goto("about:blank");
  await page.goto(link);
  await page.waitForFunction(() => document.querySelector("#shared").open);
}

/** States of sharing. */
export const sharing = {
  share: { enter: (page, { address }) => shareAnswer(page, address, false) },
  "shared-answer": {
    async enter(page, { address }) {
      await open(page, await shareAnswer(page, address, true));
    },
  },
  "shared-refused": { enter: (page, { address }) => open(page, `${address}#answer=7VtZ`) },
  "bench-picture": {
    bench: true,
    shows: "#picture-part",
    async enter(page, { address }) {
      await openBench(page, address, "?variant=mobilebert,tiny&sequence=16,128&runs=2&device=wasm");
      await startBench(page);
      await endOfBench(page);
      await press(page, "#draw");
      await page.waitForFunction(() => !document.querySelector("#picture-part").hidden);
    },
  },
};
