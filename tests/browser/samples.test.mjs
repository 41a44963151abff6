import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { samples, sentiments } from "../../www/app/samples.js";
import { chromium, newPage } from "./support/browsers.mjs";
import { ask, openReady, paste, takeSample } from "./support/index-page.mjs";
import { startServer } from "./support/server.mjs";

/** The models that come with the page, whatever others there are. */
const SHIPPED = "?device=wasm&model=mobilebert-squad&model=mobilebert-sst2";

let server;
let browser;
let page;
before(async () => {
  server = await startServer();
  browser = await chromium();
  ({ page } = await newPage(browser));
  await openReady(page, server.address, SHIPPED);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

for (const [index, { name, answers }] of samples.entries()) {
  test(`every suggested question about "${name}" gets the right answer`, async () => {
    await takeSample(page, index);
    const chips = await page.$$eval("#chips button", (found) => found.map((chip) => chip.textContent));
    assert.deepEqual(chips, Object.keys(answers));
    for (const [question, expected] of Object.entries(answers)) {
      const { state, line } = await ask(page, question);
      assert.equal(state, expected === null ? "none" : "found", `${question} ${line}`);
      if (expected !== null) assert.ok(line.includes(expected), `${question} ${line}`);
    }
  });
}

test("every sample sentence gets the right sentiment", async () => {
  for (const [sentence, label] of Object.entries(sentiments)) {
    await paste(page, "#mood", sentence);
    await page.waitForFunction(
      (label) => document.querySelector("#mood-text").textContent.startsWith(label),
      { timeout: 10_000 },
      label,
    );
    await paste(page, "#mood", "");
  }
});
