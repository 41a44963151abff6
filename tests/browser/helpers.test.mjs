import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { newPage } from "./support/browsers.mjs";
import { startCuttingHost } from "./support/cutting-host.mjs";
import { describeInEachBrowser } from "./support/each-browser.mjs";
import { findModels } from "./support/models.mjs";

const PREFIX = "/models/squad/";
let host;

before(async () => {
  host = await startCuttingHost((await findModels()).answers.folder, PREFIX);
});
after(() => host?.stop());

const names = (asked) => asked.map(({ name }) => name);

/** Long enough to be read by several workers. */
const filler = "Nothing of note was written down on that day, and the weather stayed as it was. ";
const context = `${filler.repeat(75)}The bridge was opened by the mayor, Ines Kolar. ${filler.repeat(60)}`;
const question = "Who opened the bridge?";

describeInEachBrowser("several workers", (browser) => {
  let page;
  let alone;

  /**
   * Asks in the page, with the given number of workers and the instructions of the first load, because others round
   * differently. `during` runs once, when a helper has had time to start.
   */
  async function ask(options, during = "") {
    return await page.evaluate(
      async (model, options, question, context, during) => {
        const { QuestionAnswering } = await import("/pkg/dist/index.js");
        const qa = await QuestionAnswering.load(model, { device: "wasm", ...options });
        const before = { ...qa.device };
        let hasHappened = false;
        const partials = [];
        const onPartial = ({ answers, windowsDone }) => {
          partials.push([windowsDone, answers[0].text]);
          if (hasHappened || during === "" || globalThis.workers.length < 2 || windowsDone < 12) return;
          hasHappened = true;
          new Function("workers", during)(globalThis.workers);
        };
        const { timing: _, ...result } = await qa.ask(question, context, { onPartial });
        const next = await qa.ask("Who is it?", "It is Ines Kolar.");
        const { wasmBytes } = await qa.memory();
        const device = { ...qa.device };
        await qa.dispose();
        const workers = globalThis.workers.splice(0);
        return { result, partials, before, device, wasmBytes, workers: workers.length, next: next.answers[0].text };
      },
      host.model,
      { simd: alone?.before.simd.set ?? "auto", ...options },
      question,
      context,
      during,
    );
  }

  /** Loads the model, and disposes of it. */
  async function load(options) {
    await page.evaluate(
      async (model, options) => {
        const { QuestionAnswering } = await import("/pkg/dist/index.js");
        const qa = await QuestionAnswering.load(model, { device: "wasm", ...options });
        await qa.dispose();
      },
      host.model,
      options,
    );
  }

  beforeEach(async () => {
    page = (await newPage(browser())).page;
    await page.evaluateOnNewDocument(() => {
      globalThis.workers = [];
      const Original = globalThis.Worker;
      globalThis.Worker = class extends Original {
        constructor(url, options) {
          super(globalThis.substitute?.(globalThis.workers.length) ?? url, options);
          globalThis.workers.push(this);
        }
      };
    });
    await page.goto(host.address);
    alone ??= await ask({ threads: 1 });
    host.asked = [];
  });

  test("give the answer of one worker bit for bit, and download nothing twice", async () => {
    assert.equal(alone.workers, 1);
    assert.ok(alone.result.answers[0].text.includes("Ines Kolar"), alone.result.answers[0].text);
    assert.equal(alone.device.threads, 1);
    assert.doesNotMatch(alone.device.reason, /isolated/);
    const two = await ask({ threads: 2 });
    assert.deepEqual(two.result, alone.result);
    assert.deepEqual(two.partials, alone.partials);
    assert.equal(two.workers, 2);
    assert.deepEqual([two.before.threads, two.device.threads], [2, 2]);
    assert.match(two.device.reason, /a short text is read on one core, because the page is not cross-origin isolated$/);
    assert.ok(two.wasmBytes > 1.5 * alone.wasmBytes, `${two.wasmBytes} bytes for two, ${alone.wasmBytes} for one`);
    assert.equal(two.next, "Ines Kolar");
    // All that one worker asks for when it loads the cached model.
    const asked = host.asked.splice(0);
    await load({ threads: 1 });
    assert.deepEqual(names(asked), names(host.asked));
  });

  test("start only for a call that takes long enough", async () => {
    const workers = await page.evaluate(async (model) => {
      const { QuestionAnswering } = await import("/pkg/dist/index.js");
      const qa = await QuestionAnswering.load(model, { device: "wasm", threads: 4 });
      for (let i = 0; i < 3; i++) await qa.ask("Who is it?", "It is Ines Kolar.");
      await qa.dispose();
      return globalThis.workers.length;
    }, host.model);
    assert.equal(workers, 1);
  });

  test("go on without one that never starts, and say so", async () => {
    await page.evaluate(() => {
      const silent = URL.createObjectURL(new Blob(["for (;;) ;"], { type: "text/javascript" }));
      globalThis.substitute = (index) => (index === 1 ? silent : undefined);
    });
    const asked = await ask({ threads: 2 });
    assert.deepEqual(asked.result, alone.result);
    assert.equal(asked.workers, 2);
    assert.equal(asked.device.threads, 1);
    assert.match(
      asked.device.reason,
      /1 of 2 workers: worker\.js could not be loaded from .*: no response within 2 s$/,
    );
    assert.equal(asked.next, "Ines Kolar");
  });

  test("go on without one that dies", async () => {
    // A browser that ends a worker for lack of memory says nothing either.
    const asked = await ask({ threads: 2 }, "workers[1].terminate()");
    assert.deepEqual(asked.result, alone.result);
    assert.equal(asked.device.threads, 1);
    assert.match(asked.device.reason, /1 of 2 workers: a worker has stopped responding$/);
    assert.equal(asked.next, "Ines Kolar");
  });

  test("are not started for a model that is not cached, because each would download it", async () => {
    const found = await page.evaluate(
      async (model, question, context) => {
        const { QuestionAnswering } = await import("/pkg/dist/index.js");
        const qa = await QuestionAnswering.load(model, { device: "wasm", threads: 2, cache: false });
        const stop = new AbortController();
        const onPartial = () => qa.device.reason.includes("not cached") && stop.abort();
        await qa.ask(question, context, { onPartial, signal: stop.signal }).catch(() => {});
        const { reason } = qa.device;
        await qa.dispose();
        return { reason, workers: globalThis.workers.length };
      },
      host.model,
      question,
      context,
    );
    assert.equal(found.workers, 1);
    assert.match(found.reason, /1 of 2 workers: the model's files are not cached/);
    assert.equal(host.asked.filter(({ name, method }) => name === "model.safetensors" && method === "GET").length, 1);
  });

  test("are as many as there are cores, at most four, unless the caller says otherwise", async () => {
    const limits = await page.evaluate(async (model) => {
      const { QuestionAnswering } = await import("/pkg/dist/index.js");
      const found = [];
      for (const [cores, options] of [
        [64, {}],
        [1, {}],
        [undefined, {}],
        [1, { threads: 3 }],
        [64, { threads: 1 }],
      ]) {
        Object.defineProperty(navigator, "hardwareConcurrency", { value: cores, configurable: true });
        const qa = await QuestionAnswering.load(model, { device: "wasm", ...options });
        found.push(qa.device.threads);
        await qa.dispose();
      }
      return found;
    }, host.model);
    assert.deepEqual(limits, [4, 1, 1, 3, 1]);
  });

  test("read on in a tab that is hidden", async () => {
    const other = await browser().newPage();
    await other.bringToFront();
    await page.waitForFunction(() => document.visibilityState === "hidden");
    const asked = await ask({ threads: 2 });
    await other.close();
    assert.deepEqual(asked.result, alone.result);
    assert.equal(asked.workers, 2);
    assert.deepEqual([asked.device.threads, asked.next], [2, "Ines Kolar"]);
  });

  test("end with an abort and with the model", async () => {
    const ended = await page.evaluate(
      async (model, question, context) => {
        const { QuestionAnswering } = await import("/pkg/dist/index.js");
        const qa = await QuestionAnswering.load(model, { device: "wasm", threads: 2 });
        const stop = new AbortController();
        const onPartial = ({ windowsDone }) => windowsDone >= 12 && stop.abort();
        const code = await qa.ask(question, context, { onPartial, signal: stop.signal }).catch((error) => error.code);
        const next = (await qa.ask("Who is it?", "It is Ines Kolar.")).answers[0].text;
        const last = qa.ask(question, context, { onPartial: ({ windowsDone }) => windowsDone >= 3 && qa.dispose() });
        return [code, next, await last.catch((error) => error.code), qa.device.reason];
      },
      host.model,
      question,
      context,
    );
    assert.deepEqual(ended.slice(0, 3), ["aborted", "Ines Kolar", "disposed"]);
    assert.doesNotMatch(ended[3], /worker/);
  });

  test("classify lists of texts as one worker does", async () => {
    const [one, two] = await page.evaluate(
      async (model, filler) => {
        const { Encoder } = await import("/pkg/dist/index.js");
        const texts = Array.from({ length: 30 }, (_, i) => filler.repeat(1 + (i % 13)));
        const vectors = [];
        for (const threads of [1, 2]) {
          const encoder = await Encoder.load(model, { device: "wasm", simd: "simd128", threads });
          vectors.push((await encoder.encode(texts, { pooling: "mean" })).map((vector) => Array.from(vector)));
          await encoder.dispose();
        }
        return [...vectors, globalThis.workers.length];
      },
      host.model,
      filler,
    );
    assert.equal(one.length, 30);
    assert.deepEqual(two, one);
  });
});
