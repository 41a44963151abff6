/**
 * Takes the pictures under docs/screens/: every state of the two pages, narrow and wide, light and dark; and
 * docs/page.png, the one at the top of the README. Names of states as arguments take only those.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { chromium, newPage } from "./support/browsers.mjs";
import { paste } from "./support/index-page.mjs";
import { startStates } from "./support/state-models.mjs";
import { states } from "./support/states.mjs";

const folder = join(import.meta.dirname, "../../docs/screens");
const sizes = [
  { width: 360, height: 780 },
  { width: 1280, height: 1000 },
];
const themes = ["light", "dark"];
const settled = () => new Promise((resolve) => setTimeout(resolve, 400));

async function picture(page, name, { width }, theme, quality) {
  const path = join(folder, `${name}-${width}-${theme}.webp`);
  await page.screenshot({ path, type: "webp", quality });
  console.log(path);
}

/** A page for each picture. */
async function takeEach(browser, name, { enter, passing }, where) {
  for (const size of sizes) {
    for (const theme of themes) {
      const context = await browser.createBrowserContext();
      const { page } = await newPage(context, { ...size, theme });
      await enter(page, where);
      // A page that still works moves on while one waits.
      if (!passing) await settled();
      await picture(page, name, size, theme, 45);
      if (name === "answer" && size.width === 1280 && theme === "light") {
        // The README shows the page from its title on, with a sentence that the model gets right.
        await paste(page, "#mood", "A warm, funny film that stays with you.");
        await page.evaluate(() => scrollTo(0, 0));
        await settled();
        await page.screenshot({ path: join(folder, "../page.png") });
      }
      await context.close();
    }
  }
}

/** One page for all pictures: a measurement takes its time, and stands still when it is done. */
async function takeOnce(browser, name, { enter }, where) {
  const { page } = await newPage(browser);
  await enter(page, where);
  for (const size of sizes) {
    await page.setViewport(size);
    for (const theme of themes) {
      await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: theme }]);
      await page.evaluate(() => {
        const whole = !document.querySelector("#shared").hidden || !document.querySelector("#problem").hidden;
        document.querySelector(whole ? "body" : "#results").scrollIntoView();
      });
      await settled();
      await picture(page, name, size, theme, 70);
    }
  }
  await page.close();
}

const unknown = process.argv.slice(2).filter((name) => !(name in states));
if (unknown.length > 0) throw new Error(`no such state: ${unknown}; there are ${Object.keys(states)}`);
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
