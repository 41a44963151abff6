/**
 * Measures the latency of a keystroke in a long passage, from the key to the drawn frame, compared with a plain text field
 * with the same text; alternating, in Chromium at 360 px.
 * Usage: `cargo xtask typing [--keys 5]`, on an idle machine.
 */
import { parseArgs } from "node:util";
import { chromium, newPage } from "../../tests/browser/support/browsers.mjs";
import { openReady, paste } from "../../tests/browser/support/index-page.mjs";
import { startServer } from "../../tests/browser/support/server.mjs";

const { values } = parseArgs({ options: { keys: { type: "string", default: "5" } } });
const keys = Number(values.keys);
if (!Number.isInteger(keys) || keys < 1) throw new Error(`--keys ${values.keys}: not a positive integer`);

const SENTENCE = "The lighthouse on Skarn Point was first lit on 4 October 1871, and its keeper is called Ada Ferrow. ";
const oneLine = (length) => SENTENCE.repeat(Math.ceil(length / SENTENCE.length)).slice(0, length);
const texts = {
  "100 KB": oneLine(100_000).replaceAll(/(.{400}) /g, "$1\n"),
  "100 KB, one line": oneLine(100_000),
  "1 MB": oneLine(1_000_000).replaceAll(/(.{400}) /g, "$1\n"),
};

/** Opens a page with nothing but a text field. */
async function openPlain(page, address) {
  await page.goto(`${address}404.html`);
  await page.evaluate(() => {
    const field = document.createElement("textarea");
    field.id = "passage";
    Object.assign(field.style, { width: "320px", height: "14rem", font: "1rem/1.6 Georgia, serif" });
    document.body.replaceChildren(field);
  });
}

/** Returns the milliseconds from a keystroke to the frame that shows it. */
async function keyTime(page) {
  await page.bringToFront();
  await page.evaluate(() => {
    const field = document.querySelector("#passage");
    field.focus();
    field.setSelectionRange(50, 50);
    globalThis.drawn = new Promise((done) => {
      const frame = (from) => requestAnimationFrame(() => setTimeout(() => done(performance.now() - from)));
      addEventListener("keydown", () => frame(performance.now()), { once: true });
    });
  });
  await page.keyboard.press("x");
  const time = await page.evaluate(() => globalThis.drawn);
  // Let delayed work after the keystroke finish before the next one.
  await new Promise((resolve) => setTimeout(resolve, 1000));
  return time;
}

const median = (times) => times.toSorted((a, b) => a - b)[times.length >> 1];

const server = await startServer();
const browser = await chromium();
try {
  const plain = (await newPage(browser, { width: 360, height: 740 })).page;
  await openPlain(plain, server.address);
  const ours = (await newPage(browser, { width: 360, height: 740 })).page;
  await openReady(ours, server.address, "?device=wasm");
  console.log(`median of ${keys} keys        the page  plain field  ratio`);
  for (const [name, text] of Object.entries(texts)) {
    const times = { ours: [], plain: [] };
    for (const page of [ours, plain]) await paste(page, "#passage", text);
    await new Promise((resolve) => setTimeout(resolve, 2000));
    for (let i = 0; i < keys; i++) {
      const order = i % 2 === 0 ? ["ours", "plain"] : ["plain", "ours"];
      for (const which of order) times[which].push(await keyTime(which === "ours" ? ours : plain));
    }
    const [page, field] = [median(times.ours), median(times.plain)];
    console.log(
      `${name.padEnd(22)} ${page.toFixed(0).padStart(7)} ms ${field.toFixed(0).padStart(9)} ms  ${(page / field).toFixed(2)}`,
    );
  }
} finally {
  await browser.close();
  await server.stop();
}
