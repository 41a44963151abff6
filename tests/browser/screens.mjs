/**
 * Takes screenshots of every state of the two pages, narrow and wide, light and dark, into `tests/screens/`, which git
 * ignores. Arguments are the names of states; without any, takes all. Screenshots that the documentation shows are also
 * written to `docs/`.
 */
import { copyFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { chromium, newPage } from "./support/browsers.mjs";
import { paste } from "./support/index-page.mjs";
import { startStates } from "./support/state-models.mjs";
import { states } from "./support/states.mjs";

const folder = join(import.meta.dirname, "../screens");
const docs = join(import.meta.dirname, "../../docs");
/** Screenshots in `docs/screens/`. */
const SHOWN_IN_DOCS = ["bench-setup-360-light.webp"];
const sizes = [
  { width: 360, height: 780 },
  { width: 1280, height: 1000 },
];
const themes = ["light", "dark"];
const settled = () => new Promise((resolve) => setTimeout(resolve, 400));

async function screenshot(page, name, { width }, theme, quality) {
  const file = `${name}-${width}-${theme}.webp`;
  const path = join(folder, file);
  await page.screenshot({ path, type: "webp", quality });
  console.log(path);
  if (SHOWN_IN_DOCS.includes(file)) await copyFile(path, join(docs, "screens", file));
}

/** Opens a new page for each screenshot. */
async function takeEach(browser, name, { enter, passing }, where) {
  for (const size of sizes) {
    for (const theme of themes) {
      const context = await browser.createBrowserContext();
      const { page } = await newPage(context, { ...size, theme });
      await enter(page, where);
      // A passing state would be over after the wait.
      if (!passing) await settled();
      await screenshot(page, name, size, theme, 45);
      if (name === "answer" && size.width === 1280 && theme === "light") {
        // The README shows the page from its top, with a sentence that the model classifies correctly.
        await paste(page, "#mood", "A warm, funny film that stays with you.");
        await page.evaluate(() => scrollTo(0, 0));
        await settled();
        await page.screenshot({ path: join(docs, "page.png") });
      }
      await context.close();
    }
  }
}

/** Uses one page for all screenshots, because a measurement takes a while. */
async function takeOnce(browser, name, { enter, shows }, where) {
  const { page } = await newPage(browser);
  await enter(page, where);
  for (const size of sizes) {
    await page.setViewport(size);
    for (const theme of themes) {
      await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: theme }]);
      await page.evaluate((shows) => {
        const whole = !document.querySelector("#shared").hidden || !document.querySelector("#problem").hidden;
        document.querySelector(shows ?? (whole ? "body" : "#results")).scrollIntoView();
      }, shows);
      await settled();
      await screenshot(page, name, size, theme, 70);
    }
  }
  await page.close();
}

const unknown = process.argv.slice(2).filter((name) => !(name in states));
if (unknown.length > 0) throw new Error(`unknown states: ${unknown}; use ${Object.keys(states)}`);
const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(states);

await mkdir(folder, { recursive: true });
const { where, stop } = await startStates({
  tiny: false,
  networks: "?variant=mobilebert,tiny&runs=3&device=wasm",
});
const browsers = { plain: await chromium(), gpu: await chromium({ webgpu: true }) };
try {
  for (const name of wanted) {
    const state = states[name];
    const take = state.bench ? takeOnce : takeEach;
    await take(state.gpu ? browsers.gpu : browsers.plain, name, state, where);
  }
} finally {
  for (const browser of Object.values(browsers)) await browser.close();
  await stop();
}
