/**
 * Takes the pictures under docs/screens/: every state of the page, narrow and wide, light and dark; and docs/page.png,
 * the one at the top of the README. Names of states as arguments take only those.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { endOfBench, openBench, startBench } from "./support/bench-page.mjs";
import { chromium, newPage } from "./support/browsers.mjs";
import { ask, openReady, paste } from "./support/index-page.mjs";
import { startServer } from "./support/server.mjs";
import { startStaticHost } from "./support/static-host.mjs";

const folder = join(import.meta.dirname, "../../docs/screens");
const sizes = [
  { width: 360, height: 780 },
  { width: 1280, height: 1000 },
];
/** What the latency page measures for its pictures. */
const NETWORKS = "?variant=mobilebert,tiny,without-opt&runs=5&device=wasm";
const settled = () => new Promise((resolve) => setTimeout(resolve, 400));

/** Each brings a fresh page into a state. */
const states = {
  async loading(page, address) {
    await page.goto(address, { waitUntil: "domcontentloaded" });
    await page.waitForFunction(() => document.querySelector("#loading-bar").value > 0, { polling: 10 });
  },
  async answer(page, address) {
    await openReady(page, address);
    await ask(page, "When was the lighthouse first lit?");
    await paste(page, "#mood", "I could have watched it all night.");
    await page.waitForFunction(() => document.querySelector("#mood-timing").textContent !== "");
    await page.evaluate(() => document.querySelector("#answer").scrollIntoView({ block: "end" }));
  },
  async "long-text"(page, address) {
    await openReady(page, address);
    await page.evaluate(() => document.querySelectorAll("#samples button")[3].click());
    await ask(page, "With what did Olsen mend the boat?");
    await page.evaluate(() => document.querySelector("#answer").scrollIntoView({ block: "end" }));
  },
  async "no-question"(page, address) {
    await openReady(page, address);
    await ask(page, "");
    await page.evaluate(() => document.querySelector("#answer").scrollIntoView({ block: "end" }));
  },
  async device(page, address) {
    await openReady(page, address);
    await page.click("#device summary");
  },
  async "no-model"(page) {
    await page.goto(bare.address);
    await page.waitForFunction(() => !document.querySelector("#choose").hidden);
  },
  async "wrong-model"(page, address) {
    await page.goto(`${address}?model=./nothing-here/`);
    await page.waitForFunction(() => !document.querySelector("#problem").hidden);
  },
  async "no-webgpu"(page, address) {
    await page.goto(`${address}?device=webgpu`);
    await page.waitForFunction(() => !document.querySelector("#problem").hidden);
  },
  async bench(page, address) {
    await openBench(page, address, NETWORKS);
    await startBench(page);
    await endOfBench(page);
    await page.evaluate(() => document.querySelector("#results").scrollIntoView());
  },
  async "bench-setup"(page, address) {
    await openBench(page, address, NETWORKS);
  },
  async "bench-shared"(page, address) {
    shared ??= await linkToResult(address);
    await page.goto(shared);
    await page.waitForFunction(() => document.documentElement.dataset.ready === "true");
  },
  async "bench-void"(page, address) {
    await openBench(page, address, NETWORKS);
    await startBench(page);
    await page.waitForFunction(() => document.querySelectorAll("#warm .spark").length > 1);
    await page.evaluate(() => {
      Object.defineProperty(document, "hidden", { value: true });
      document.dispatchEvent(new Event("visibilitychange"));
    });
    await endOfBench(page);
    await page.evaluate(() => document.querySelector("#results").scrollIntoView());
  },
};

/** A link to a result that was measured once, on this machine. */
let shared;
async function linkToResult(address) {
  const { page } = await newPage(browser);
  await openBench(page, address, NETWORKS);
  await startBench(page);
  await endOfBench(page);
  await page.click("#copy-link");
  await page.waitForFunction(() => document.querySelector("#link").value !== "");
  const link = await page.$eval("#link", (field) => field.value);
  await page.close();
  return link;
}

await mkdir(folder, { recursive: true });
const server = await startServer();
const bare = await startStaticHost("/", { "models/models.json": "[]" });
const browser = await chromium();
try {
  const wanted = process.argv.slice(2);
  for (const [name, enter] of Object.entries(states)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    for (const size of sizes) {
      for (const theme of ["light", "dark"]) {
        const context = await browser.createBrowserContext();
        const { page } = await newPage(context, { ...size, theme });
        await enter(page, server.address);
        // A page that still loads moves on while one waits.
        if (name !== "loading") await settled();
        const path = join(folder, `${name}-${size.width}-${theme}.webp`);
        await page.screenshot({ path, type: "webp", quality: 70 });
        console.log(path);
        if (name === "answer" && size.width === 1280 && theme === "light") {
          await page.screenshot({ path: join(folder, "../page.png") });
        }
        await context.close();
      }
    }
  }
} finally {
  await browser.close();
  await server.stop();
  bare.stop();
}
