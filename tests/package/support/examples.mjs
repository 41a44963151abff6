import assert from "node:assert/strict";
import { cp } from "node:fs/promises";
import { join } from "node:path";
import { chromium, newPage } from "../../browser/support/browsers.mjs";
import { findModels } from "../../browser/support/models.mjs";
import { npm, pack, temporaryFolder } from "./install.mjs";

/** The folder of all examples. */
export const examples = join(import.meta.dirname, "../../../examples");

/** Limit for everything that a busy machine may take long for. */
export const WAIT = { timeout: 120_000 };

/** Packs the package and starts a browser. */
export async function prepareExamples() {
  const temporary = await temporaryFolder();
  const { tarball } = await pack(temporary.folder);
  const model = (await findModels()).answers.folder;
  const browser = await chromium();

  /** Copies an example and installs the packed package in it, as its README says. */
  async function copyOf(name, ...flags) {
    const folder = join(temporary.folder, name);
    const source = (path) => !/node_modules|[/\\](dist|\.next|\.svelte-kit)$/.test(path.slice(examples.length));
    await cp(join(examples, name), folder, { recursive: true, filter: source });
    await npm(["install", ...flags, tarball], { cwd: folder });
    return folder;
  }

  /** Opens a page with the examples' form, submits it and returns the shown answer. */
  async function askOn(address, inBrowser = browser) {
    const { page, faults } = await newPage(inBrowser);
    await page.goto(address);
    const line = () => page.$eval("#answer", (element) => element.textContent);
    await page.waitForSelector("#ask:not([disabled])", WAIT).catch(async () => assert.fail(await line()));
    await page.click("#ask");
    await page.waitForFunction(() => !/^(Ready|Loading|$)/.test(document.querySelector("#answer").textContent), WAIT);
    const shown = await line();
    // Optional files may be missing, and Chromium logs it.
    assert.deepEqual(
      faults.filter((fault) => !/404/.test(fault)),
      [],
    );
    await page.close();
    return shown;
  }

  const end = () => Promise.all([browser.close(), temporary.remove()]);
  return { folder: temporary.folder, model, browser, copyOf, askOn, end };
}
