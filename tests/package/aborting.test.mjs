import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { describeInEachBrowser } from "../browser/support/each-browser.mjs";
import { installedSite, openSite } from "./support/site.mjs";

let site;
before(async () => {
  site = await installedSite();
});
after(() => site?.remove());

/** Runs in a page: counts the workers that are started and not terminated. */
function countWorkers() {
  globalThis.running = new Set();
  globalThis.started = 0;
  globalThis.Worker = class extends Worker {
    constructor(...args) {
      super(...args);
      globalThis.started++;
      running.add(this);
    }
    terminate() {
      running.delete(this);
      super.terminate();
    }
  };
}

describeInEachBrowser("aborting", (browser) => {
  /** Runs `program` in a page with the package and a model's URL; returns its result. */
  async function inPage(program) {
    const { page, close } = await openSite(browser(), site.folders);
    await page.evaluate(countWorkers);
    await page.evaluate(async () => {
      globalThis.mobilebert = await import("/node_modules/mobilebert/dist/index.js");
      globalThis.model = "/models/answers/";
    });
    const result = await page.evaluate(program);
    await close();
    return result;
  }

  test("aborted loads and calls are AbortErrors with a code, whose cause is the signal's reason", async () => {
    const found = await inPage(async () => {
      const found = [];
      const note = (when, signal) => (error) => {
        const { name, code, cause } = error;
        const same = cause === signal.reason;
        found.push({ when, name, code, same, known: error instanceof mobilebert.MobileBertError });
      };
      for (const worker of [true, false]) {
        const { signal } = new AbortController();
        const before = AbortSignal.abort({ mine: true });
        await mobilebert.QuestionAnswering.load(model, { worker, signal: before }).catch(note("load", before));
        const during = new AbortController();
        const load = mobilebert.QuestionAnswering.load(model, {
          worker,
          signal: during.signal,
          onProgress: () => during.abort("enough"),
        });
        await load.catch(note("load", during.signal));
        const qa = await mobilebert.QuestionAnswering.load(model, { worker, signal });
        const stop = new AbortController();
        const long = "the cat and the dog. ".repeat(400);
        await qa
          .ask("who?", long, { signal: stop.signal, onPartial: () => stop.abort() })
          .catch(note("ask", stop.signal));
        const timeout = AbortSignal.timeout(1);
        await qa.ask("who?", long.repeat(4), { signal: timeout }).catch(note("timeout", timeout));
        await qa.dispose();
      }
      return found;
    });
    assert.equal(found.length, 8);
    for (const { when, name, code, same, known } of found) {
      assert.equal(name, when === "timeout" ? "TimeoutError" : "AbortError");
      assert.deepEqual({ code, same, known }, { code: "aborted", same: true, known: true }, when);
    }
  });

  test("effects that React's StrictMode runs twice leave one worker, and loads aborted at once leave none", async () => {
    const found = await inPage(async () => {
      const { QuestionAnswering } = mobilebert;
      // As in `useEffect`: load, and abort in the cleanup.
      const effect = () => {
        const controller = new AbortController();
        const load = QuestionAnswering.load(model, { signal: controller.signal, device: "wasm" });
        load.catch(() => {});
        return { load, cleanup: () => controller.abort() };
      };
      effect().cleanup();
      const { load } = effect();
      const qa = await load;
      const strict = { started, running: running.size };
      await qa.dispose();
      const loads = Array.from({ length: 20 }, () => {
        const { load, cleanup } = effect();
        cleanup();
        return load.catch(({ code }) => code);
      });
      const codes = await Promise.all(loads);
      return { strict, codes: [...new Set(codes)], running: running.size, started };
    });
    const strict = { started: 1, running: 1 };
    assert.deepEqual(found, { strict, codes: ["aborted"], running: 0, started: 1 });
  });

  test("loads that fail or are aborted later end their worker", async () => {
    const found = await inPage(async () => {
      const { QuestionAnswering, TextClassification } = mobilebert;
      const controller = new AbortController();
      const broken = () => {
        throw new Error("of the caller");
      };
      const loads = [
        QuestionAnswering.load("/models/nowhere/"),
        QuestionAnswering.load(model, { wasmUrl: "/nowhere.wasm" }),
        QuestionAnswering.load(model, { workerUrl: "/nowhere.js" }),
        TextClassification.load(model),
        QuestionAnswering.load(model, { onProgress: broken }),
        QuestionAnswering.load(model, { signal: controller.signal, onProgress: () => controller.abort() }),
      ];
      const ends = (await Promise.allSettled(loads)).map(({ reason }) => reason?.code ?? reason?.message);
      for (let i = 0; i < 100 && running.size > 0; i++) await new Promise((resolve) => setTimeout(resolve, 50));
      return { ends, started, running: running.size };
    });
    const ends = ["not-found", "not-found", "not-found", "unsupported", "of the caller", "aborted"];
    assert.deepEqual(found, { ends, started: 6, running: 0 });
  });

  test("a pipeline whose callback throws when it is ready ends its worker", async () => {
    const found = await inPage(async () => {
      const progress_callback = ({ status }) => {
        if (status === "ready") throw new Error("of the caller");
      };
      const load = mobilebert.pipeline("question-answering", model, { progress_callback });
      return [await load.catch(({ message }) => message), started, running.size];
    });
    assert.deepEqual(found, ["of the caller", 1, 0]);
  });

  test("`await using` ends the worker at the end of the block", async () => {
    const left = await inPage(async () => {
      if (!Symbol.asyncDispose) return 0;
      const qa = await mobilebert.QuestionAnswering.load(model);
      await qa[Symbol.asyncDispose]();
      const pipe = await mobilebert.pipeline("question-answering", model);
      await pipe[Symbol.asyncDispose]();
      return running.size;
    });
    assert.equal(left, 0);
  });

  test("models and pipelines have no member of a symbol that the browser lacks", async () => {
    const names = await inPage(async () => {
      const pipe = await mobilebert.pipeline("question-answering", model);
      const names = ["undefined" in pipe, "undefined" in mobilebert.QuestionAnswering.prototype];
      await pipe.dispose();
      return names;
    });
    assert.deepEqual(names, [false, false]);
  });
});
