import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { chromium, newPage } from "./support/browsers.mjs";
import { answer, ask, loseGpu, openReady, paste, shownProblem, takeSample } from "./support/index-page.mjs";
import { findModels } from "./support/models.mjs";
import { startServer } from "./support/server.mjs";
import { startStaticHost } from "./support/static-host.mjs";
import { makeModels } from "./support/tiny-model.mjs";

/** Models that software GPUs are done with soon. */
const SMALL = "model=small-answers&model=small-sentiment";
let made;
let server;
let browser;
before(async () => {
  const { answers, sentiment } = await findModels();
  made = await makeModels({ "small-answers": {}, "small-sentiment": { task: "text-classification" } });
  // What is named first is what the page takes by itself.
  server = await startServer([answers.folder, sentiment.folder, ...Object.values(made.folders)]);
  browser = await chromium();
});
after(async () => {
  await browser?.close();
  await server?.stop();
  await made?.remove();
});

const axe = await readFile(join(import.meta.dirname, "node_modules/axe-core/axe.min.js"), "utf8");

/** What axe finds serious or critical, light and dark. */
async function graveFindings(page) {
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

const text = (page, selector) => page.$eval(selector, (element) => element.textContent);
const submit = (page) => page.evaluate(() => document.querySelector("#ask").requestSubmit());

describe("a ready page", () => {
  let page;
  before(async () => {
    ({ page } = await newPage(browser, { width: 360, height: 740 }));
    await openReady(page, server.address);
  });

  test("runs on the CPU where the browser offers no GPU, and says why", async () => {
    assert.match(await text(page, "#device-name"), /^CPU/);
    assert.match(await text(page, "#device-reason"), /^No GPU: .*(WebGPU|adapter)|computes in software/);
  });

  test("asks for what is missing instead of answering nothing", async () => {
    await paste(page, "#question", "  ");
    await submit(page);
    assert.match((await answer(page)).line, /Type a question/);
    await paste(page, "#passage", " \n ");
    await paste(page, "#question", "What?");
    await submit(page);
    assert.match((await answer(page)).line, /no passage/);
    await takeSample(page);
  });

  test("can be used by keyboard alone", async () => {
    await page.focus("#passage");
    const reached = [];
    for (let i = 0; i < 6 && reached.at(-1) !== "question"; i++) {
      await page.keyboard.press("Tab");
      reached.push(await page.evaluate(() => document.activeElement?.id));
    }
    assert.equal(reached.at(-1), "question", `from the passage Tab went to ${reached}`);
    await page.evaluate(() => document.querySelector("#question").select());
    await page.keyboard.type("How tall is the tower?");
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => document.querySelector("#answer").dataset.state === "found");
    assert.match(await text(page, "#answer-line"), /38/);
    assert.equal(await page.evaluate(() => document.activeElement?.id), "question");
  });

  test("says an answer once", async () => {
    await page.evaluate(() => {
      globalThis.said = [];
      const line = document.querySelector("#answer-line");
      new MutationObserver(() => globalThis.said.push(line.textContent)).observe(line, { childList: true });
    });
    const { line } = await ask(page, "Who built the lighthouse?");
    const said = await page.evaluate(() => globalThis.said);
    assert.equal(said.filter((words) => words === line).length, 1, JSON.stringify(said));
  });

  test("reads a long text in windows and says how many", async () => {
    await takeSample(page, 3);
    const found = await ask(page, "With what did Olsen mend the boat?");
    assert.match(found.line, /copper/);
    assert.match(found.timing, /[2-9] windows/);
    // The page scrolls smoothly: the answer comes into view a moment later, or never, and then this times out.
    await page.waitForFunction(() => {
      const paper = document.querySelector("#paper").getBoundingClientRect();
      const mark = document.querySelector("#passage-marks mark.best").getBoundingClientRect();
      return mark.top >= paper.top && mark.bottom <= paper.bottom;
    });
  });

  test("fits a narrow phone, with targets that a thumb can hit", async () => {
    const layout = await page.evaluate(() => {
      const small = [];
      for (const element of document.querySelectorAll(
        "button, summary, input:not([type=file]), .file-button, footer a",
      )) {
        const { width, height } = element.getBoundingClientRect();
        if (width > 0 && (height < 44 || width < 44))
          small.push(`${element.textContent || element.id}: ${width}×${height}`);
      }
      return { small, wide: document.documentElement.scrollWidth - document.documentElement.clientWidth };
    });
    assert.deepEqual(layout, { small: [], wide: 0 });
  });
});

test("the line says each phase of a first visit, nothing moves meanwhile, and the next visit comes from the cache", async () => {
  const context = await browser.createBrowserContext();
  const { page } = await newPage(context, { width: 360, height: 740 });
  await page.evaluateOnNewDocument(() => {
    globalThis.said = [];
    globalThis.shift = 0;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) globalThis.shift += entry.value;
    }).observe({ type: "layout-shift", buffered: true });
    const note = () => globalThis.said.push(document.querySelector("#loading-text")?.textContent ?? "");
    new MutationObserver(note).observe(document, { childList: true, subtree: true });
  });
  const visit = async () => {
    await openReady(page, server.address);
    return await page.evaluate(() => ({ said: globalThis.said, shift: globalThis.shift }));
  };
  const first = await visit();
  const expected = [
    /^Looking for a model/,
    /^Loading .+: [\d.]+ of [\d.]+ MB/,
    /^Preparing the device for .+/,
    /^Handing .+ over to the device/,
  ];
  for (const words of expected) {
    assert.ok(
      first.said.some((line) => words.test(line)),
      `${words} was not said: ${[...new Set(first.said)].join("; ")}`,
    );
  }
  assert.match(first.said.at(-1), /^Ready\. The model is kept by this browser/);
  assert.ok(first.shift < 0.01, `the page moved by ${first.shift} while it loaded`);
  const second = await visit();
  assert.ok(second.said.some((line) => /^Reading .+ from this browser's cache/.test(line)));
  assert.match(second.said.at(-1), /^Ready, from this browser's cache/);
  assert.ok(second.shift < 0.01, `the page moved by ${second.shift} the second time`);
  await context.close();
});

test("without JavaScript the page makes sense and says what it needs", async () => {
  const { page } = await newPage(browser, { width: 360, height: 740 });
  await page.setJavaScriptEnabled(false);
  await page.goto(server.address);
  assert.match(await text(page, "#loading-text"), /needs JavaScript/);
  assert.match(await text(page, "footer"), /No request leaves this page/);
  await page.close();
});

describe("other states of the answer and of the network", () => {
  let page;
  before(async () => {
    ({ page } = await newPage(browser, { width: 360, height: 740 }));
    await openReady(page, server.address);
  });

  test("while it reads a long text the page shows how far it is", async () => {
    await takeSample(page, 3);
    await page.evaluate(() => {
      globalThis.said = [];
      const timing = document.querySelector("#answer-timing");
      new MutationObserver(() => globalThis.said.push(timing.textContent)).observe(timing, { childList: true });
    });
    await ask(page, "Who led the survey party?");
    const said = await page.evaluate(() => globalThis.said);
    assert.ok(
      said.some((line) => /^Read \d+ of \d+ windows$/.test(line)),
      said.join("; "),
    );
  });

  test("a question that is too long is cut, and that is said", async () => {
    await takeSample(page);
    assert.equal((await ask(page, "How tall is the tower?")).cut, "");
    const { cut } = await ask(page, `How tall is the tower, ${"and how wide is it ".repeat(40)}?`);
    assert.match(cut, /too long: its end was cut off/);
    assert.deepEqual(await graveFindings(page), []);
  });

  test("without a network the page goes on answering, and says so", async () => {
    await page.setOfflineMode(true);
    await page.waitForFunction(() => /You are offline/.test(document.querySelector("#loading-text").textContent));
    assert.match((await ask(page, "How tall is the tower?")).line, /38/);
    assert.deepEqual(await graveFindings(page), []);
    await page.setOfflineMode(false);
    await page.waitForFunction(() => /^Ready/.test(document.querySelector("#loading-text").textContent));
  });
});

test("a visit without a network says so, and goes on by itself when it is back", async () => {
  const { page } = await newPage(browser, { width: 360, height: 740 });
  await page.evaluateOnNewDocument(() => {
    globalThis.network = false;
    Object.defineProperty(Navigator.prototype, "onLine", { get: () => globalThis.network });
  });
  // Nobody listens there.
  await page.goto(`${server.address}?model=https://127.0.0.1:9/model/`);
  await page.waitForFunction(() => !document.querySelector("#problem").hidden);
  const problem = await shownProblem(page);
  assert.deepEqual([problem.title, problem.code], ["You are offline", "network"]);
  assert.deepEqual(await graveFindings(page), []);
  await page.evaluate(() => {
    globalThis.network = true;
    dispatchEvent(new Event("online"));
  });
  await page.waitForFunction(
    () => document.querySelector("#problem-title").textContent === "The model could not be fetched",
    {},
  );
  await page.close();
});

test("a GPU that is lost is said, with what runs now", async () => {
  const software = await chromium({ webgpu: true });
  try {
    const { page } = await newPage(software, { width: 360, height: 740 });
    await openReady(page, server.address, `?device=webgpu&${SMALL}`);
    await loseGpu(page);
    assert.notEqual((await ask(page, "How tall is the tower?")).state, "stopped");
    assert.match(await text(page, "#loading-text"), /The GPU was lost for a moment/);
    assert.match(await text(page, "#device-name"), /^WebGPU/);
    assert.match(await text(page, "#device-reason"), /The GPU was lost \(.+\); the model was reloaded on it/);
    await loseGpu(page);
    assert.notEqual((await ask(page, "Who built the lighthouse?")).state, "stopped");
    assert.match(await text(page, "#device-name"), /^CPU/);
    assert.match(await text(page, "#device-reason"), /the CPU took over/);
    assert.deepEqual(await graveFindings(page), []);
  } finally {
    await software.close();
  }
});

test("axe finds nothing serious, light and dark", async () => {
  for (const theme of ["light", "dark"]) {
    const { page } = await newPage(browser, { width: 360, height: 740, theme });
    await openReady(page, server.address);
    await ask(page, "When was the lighthouse first lit?");
    await paste(page, "#mood", "Not bad at all.");
    await page.waitForFunction(() => document.querySelector("#mood-timing").textContent !== "");
    await page.evaluate(axe);
    const passes = await page.evaluate(async () => (await globalThis.axe.run()).passes.length);
    assert.ok(passes > 15, "axe tested next to nothing");
    assert.deepEqual(await graveFindings(page), []);
    await page.close();
  }
});

test("a question asked before the model is there is answered when it is", async () => {
  const { page } = await newPage(browser);
  await page.goto(server.address, { waitUntil: "domcontentloaded" });
  await page.waitForFunction(() => document.querySelector("#samples button") !== null);
  await paste(page, "#question", "How tall is the tower?");
  await submit(page);
  assert.match(await text(page, "#answer-line"), /still loading/);
  assert.match((await answer(page)).line, /38/);
  await page.close();
});

test("a model that is not there is said with its code and a way on", async () => {
  const { page } = await newPage(browser);
  await page.goto(`${server.address}?model=./nothing-here/`);
  await page.waitForFunction(() => !document.querySelector("#problem").hidden);
  const problem = await shownProblem(page);
  assert.equal(problem.code, "not-found");
  assert.match(problem.text, /nothing-here/);
  assert.match(problem.advice, /pick another model/);
  assert.deepEqual(await graveFindings(page), []);
  assert.ok(await page.$eval("#choose", (element) => !element.hidden), "no way to choose another model");
  assert.match(await text(page, "#choose-text"), /nothing-here/, "a model beside the page is not denied");
  await page.close();
});

test("a device that is not there is said with its code", async () => {
  const { page } = await newPage(browser);
  await page.goto(`${server.address}?device=webgpu`);
  await page.waitForFunction(() => !document.querySelector("#problem").hidden);
  const problem = await shownProblem(page);
  assert.equal(problem.code, "unsupported");
  assert.match(problem.advice, /another device/);
  assert.deepEqual(await graveFindings(page), []);
  await page.close();
});

test("a software GPU is not taken for a GPU, and that is said", async () => {
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

test("on a static host under a prefix, without a model, files of one's own can be picked", async () => {
  // Whatever models the project itself ships, here there are none.
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
    // Other files take their place, and leave nothing of the model before behind.
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
