/**
 * Takes the pictures under docs/screens/: every state of the page, narrow and wide, light and dark; and docs/page.png,
 * the one at the top of the README. Names of states as arguments take only those.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { endOfBench, openBench, startBench } from "./support/bench-page.mjs";
import { chromium, newPage } from "./support/browsers.mjs";
import { ask, loseGpu, openReady, paste } from "./support/index-page.mjs";
import { startServer } from "./support/server.mjs";
import { startStaticHost } from "./support/static-host.mjs";

const folder = join(import.meta.dirname, "../../docs/screens");
const sizes = [
  { width: 360, height: 780 },
  { width: 1280, height: 1000 },
];
/** What the latency page measures for its pictures. */
const NETWORKS = "?variant=mobilebert,tiny&runs=3&device=wasm";
const settled = () => new Promise((resolve) => setTimeout(resolve, 400));

/** The answer at the bottom of the screen, with what it is an answer to above it. */
const showAnswer = (page) => page.evaluate(() => document.querySelector("#answer").scrollIntoView({ block: "end" }));
const long = (page) => page.evaluate(() => document.querySelectorAll("#samples button")[3].click());
const problem = (page) => page.waitForFunction(() => !document.querySelector("#problem").hidden);

/** Each brings a fresh page into a state. `gpu`: in a browser with WebGPU, on a software adapter. */
const states = {
  async first(page, address) {
    // The list of models is held back: this is what stands there at once.
    await page.setRequestInterception(true);
    page.on("request", (request) => (request.url().endsWith("models.json") ? undefined : request.continue()));
    await page.goto(address, { waitUntil: "domcontentloaded" });
    await page.waitForSelector("#samples button");
  },
  async loading(page, address) {
    await page.goto(address, { waitUntil: "domcontentloaded" });
    await page.waitForFunction(() => /^Loading .* of/.test(document.querySelector("#loading-text").textContent), {
      polling: "mutation",
    });
  },
  async cached(page, address) {
    await openReady(page, address);
    await openReady(page, address);
  },
  async answer(page, address) {
    await openReady(page, address);
    await ask(page, "When was the lighthouse first lit?");
    await paste(page, "#mood", "I could have watched it all night.");
    await page.waitForFunction(() => document.querySelector("#mood-timing").textContent !== "");
    await showAnswer(page);
  },
  async answering(page, address) {
    await openReady(page, address);
    await long(page);
    await paste(page, "#question", "With what did Olsen mend the boat?");
    await page.evaluate(() => document.querySelector("#ask").requestSubmit());
    await page.waitForFunction(() => /^Read \d/.test(document.querySelector("#answer-timing").textContent), {
      polling: "mutation",
    });
    await showAnswer(page);
  },
  async "long-text"(page, address) {
    await openReady(page, address);
    await long(page);
    await ask(page, "With what did Olsen mend the boat?");
    await showAnswer(page);
  },
  async "no-question"(page, address) {
    await openReady(page, address);
    await ask(page, "");
    await showAnswer(page);
  },
  async "too-long"(page, address) {
    await openReady(page, address);
    await ask(page, `How tall is the tower, ${"and how wide is it ".repeat(40)}?`);
    await showAnswer(page);
  },
  async offline(page, address) {
    await openReady(page, address);
    await page.setOfflineMode(true);
    await ask(page, "How tall is the tower?");
  },
  async "offline-visit"(page, address) {
    await page.evaluateOnNewDocument(() => {
      Object.defineProperty(Navigator.prototype, "onLine", { get: () => false });
    });
    await page.goto(`${address}?model=https://127.0.0.1:9/model/`);
    await problem(page);
  },
  async device(page, address) {
    await openReady(page, address);
    await page.click("#device summary");
  },
  async "device-lost"(page, address) {
    await openReady(page, address, "?device=webgpu");
    await loseGpu(page);
    await ask(page, "How tall is the tower?");
    await page.click("#device summary");
  },
  async "no-model"(page) {
    await page.goto(bare.address);
    await page.waitForFunction(() => !document.querySelector("#choose").hidden);
  },
  async "wrong-model"(page, address) {
    await page.goto(`${address}?model=./nothing-here/`);
    await problem(page);
  },
  async "no-webgpu"(page, address) {
    await page.goto(`${address}?device=webgpu`);
    await problem(page);
  },
  async "bench-setup"(page, address) {
    await openBench(page, address, NETWORKS);
  },
};

/** The same, entered once: a measurement takes its time, and its page stays for all pictures. */
const measurements = {
  async bench(page, address) {
    await openBench(page, address, NETWORKS);
    await startBench(page);
    await endOfBench(page);
  },
  async "bench-shared"(page, address) {
    await openBench(page, address, NETWORKS);
    await startBench(page);
    await endOfBench(page);
    await page.click("#copy-link");
    await page.waitForFunction(() => document.querySelector("#link").value !== "");
    const link = await page.$eval("#link", (field) => field.value);
    await page.goto("about:blank");
    await page.goto(link);
    await page.waitForFunction(() => document.documentElement.dataset.ready === "true");
  },
  async "bench-void"(page, address) {
    await openBench(page, address, NETWORKS);
    await startBench(page);
    await page.waitForFunction(() => document.querySelectorAll("#warm .spark").length > 1, { timeout: 120_000 });
    await page.evaluate(() => {
      Object.defineProperty(document, "hidden", { value: true });
      document.dispatchEvent(new Event("visibilitychange"));
    });
    await endOfBench(page);
  },
};
const onGpu = ["device-lost"];

await mkdir(folder, { recursive: true });
const server = await startServer();
const bare = await startStaticHost("/", { "models/models.json": "[]" });
const browsers = { plain: await chromium(), gpu: await chromium({ webgpu: true }) };
try {
  const wanted = process.argv.slice(2);
  for (const [name, enter] of Object.entries(measurements)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    const { page } = await newPage(browser);
    await enter(page, server.address);
    for (const size of sizes) {
      await page.setViewport(size);
      for (const theme of ["light", "dark"]) {
        await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: theme }]);
        await page.evaluate((shared) => {
          const top = document.querySelector(shared ? "body" : "#results");
          top.scrollIntoView();
        }, name === "bench-shared");
        await settled();
        const path = join(folder, `${name}-${size.width}-${theme}.webp`);
        await page.screenshot({ path, type: "webp", quality: 70 });
        console.log(path);
      }
    }
    await page.close();
  }
  for (const [name, enter] of Object.entries(states)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    for (const size of sizes) {
      for (const theme of ["light", "dark"]) {
        const context = await browsers[onGpu.includes(name) ? "gpu" : "plain"].createBrowserContext();
        const { page } = await newPage(context, { ...size, theme });
        await enter(page, server.address);
        // A page that still works moves on while one waits.
        if (!["loading", "answering"].includes(name)) await settled();
        const path = join(folder, `${name}-${size.width}-${theme}.webp`);
        await page.screenshot({ path, type: "webp", quality: 45 });
        console.log(path);
        if (name === "answer" && size.width === 1280 && theme === "light") {
          await page.screenshot({ path: join(folder, "../page.png") });
        }
        await context.close();
      }
    }
  }
} finally {
  for (const browser of Object.values(browsers)) await browser.close();
  await server.stop();
  bare.stop();
}
