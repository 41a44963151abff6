/**
 * Compares several workers with one on the CPU, in a headless Chromium: a long text in a page that is not cross-origin
 * isolated, and short texts in one that is. Both models are loaded in one page and asked in turns; prints the median ratio
 * of one worker's time to that of several, and all ratios.
 * Usage: `cargo xtask workers [--threads 2] [--runs 5] [--windows 135]`, on an idle machine.
 */
import { parseArgs } from "node:util";
import { chromium, newPage } from "../../tests/browser/support/browsers.mjs";
import { findModels } from "../../tests/browser/support/models.mjs";
import { startServer } from "../../tests/browser/support/server.mjs";

const { values } = parseArgs({
  options: {
    threads: { type: "string", default: "2" },
    runs: { type: "string", default: "5" },
    windows: { type: "string", default: "135" },
  },
});
const [threads, runs, windows] = [values.threads, values.runs, values.windows].map(Number);

/** Times both models in turns; `words` is the length of the text. */
async function compare(page, model, { threads, runs, warmUp, words, dtype }) {
  return await page.evaluate(
    async (model, { threads, runs, warmUp, words, dtype }) => {
      const { QuestionAnswering } = await import("/pkg/dist/index.js");
      const options = { device: "wasm", ...(dtype && { dtype }) };
      const one = await QuestionAnswering.load(model, { ...options, threads: 1 });
      const several = await QuestionAnswering.load(model, { ...options, threads });
      const text = "bridge was opened by the mayor of the town and then it stood for years ";
      const context = text
        .repeat(Math.ceil(words / 15))
        .split(" ")
        .slice(0, words)
        .join(" ");
      const time = async (qa) => {
        const before = performance.now();
        const { windows } = await qa.ask("Who opened the bridge?", context);
        return { windows, time: performance.now() - before };
      };
      const ratios = [];
      let found = 0;
      for (let run = 0; run < warmUp + runs; run++) {
        const [alone, together] = [await time(one), await time(several)];
        found = alone.windows;
        if (run >= warmUp) ratios.push(alone.time / together.time);
      }
      const device = { ...several.device };
      await Promise.all([one.dispose(), several.dispose()]);
      return { ratios, windows: found, device };
    },
    model,
    { threads, runs, warmUp, words, dtype },
  );
}

function print(what, { ratios, windows, device }) {
  const sorted = [...ratios].sort((a, b) => a - b);
  const all = ratios.map((ratio) => ratio.toFixed(2)).join(" ");
  console.log(`${what}, ${windows} windows: ${sorted[sorted.length >> 1].toFixed(2)} times as fast (${all})`);
  console.log(`  ${device.threads} workers; ${device.reason}`);
}

const model = `/models/${(await findModels()).answers.name}/`;
for (const isolated of [false, true]) {
  const server = await startServer([], isolated ? [] : ["--no-isolation"]);
  const browser = await chromium();
  try {
    const { page } = await newPage(browser);
    await page.goto(`${server.address}style.css`);
    if (isolated) {
      // Enough runs to start the helpers and to find out whether sharing is faster.
      for (const dtype of ["f32", "q8"]) {
        for (const words of [115, 350]) {
          const result = await compare(page, model, { threads, runs: 4 * runs, warmUp: 20, words, dtype });
          print(`isolated, ${dtype}, a text of ${words} words`, result);
        }
      }
    } else {
      const words = 130 * windows;
      print("not isolated, a long text", await compare(page, model, { threads, runs, warmUp: 1, words }));
    }
  } finally {
    await browser.close();
    await server.stop();
  }
}
