/** User actions on bench.html, and what it shows. */

/** Opens the page and waits until it can be used. */
export async function openBench(page, address, query = "") {
  await page.goto(`${address}bench.html${query}`, { waitUntil: "domcontentloaded" });
  await page.waitForFunction(() => document.documentElement.dataset.ready === "true");
}

/** Presses Start, as a user: what a click changes within half a second isn't an unexpected shift. */
export async function startBench(page) {
  await page.focus("#start");
  await page.keyboard.press("Enter");
}

/** Waits for the end of the measurement; returns the shown result. */
export async function endOfBench(page) {
  try {
    await page.waitForFunction(() => !document.querySelector("#start").disabled);
  } catch (cause) {
    const doing = await page.$eval("#doing", (line) => line.textContent);
    throw new Error(`the measurement did not end; the page shows "${doing.trim()}"`, { cause });
  }
  return await shownResult(page);
}

/** The result as shown, and its JSON. */
export function shownResult(page) {
  return page.evaluate(() => {
    const texts = (selector) => Array.from(document.querySelectorAll(selector), (cell) => cell.textContent.trim());
    const visible = (selector) => document.querySelector(selector)?.checkVisibility() ?? false;
    const json = document.querySelector("#json").value;
    return {
      networks: texts("#warm tbody .of b"),
      tokens: texts('#warm tbody th[scope="row"]'),
      medians: texts("#warm td.median"),
      checks: texts("#warm td:nth-child(5)").map((text) => text.split(" ")[0]),
      sparks: document.querySelectorAll("#warm .spark").length,
      paper: texts("#warm td:nth-child(6)"),
      cold: texts('#cold tbody th[scope="row"]'),
      system: texts("#system dd"),
      plotted: document.querySelectorAll("#plot .series").length,
      void: visible("#void") ? document.querySelector("#void").textContent : null,
      shared: visible("#shared") ? document.querySelector("#shared").textContent : null,
      problem: visible("#problem") ? document.querySelector("#problem").textContent : null,
      json: json === "" ? null : JSON.parse(json),
    };
  });
}
