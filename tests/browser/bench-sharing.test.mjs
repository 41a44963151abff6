/** Sharing a measurement: its sentence, a link, and a picture. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { endOfBench, openBench, startBench } from "./support/bench-page.mjs";
import { chromium, newPage } from "./support/browsers.mjs";
import { press } from "./support/index-page.mjs";
import { startServer } from "./support/server.mjs";

let server;
let browser;
let page;
let faults;
before(async () => {
  server = await startServer();
  browser = await chromium();
  ({ page, faults } = await newPage(browser, { width: 360, height: 740 }));
  await page.evaluateOnNewDocument(() => {
    globalThis.shared = [];
    navigator.share = async ({ files, ...rest }) => {
      const start = await files?.[0].slice(1, 4).text();
      globalThis.shared.push({ ...rest, ...(files && { name: files[0].name, type: files[0].type, start }) });
    };
    navigator.canShare = ({ files }) => files?.every(({ type }) => type === "image/png") ?? false;
  });
  await openBench(page, server.address, "?variant=tiny,no-norm-gelu&sequence=16,128&runs=2&device=wasm");
  await startBench(page);
  await endOfBench(page);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

const text = (target, selector) => target.$eval(selector, (element) => element.textContent);
const lastShared = () => page.evaluate(() => globalThis.shared.at(-1));
const HEADLINE = /^MobileBERT-TINY: [\d.,]+ ms at 128 tokens; the paper's Pixel 4 took 40 ms with four threads$/;

test("the result begins with a sentence that compares it with the paper's phone", async () => {
  const [, sentence] = /^(.*)\.$/.exec(await text(page, "#verdict"));
  assert.match(sentence, HEADLINE);
  const median = await page.$eval("#warm tr:nth-child(3) .median", (cell) => cell.textContent);
  assert.ok(sentence.includes(` ${median} ms`), `${sentence} doesn't have the median, ${median}`);
});

test("the sentence and a link go to the system's share sheet", async () => {
  await press(page, "#share");
  await page.waitForFunction(() => globalThis.shared.length > 0);
  const { title, text, url } = await lastShared();
  assert.match(title, /MobileBERT/);
  assert.match(text, HEADLINE);
  assert.ok(url.startsWith(`${server.address}bench.html#result=`));
});

test("where there is no share sheet, they are copied", async () => {
  const other = (await newPage(browser)).page;
  await other.evaluateOnNewDocument(() => {
    delete Navigator.prototype.share;
    navigator.clipboard.writeText = async (text) => {
      globalThis.copied = text;
    };
  });
  await other.goto((await lastShared()).url);
  await other.waitForFunction(() => document.querySelector("#share").checkVisibility());
  assert.equal(await text(other, "#share"), "Copy the verdict and a link");
  await other.click("#share");
  await other.waitForFunction(() => document.querySelector("#copied").textContent !== "");
  assert.equal(await text(other, "#copied"), "Copied.");
  const [sentence, link] = (await other.evaluate(() => globalThis.copied)).split("\n");
  assert.match(sentence, HEADLINE);
  assert.ok(link.startsWith(`${server.address}bench.html#result=`));
  await other.close();
});

test("where copying isn't allowed, the JSON is shown and selected", async () => {
  await page.evaluate(() => {
    navigator.clipboard.writeText = () => Promise.reject(new DOMException("denied", "NotAllowedError"));
  });
  await press(page, "#copy-json");
  await page.waitForFunction(() => document.querySelector("#copied").textContent !== "");
  assert.equal(await text(page, "#copied"), "Copying isn't allowed here. The text is selected; copy it by hand.");
  assert.ok(await page.$eval("#json", (field) => field.checkVisibility() && field.selectionEnd > 100));
  await page.$eval("#json-part", (part) => {
    part.open = false;
  });
});

/** The name of the picture's file, its color in the top right corner, and how many colors there are. */
async function drawn() {
  await press(page, "#draw");
  await page.waitForFunction(() => document.querySelector("#picture-save").href.startsWith("blob:"));
  return await page.evaluate(async () => {
    const save = document.querySelector("#picture-save");
    const canvas = document.querySelector("#picture");
    const { data } = canvas.getContext("2d").getImageData(canvas.width - 10, 40, 1, 1);
    const painted = canvas.getContext("2d").getImageData(0, 60, canvas.width, canvas.height - 60).data;
    const colors = new Set();
    for (let at = 0; at < painted.length; at += 4) colors.add(painted.slice(at, at + 3).join());
    return {
      name: save.download,
      corner: [...data].slice(0, 3),
      colors: colors.size,
      label: canvas.getAttribute("aria-label"),
    };
  });
}

test("a picture is drawn in the page's colors, with a description", async () => {
  const light = await drawn();
  assert.equal(light.name, "mobilebert-latency.png");
  assert.ok(light.colors > 10, "the picture is empty");
  assert.match(light.label, /^MobileBERT-TINY: .* four threads\. NoNorm and gelu: [\d.,]+ ms\. Measured with CPU/);
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: "dark" }]);
  const dark = await drawn();
  assert.deepEqual(light.corner, [255, 255, 255]);
  assert.ok(
    dark.corner.every((part) => part < 60),
    String(dark.corner),
  );
  await page.emulateMediaFeatures([]);
});

test("the picture can be shared as a file", async () => {
  await drawn();
  await press(page, "#picture-share");
  await page.waitForFunction(() => globalThis.shared.at(-1).start);
  const { name, type, start } = await lastShared();
  assert.deepEqual([name, type, start], ["mobilebert-latency.png", "image/png", "PNG"]);
});

test("the actions fit a phone, and the page's policy is respected", async () => {
  const small = await page.$$eval("#results button, #results a, #results summary", (found) =>
    found
      .map((element) => ({ name: element.textContent, box: element.getBoundingClientRect() }))
      .filter(({ box }) => box.width > 0 && (box.height < 44 || box.width < 44))
      .map(({ name }) => name),
  );
  assert.deepEqual(small, []);
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), 0);
  assert.deepEqual(faults, []);
});
