/**
 * Takes the five screenshots of a first visit that the README shows next to each other, into `docs/strip.webp`: loading, a
 * sample with a question, the answer, why it was chosen, and a sentence. Usage: `cargo xtask screens strip`.
 */
import { join } from "node:path";
import { chromium, newPage } from "./support/browsers.mjs";
import { openReady, paste, takeSample } from "./support/index-page.mjs";
import { startServer } from "./support/server.mjs";

const file = join(import.meta.dirname, "../../docs/strip.webp");
/** The models that come with the page, whatever others there are. */
const SHIPPED = "?device=wasm&model=mobilebert-squad&model=mobilebert-sst2";
const size = { width: 360, height: 720 };
const settled = () => new Promise((resolve) => setTimeout(resolve, 600));

const steps = {
  async "type before the model is there"(page, address) {
    await page.goto(address + SHIPPED, { waitUntil: "domcontentloaded" });
    await page.waitForSelector("#samples button");
  },
  async "a passage and a question"(page, address) {
    await openReady(page, address, SHIPPED);
    await takeSample(page, 0);
    await paste(page, "#question", "When was the lighthouse first lit?");
  },
  async "the answer in its place"(page) {
    await page.evaluate(() => document.querySelector("#ask").requestSubmit());
    await page.waitForFunction(() => document.querySelector("#answer").dataset.state === "found");
  },
  async "why this answer"(page) {
    await page.evaluate(() => document.querySelector("#inside-toggle").click());
    await page.waitForFunction(() => document.querySelector("#inside-words").ariaBusy === "false");
    await page.evaluate(() => document.querySelector("#inside").scrollIntoView());
  },
  async "sentiment, word by word"(page) {
    await paste(page, "#mood", "Charming actors, but a dull script.");
    await page.waitForSelector("#mood-words .word");
    await page.evaluate(() => document.querySelector(".mood-card").scrollIntoView());
  },
};

/** Draws the screenshots next to each other. */
async function compose(browser, shots) {
  const { page } = await newPage(browser, { width: shots.length * (size.width + 16), height: size.height });
  await page.evaluate(async (shots) => {
    document.body.style.cssText = "margin:0;display:flex;gap:16px;background:#8b9490";
    for (const shot of shots) {
      const image = new Image();
      image.src = `data:image/png;base64,${shot}`;
      await image.decode();
      document.body.append(image);
    }
  }, shots);
  await page.screenshot({ path: file, type: "webp", quality: 60 });
}

const server = await startServer();
const browser = await chromium();
try {
  const { page } = await newPage(browser, { ...size, theme: "light" });
  const shots = [];
  for (const enter of Object.values(steps)) {
    await enter(page, server.address);
    await settled();
    shots.push(await page.screenshot({ encoding: "base64" }));
  }
  await compose(browser, shots);
  console.log(file);
} finally {
  await browser.close();
  await server.stop();
}
