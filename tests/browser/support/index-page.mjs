/** User actions on index.html, and what it shows. */
import { loseGpuInNextRun } from "./losing.mjs";

/** Opens the page and waits until its models are loaded and it is stored for visits without a network. */
export async function openReady(page, address, query = "") {
  await page.goto(address + query, { waitUntil: "domcontentloaded" });
  await page.waitForFunction(() => {
    const state = document.querySelector("#loading")?.dataset.state;
    const names = document.querySelector("#model-names")?.textContent ?? "";
    const isStored = document.documentElement.dataset.offline !== undefined;
    return state === "failed" || (state === "ready" && names.includes("sentiment") && isStored);
  });
  const problem = await shownProblem(page);
  if (problem) throw new Error(`the model did not load: ${problem.code}: ${problem.text}`);
}

/** Sets the text of a field, as pasting does. */
export async function paste(page, selector, text) {
  await page.evaluate(
    (selector, text) => {
      const field = document.querySelector(selector);
      field.value = text;
      field.dispatchEvent(new InputEvent("input", { bubbles: true }));
    },
    selector,
    text,
  );
}

/** Presses a button with the keyboard: the mouse misses while the page is scrolling. */
export async function press(page, selector, key = "Enter") {
  await page.focus(selector);
  await page.keyboard.press(key);
}

/** Asks and waits for the final answer. */
export async function ask(page, question) {
  await paste(page, "#question", question);
  await page.evaluate(() => document.querySelector("#ask").requestSubmit());
  return await answer(page);
}

/** Chooses a sample passage; not with the mouse, which misses while the page is scrolling. */
export async function takeSample(page, index = 0) {
  await page.evaluate((index) => document.querySelectorAll("#samples button")[index].click(), index);
}

/** Waits for the final answer. */
export async function answer(page) {
  await page.waitForFunction(
    () => ["found", "none", "stopped"].includes(document.querySelector("#answer")?.dataset.state ?? ""),
    {},
  );
  return await page.evaluate(() => {
    const text = (selector) => document.querySelector(selector)?.textContent ?? "";
    const texts = (selector) => Array.from(document.querySelectorAll(selector), (element) => element.textContent);
    return {
      state: document.querySelector("#answer").dataset.state,
      line: text("#answer-line"),
      sentence: text("#answer-sentence"),
      cut: document.querySelector("#answer-cut").hidden ? "" : text("#answer-cut"),
      timing: text("#answer-timing"),
      marked: text("#passage-marks mark.best"),
      alternatives: texts("#alternatives .what"),
      shares: texts("#alternatives .share"),
    };
  });
}

/** The error that the page shows, if any. */
export function shownProblem(page) {
  return page.evaluate(() => {
    const section = document.querySelector("#problem");
    if (!section || section.hidden) return undefined;
    const text = (selector) => document.querySelector(selector)?.textContent ?? "";
    return {
      title: text("#problem-title"),
      text: text("#problem-text"),
      advice: text("#problem-advice"),
      code: text("#problem-code"),
    };
  });
}

/** Makes the page's first worker lose its GPU during the next run, before its commands are recorded. */
export async function loseGpu(page) {
  await page.workers()[0].evaluate(loseGpuInNextRun);
}

/** Picks a model of this site. */
export const pickModel = (page, name) =>
  page.evaluate((name) => {
    if (document.querySelector("#choose").hidden) document.querySelector("#choose-open").click();
    const offered = [...document.querySelectorAll("#choose-bundled button")];
    offered.find((button) => button.textContent.startsWith(name)).click();
  }, name);
