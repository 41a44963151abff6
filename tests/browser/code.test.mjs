/** The code shown for an answer is run, and must give that answer. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { chromium, newPage } from "./support/browsers.mjs";
import { ask, openReady, paste } from "./support/index-page.mjs";
import { startStaticHost } from "./support/static-host.mjs";

const packageFolder = join(import.meta.dirname, "../../pkg");
/** Characters that end strings, scripts and template literals. */
const TRICKY =
  'The tower\'s keeper, "Ada" Ferrow, lit it\\\n in 1871.</script><!-- $1 ` \u2028 It was built by Ines Kolar.';

let host;
let browser;
let page;
let folder;
before(async () => {
  host = await startStaticHost("/site/");
  browser = await chromium();
  ({ page } = await newPage(browser, { width: 360, height: 740 }));
  folder = await mkdtemp(join(tmpdir(), "mobilebert-code-"));
  await mkdir(join(folder, "node_modules"));
  await symlink(packageFolder, join(folder, "node_modules/mobilebert"), "dir");
  await openReady(page, host.address, "?device=wasm");
});
after(async () => {
  await browser?.close();
  await host?.stop();
  if (folder) await rm(folder, { recursive: true });
});

/** Asks, and returns the answer with the shown code. */
async function shown(context, question) {
  await paste(page, "#passage", context);
  const { line } = await ask(page, question);
  if (await page.$eval("#code-panel", (panel) => panel.hidden))
    await page.$eval("#code-open", (button) => button.click());
  const code = await page.evaluate(() => ({
    module: document.querySelector("#code-module").value,
    html: document.querySelector("#code-page").value,
  }));
  return { answer: line.replace(/^Not sure, best guess: /, ""), ...code };
}

/** Runs a module in a folder with the package installed. */
async function printed(code) {
  const file = join(folder, "answer.mjs");
  await writeFile(file, code);
  const { stdout } = await promisify(execFile)(process.execPath, [file], { cwd: folder });
  return stdout.replace(/\n$/, "");
}

/** Opens a page with this HTML, and waits for its answer. */
async function displayed(html) {
  host.instead["answer.html"] = html;
  const { page: other, faults } = await newPage(browser);
  await other.goto(`${host.address}answer.html`);
  await other.waitForFunction(() => document.querySelector("#answer")?.textContent !== "Loading the model…");
  const answer = await other.$eval("#answer", (element) => element.textContent);
  await other.close();
  // The browser asks for an icon, too.
  assert.deepEqual(
    faults.filter((fault) => !fault.startsWith("console: Failed to load resource")),
    [],
  );
  return answer;
}

test("the module and the page give the answer, whatever characters the passage has", async () => {
  const { answer, module, html } = await shown(TRICKY, "Who built it?");
  assert.match(answer, /Ines Kolar/);
  assert.equal(await printed(module), answer);
  assert.equal(await displayed(html), answer);
});

test("a long passage is read from a file", async () => {
  const line = "The ferry leaves at noon and takes half an hour to the island. ";
  const context = `${line.repeat(500)}Its captain is Ines Kolar. ${line.repeat(20)}`;
  const { answer, module, html } = await shown(context, "Who is the captain?");
  assert.match(module, /save it as passage\.txt/);
  assert.ok(module.length < 1500);
  await writeFile(join(folder, "passage.txt"), context);
  host.instead["passage.txt"] = context;
  assert.equal(await printed(module), answer);
  assert.equal(await displayed(html), answer);
});

test("the code is copied by its button", async () => {
  await page.evaluate(() => {
    navigator.clipboard.writeText = async (text) => {
      globalThis.copied = text;
    };
  });
  for (const name of ["module", "page"]) {
    await page.evaluate((name) => document.querySelector(`#copy-${name}`).click(), name);
    await page.waitForFunction((name) => document.querySelector("#code-done").textContent.includes(name), {}, name);
    const [copied, code] = await page.evaluate(
      (name) => [globalThis.copied, document.querySelector(`#code-${name}`).value],
      name,
    );
    assert.equal(copied, code);
  }
});

test("the loading time is shown by part, in a table with bars", async () => {
  const rows = await page.$$eval("#times-rows tr", (found) =>
    found.map((row) => ({
      part: row.querySelector("th").textContent,
      time: row.querySelector("td:last-child").textContent,
      bar: row.querySelector(".bar").getBoundingClientRect().width,
    })),
  );
  assert.equal(rows.length, 6);
  for (const { part, time } of rows) assert.match(time, /^[\d.]+ m?s$/, part);
  const milliseconds = (time) => Number.parseFloat(time) * (time.endsWith(" ms") ? 1 : 1000);
  const spent = new Map(rows.map(({ part, time }) => [part, milliseconds(time)]));
  for (const part of ["Fetch the model", "Upload the weights", "Warm up"]) assert.ok(spent.get(part) > 0, part);
  const byTime = rows.toSorted((a, b) => milliseconds(a.time) - milliseconds(b.time));
  const widths = byTime.map(({ bar }) => bar);
  assert.deepEqual(
    widths,
    widths.toSorted((a, b) => a - b),
  );
  const total = milliseconds(
    /^([\d.]+ m?s) in all/.exec(await page.$eval("#times-text", (text) => text.textContent))[1],
  );
  const { "Fetch and compile the engine": engine, ...rest } = Object.fromEntries(spent);
  const sum = Object.values(rest).reduce((all, one) => all + one);
  assert.ok(sum <= total + 1 && engine <= total + 1, `${sum} and ${engine} of ${total}`);
});
