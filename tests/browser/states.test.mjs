import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { chromium, newPage } from "./support/browsers.mjs";
import { text } from "./support/elements.mjs";
import { answer, ask, loseGpu, openReady, paste, shownProblem, takeSample } from "./support/index-page.mjs";
import { findModels } from "./support/models.mjs";
import { startServer } from "./support/server.mjs";
import { startStaticHost } from "./support/static-host.mjs";
import { makeModels } from "./support/tiny-model.mjs";

/** Models that are fast on software GPUs. */
const SMALL = "model=small-answers&model=small-sentiment";
let made;
let server;
let browser;
before(async () => {
  const { answers, sentiment } = await findModels();
  made = await makeModels({ "small-answers": {}, "small-sentiment": { task: "text-classification" } });
  // The page uses the first model of each kind by default.
  server = await startServer([answers.folder, sentiment.folder, ...Object.values(made.folders)]);
  browser = await chromium();
});
after(async () => {
  await browser?.close();
  await server?.stop();
  await made?.remove();
});

const axe = await readFile(join(import.meta.dirname, "node_modules/axe-core/axe.min.js"), "utf8");

/** Violations that axe rates serious or critical, in light and dark mode. */
async function seriousViolations(page) {
  const found = [];
  if (!(await page.evaluate(() => "axe" in globalThis))) await page.evaluate(axe);
  for (const theme of ["light", "dark"]) {
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: theme }]);
    const violations = await page.evaluate(async () => (await globalThis.axe.run()).violations);
    for (const { id, impact, nodes } of violations) {
      if (impact === "serious" || impact === "critical")
        found.push(`${theme}: ${id}: ${nodes.map(({ html }) => html)}`);
    }
  }
  return found;
}

const submit = (page) => page.evaluate(() => document.querySelector("#ask").requestSubmit());

describe("a ready page", () => {
  let page;
  before(async () => {
    ({ page } = await newPage(browser, { width: 360, height: 740 }));
    await openReady(page, server.address);
  });

  test("runs on the CPU if there is no GPU, and says why", async () => {
    const hasWebGpu = await page.evaluate(() => "gpu" in navigator);
    const name = hasWebGpu ? "CPU · WebAssembly" : "CPU · this browser has no WebGPU";
    assert.equal(await text(page, "#device-name"), name);
    assert.match(await text(page, "#device-reason"), /^No GPU: .*(WebGPU|adapter)|computes in software/);
  });

  test("asks for a missing question or passage", async () => {
    await paste(page, "#question", "  ");
    await submit(page);
    assert.match((await answer(page)).line, /Type a question/);
    await paste(page, "#passage", " \n ");
    await paste(page, "#question", "What?");
    await submit(page);
    assert.match((await answer(page)).line, /no passage/);
    await takeSample(page);
  });

  test("can be used with the keyboard alone", async () => {
    await page.focus("#passage");
    const reached = [];
    for (let i = 0; i < 6 && reached.at(-1) !== "question"; i++) {
      await page.keyboard.press("Tab");
      reached.push(await page.evaluate(() => document.activeElement?.id));
    }
    assert.equal(reached.at(-1), "question", `Tab moved the focus from the passage to ${reached}`);
    await page.evaluate(() => document.querySelector("#question").select());
    await page.keyboard.type("How tall is the tower?");
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => document.querySelector("#answer").dataset.state === "found");
    assert.match(await text(page, "#answer-line"), /38/);
    assert.equal(await page.evaluate(() => document.activeElement?.id), "question");
  });

  test("announces an answer once", async () => {
    await page.evaluate(() => {
      globalThis.texts = [];
      const line = document.querySelector("#answer-line");
      new MutationObserver(() => globalThis.texts.push(line.textContent)).observe(line, { childList: true });
    });
    const { line } = await ask(page, "Who built the lighthouse?");
    const shown = await page.evaluate(() => globalThis.texts);
    assert.equal(shown.filter((words) => words === line).length, 1, JSON.stringify(shown));
  });

  test("reads a long text in sections and shows how many", async () => {
    await takeSample(page, 3);
    const found = await ask(page, "With what did Olsen mend the boat?");
    assert.match(found.line, /copper/);
    assert.match(found.timing, /[2-9] sections/);
    // The page scrolls smoothly, so the answer comes into view a bit later; if it never does, this times out.
    await page.waitForFunction(() => {
      const paper = document.querySelector("#paper").getBoundingClientRect();
      const mark = document.querySelector("#passage-marks mark.best").getBoundingClientRect();
      return mark.top >= paper.top && mark.bottom <= paper.bottom;
    });
  });

  test("fits a narrow phone, with large enough touch targets", async () => {
    const layout = await page.evaluate(() => {
      const small = [];
      for (const element of document.querySelectorAll("button, summary, input, .file-button, footer a")) {
        const { width, height } = element.getBoundingClientRect();
        if (width > 0 && (height < 44 || width < 44))
          small.push(`${element.textContent || element.id}: ${width}×${height}`);
      }
      return { small, wide: document.documentElement.scrollWidth - document.documentElement.clientWidth };
    });
    assert.deepEqual(layout, { small: [], wide: 0 });
  });
});

test("the status line shows each phase of a first visit, nothing shifts, and the next visit uses the cache", async () => {
  const context = await browser.createBrowserContext();
  const { page } = await newPage(context, { width: 360, height: 740 });
  await page.evaluateOnNewDocument(() => {
    globalThis.texts = [];
    globalThis.shift = 0;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) globalThis.shift += entry.value;
    }).observe({ type: "layout-shift", buffered: true });
    const note = () => globalThis.texts.push(document.querySelector("#loading-text")?.textContent ?? "");
    new MutationObserver(note).observe(document, { childList: true, subtree: true });
  });
  const visit = async () => {
    await openReady(page, server.address);
    return await page.evaluate(() => ({ shown: globalThis.texts, shift: globalThis.shift }));
  };
  const first = await visit();
  const expected = [
    /^Looking for a model/,
    /^Loading .+: [\d.]+ of [\d.]+ MB/,
    /^Preparing the device for .+/,
    /^Uploading .+ to the device/,
  ];
  for (const words of expected) {
    assert.ok(
      first.shown.some((line) => words.test(line)),
      `${words} was not shown: ${[...new Set(first.shown)].join("; ")}`,
    );
  }
  assert.match(first.shown.at(-1), /^Ready\. The model is stored in this browser/);
  assert.ok(first.shift < 0.01, `the layout shifted by ${first.shift} during loading`);
  const second = await visit();
  assert.ok(second.shown.some((line) => /^Reading .+ from this browser's cache/.test(line)));
  assert.match(second.shown.at(-1), /^Ready. Loaded from this browser's cache/);
  assert.ok(second.shift < 0.01, `the layout shifted by ${second.shift} the second time`);
  await context.close();
});

test("without JavaScript the page says that it needs it", async () => {
  const { page } = await newPage(browser, { width: 360, height: 740 });
  await page.setJavaScriptEnabled(false);
  await page.goto(server.address);
  assert.match(await text(page, "#loading-text"), /needs JavaScript/);
  assert.match(await text(page, "footer"), /What you type is never sent, and is kept in this tab only/);
  await page.close();
});

describe("other states of the answer and the network", () => {
  let page;
  before(async () => {
    ({ page } = await newPage(browser, { width: 360, height: 740 }));
    await openReady(page, server.address);
  });

  test("the page shows the progress in a long text", async () => {
    await takeSample(page, 3);
    await page.evaluate(() => {
      globalThis.texts = [];
      const count = document.querySelector("#reading-count");
      new MutationObserver(() => globalThis.texts.push(count.textContent)).observe(count, { childList: true });
    });
    await ask(page, "Who led the survey party?");
    const shown = await page.evaluate(() => globalThis.texts);
    assert.ok(
      shown.some((line) => /^\d+ of \d+ sections/.test(line)),
      shown.join("; "),
    );
  });

  test("a question that is too long is truncated, and the page says so", async () => {
    await takeSample(page);
    assert.equal((await ask(page, "How tall is the tower?")).cut, "");
    const { cut } = await ask(page, `How tall is the tower, ${"and how wide is it ".repeat(40)}?`);
    assert.match(cut, /too long: its end was cut off/);
    assert.deepEqual(await seriousViolations(page), []);
  });

  test("offline the page still works, and says so", async () => {
    await page.setOfflineMode(true);
    await page.waitForFunction(() => /You are offline/.test(document.querySelector("#loading-text").textContent));
    assert.match((await ask(page, "How tall is the tower?")).line, /38/);
    assert.deepEqual(await seriousViolations(page), []);
    await page.setOfflineMode(false);
    await page.waitForFunction(() => /^Ready/.test(document.querySelector("#loading-text").textContent));
  });
});

test("an offline visit says so, and the page retries when back online", async () => {
  const { page } = await newPage(browser, { width: 360, height: 740 });
  await page.evaluateOnNewDocument(() => {
    globalThis.network = false;
    Object.defineProperty(Navigator.prototype, "onLine", { get: () => globalThis.network });
  });
  // No server listens there.
  await page.goto(`${server.address}?model=https://127.0.0.1:9/model/`);
  await page.waitForFunction(() => !document.querySelector("#problem").hidden);
  const problem = await shownProblem(page);
  assert.deepEqual([problem.title, problem.code], ["You are offline", "network"]);
  assert.deepEqual(await seriousViolations(page), []);
  await page.evaluate(() => {
    globalThis.network = true;
    dispatchEvent(new Event("online"));
  });
  await page.waitForFunction(
    () => document.querySelector("#problem-title").textContent === "The model could not be downloaded",
    {},
  );
  await page.close();
});

test("a lost GPU is reported, with the current device", async () => {
  const software = await chromium({ webgpu: true });
  try {
    const { page } = await newPage(software, { width: 360, height: 740 });
    await openReady(page, server.address, `?device=webgpu&${SMALL}`);
    await loseGpu(page);
    assert.notEqual((await ask(page, "How tall is the tower?")).state, "stopped");
    assert.match(await text(page, "#loading-text"), /The GPU was lost\. The model was reloaded/);
    assert.match(await text(page, "#device-name"), /^WebGPU/);
    assert.match(await text(page, "#device-reason"), /The GPU was lost \(.+\); the model was reloaded on it/);
    await loseGpu(page);
    assert.notEqual((await ask(page, "Who built the lighthouse?")).state, "stopped");
    assert.match(await text(page, "#device-name"), /^CPU/);
    assert.match(await text(page, "#device-reason"), /the CPU took over/);
    assert.deepEqual(await seriousViolations(page), []);
  } finally {
    await software.close();
  }
});

test("axe finds nothing serious in light and dark mode", async () => {
  for (const theme of ["light", "dark"]) {
    const { page } = await newPage(browser, { width: 360, height: 740, theme });
    await openReady(page, server.address);
    await ask(page, "When was the lighthouse first lit?");
    await paste(page, "#mood", "Not bad at all.");
    await page.waitForFunction(() => document.querySelector("#mood-timing").textContent !== "");
    await page.evaluate(axe);
    const passes = await page.evaluate(async () => (await globalThis.axe.run()).passes.length);
    assert.ok(passes > 15, "axe checked almost nothing");
    assert.deepEqual(await seriousViolations(page), []);
    await page.close();
  }
});

test("a question asked while the model loads is answered afterwards", async () => {
  const { page } = await newPage(browser);
  // Hold back the list of models, because a cached model may load before the question is asked.
  await page.evaluateOnNewDocument(() => {
    const original = globalThis.fetch;
    const released = new Promise((resolve) => {
      globalThis.release = resolve;
    });
    globalThis.fetch = async (input, ...rest) => {
      if (String(input).endsWith("models.json")) await released;
      return original(input, ...rest);
    };
  });
  await page.setViewport({ width: 360, height: 640, hasTouch: true, isMobile: true });
  await page.emulateMediaFeatures([{ name: "prefers-reduced-motion", value: "reduce" }]);
  await page.goto(server.address, { waitUntil: "domcontentloaded" });
  await page.waitForFunction(() => document.querySelector("#samples button") !== null);
  await paste(page, "#question", "How tall is the tower?");
  await submit(page);
  assert.match(await text(page, "#answer-line"), /still loading/);
  // Meanwhile, the user begins to write the next one.
  await page.focus("#question");
  await paste(page, "#question", "Who");
  await page.evaluate(() => scrollTo(0, 0));
  await page.evaluate(() => globalThis.release());
  assert.match((await answer(page)).line, /38/);
  const after = () => [document.activeElement.id, document.querySelector("#question").value, scrollY];
  assert.deepEqual(await page.evaluate(after), ["question", "Who", 0]);
  await page.close();
});

test("a missing model is reported with its code and alternatives", async () => {
  const { page } = await newPage(browser);
  await page.goto(`${server.address}?model=./nothing-here/`);
  await page.waitForFunction(() => !document.querySelector("#problem").hidden);
  const problem = await shownProblem(page);
  assert.equal(problem.code, "not-found");
  assert.match(problem.text, /nothing-here/);
  assert.match(problem.advice, /choose another model/);
  assert.deepEqual(await seriousViolations(page), []);
  assert.ok(await page.$eval("#choose", (element) => !element.hidden), "no way to choose another model");
  assert.match(await text(page, "#choose-text"), /nothing-here/, "the message doesn't name the missing model");
  await page.close();
});

test("an unavailable device is reported with its code", async () => {
  const { page } = await newPage(browser);
  await page.goto(`${server.address}?device=webgpu`);
  await page.waitForFunction(() => !document.querySelector("#problem").hidden);
  const problem = await shownProblem(page);
  assert.equal(problem.code, "unsupported");
  assert.match(problem.text, /CPU/);
  assert.equal(problem.advice, "", "the advice is given twice");
  assert.equal(await page.$eval("#choose", (panel) => panel.hidden), true, "another model wouldn't help");
  assert.deepEqual(await seriousViolations(page), []);
  await paste(page, "#question", "How tall is the tower?");
  await page.click("#problem-cpu");
  await page.waitForFunction(() => document.querySelector("#loading").dataset.state === "ready");
  assert.match(await text(page, "#device-name"), /^CPU/);
  assert.match(page.url(), /device=wasm/);
  await submit(page);
  assert.match((await answer(page)).line, /38/);
  await page.close();
});

test("a software GPU isn't used by default, and the page says so", async () => {
  const software = await chromium({ webgpu: true });
  try {
    const { page } = await newPage(software);
    await openReady(page, server.address, `?${SMALL}`);
    assert.match(await text(page, "#device-name"), /^CPU/);
    assert.match(await text(page, "#device-reason"), /software/i);
  } finally {
    await software.close();
  }
});

test("on a static host under a prefix without models, local files can be selected", async () => {
  // As if the project shipped no models.
  const host = await startStaticHost("/some/prefix/", { "models/models.json": "[]" });
  const { answers } = await findModels();
  try {
    const { page } = await newPage(browser);
    const foreign = [];
    page.on("request", (request) => request.url().startsWith(host.address) || foreign.push(request.url()));
    await page.goto(host.address, { waitUntil: "domcontentloaded" });
    await page.waitForFunction(() => !document.querySelector("#choose").hidden);
    assert.match(await text(page, "#choose-text"), /No model/);
    const names = ["config.json", "tokenizer.json", "model.safetensors"];
    const picker = await page.$("#folder");
    await picker.uploadFile(...names.map((name) => join(answers.folder, name)));
    await page.waitForFunction(() => document.querySelector("#loading").dataset.state === "ready");
    assert.match((await ask(page, "How tall is the tower?")).line, /38/);
    // Selecting other files replaces the model and ends its worker.
    const [before] = page.workers();
    await picker.uploadFile(...names.map((name) => join(answers.folder, name)));
    await page.waitForFunction(() => document.querySelector("#loading").dataset.state !== "ready");
    await page.waitForFunction(() => document.querySelector("#loading").dataset.state === "ready");
    assert.equal(page.workers().length, 1);
    assert.notEqual(page.workers()[0], before);
    assert.match((await ask(page, "How tall is the tower?")).line, /38/);
    assert.deepEqual(foreign, []);
  } finally {
    host.stop();
  }
});
