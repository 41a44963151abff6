import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { chromium, newPage } from "./support/browsers.mjs";
import { describeInEachBrowser } from "./support/each-browser.mjs";
import { findModels } from "./support/models.mjs";
import { startServer } from "./support/server.mjs";

let servers;
let model;
before(async () => {
  model = `/models/${(await findModels()).answers.name}/`;
  servers = { isolated: await startServer(), plain: await startServer([], ["--no-isolation"]) };
});
after(() => Promise.all(Object.values(servers ?? {}).map((server) => server.stop())));

const text = "The bridge was opened by the mayor, Ines Kolar. Nothing else was written down on that day. ".repeat(12);
const question = "Who opened the bridge?";

describeInEachBrowser("workers that share a run", (browser) => {
  let page;
  let alone;

  /**
   * Asks until helpers share the runs, or `calls` times; `during`, a death or a failure of a helper, happens before two more questions. Returns all answers, and
   * how many runs were shared. All loads use the instructions that the first one chose, because others round differently.
   */
  async function ask(options, { calls = 60, during = "" } = {}) {
    return await page.evaluate(
      async (model, options, question, text, calls, during) => {
        const { QuestionAnswering } = await import("/pkg/dist/index.js");
        const qa = await QuestionAnswering.load(model, { device: "wasm", ...options });
        const before = { ...qa.device };
        const answers = [];
        const once = async () => answers.push(JSON.stringify((await qa.ask(question, text)).answers));
        if (during === "failure") {
          globalThis.changed = (data) => {
            if (data.call?.name !== "takePart") return data;
            const [inputs, batch, memory] = data.call.args;
            return { ...data, call: { ...data.call, args: [inputs.slice(0, 1), batch, memory] } };
          };
        }
        // A failure from the first part on: later, the trial may have given up sharing as too slow here.
        const enough = during === "" ? 8 : 1;
        for (let i = 0; i < calls && globalThis.shared.length < enough; i++) await once();
        const shared = globalThis.shared.splice(0).length;
        if (during === "death") {
          // Between two runs: a worker that dies during one is missed only after `timeouts.stop`.
          while (globalThis.asked.size > 0) await new Promise((resolve) => setTimeout(resolve));
          globalThis.workers[1].terminate();
        }
        if (during !== "") for (let i = 0; i < 8; i++) await once();
        const device = { ...qa.device };
        await qa.dispose();
        const workers = globalThis.workers.splice(0).length;
        return { answers: [...new Set(answers)], shared, before, device, workers };
      },
      model,
      { simd: alone?.before.simd.set ?? "auto", ...options },
      question,
      text,
      calls,
      during,
    );
  }

  async function open(server) {
    page = (await newPage(browser())).page;
    await page.evaluateOnNewDocument(() => {
      globalThis.workers = [];
      /** The lengths of time that shared runs took part in, as the helpers' messages show. */
      globalThis.shared = [];
      /** The calls that helpers haven't answered yet. */
      globalThis.asked = new Set();
      const Original = globalThis.Worker;
      globalThis.Worker = class extends Original {
        constructor(url, options) {
          super(url, options);
          globalThis.workers.push(this);
        }
        postMessage(message, transfer) {
          // Ports to helpers are wrapped, to see what is sent to them.
          if (message.kind === "helper") {
            const { port1, port2 } = new MessageChannel();
            const { port, helper: number } = message;
            port.onmessage = ({ data }) => {
              if (data.kind === "result" || data.kind === "error") globalThis.asked.delete(`${number} ${data.id}`);
              port1.postMessage(data);
            };
            port1.onmessage = ({ data }) => {
              if (data.kind === "call") globalThis.asked.add(`${number} ${data.id}`);
              if (data.call?.name === "takePart") globalThis.shared.push(data.call.args[1]);
              port.postMessage(globalThis.changed?.(data) ?? data);
            };
            super.postMessage({ ...message, port: port2 }, [port2]);
          } else {
            super.postMessage(message, transfer ?? []);
          }
        }
      };
    });
    await page.goto(`${server.address}style.css`);
  }

  beforeEach(async () => {
    await open(servers.isolated);
    alone ??= await ask({ threads: 1 }, { calls: 2 });
    assert.equal(alone.answers.length, 1);
    assert.match(alone.answers[0], /Ines Kolar/);
  });

  test("give the answer of one, bit for bit, once short texts have taken long enough", async () => {
    const { answers, shared, before, device, workers } = await ask({ threads: 3 });
    assert.ok(shared > 0, "no run was shared");
    assert.deepEqual(answers, alone.answers);
    assert.deepEqual([before.threads, device.threads, workers], [3, 3, 3]);
    assert.doesNotMatch(device.reason, /worker|isolated/);
  });

  test("go on without one that dies", async () => {
    const { answers, shared, device } = await ask({ threads: 2 }, { during: "death" });
    assert.ok(shared > 0, "no run was shared");
    assert.deepEqual(answers, alone.answers);
    assert.equal(device.threads, 1);
    assert.match(device.reason, /1 of 2 workers: a worker has stopped responding/);
  });

  test("go on without one whose part fails", async () => {
    const { answers, device } = await ask({ threads: 2 }, { during: "failure" });
    assert.deepEqual(answers, alone.answers);
    assert.equal(device.threads, 1);
    assert.match(device.reason, /1 of 2 workers: /);
  });

  test("are not used on a page that is not isolated, and the reason says so", async () => {
    await open(servers.plain);
    assert.equal(await page.evaluate(() => globalThis.crossOriginIsolated), false);
    const { answers, shared, device, workers } = await ask({ threads: 2 }, { calls: 25 });
    assert.deepEqual([answers, shared, workers], [alone.answers, 0, 1]);
    assert.match(device.reason, /because the page is not cross-origin isolated$/);
  });
});

test("workers compute alone where the browser refuses memory to share, and say so", async () => {
  const browser = await chromium();
  const { page } = await newPage(browser);
  await page.goto(`${servers.isolated.address}style.css`);
  page.on("workercreated", (worker) =>
    worker.evaluate(() => {
      globalThis.SharedArrayBuffer = () => {
        throw new RangeError("refused");
      };
    }),
  );
  const { answers, device } = await page.evaluate(
    async (model, question, text) => {
      const { QuestionAnswering } = await import("/pkg/dist/index.js");
      const qa = await QuestionAnswering.load(model, { device: "wasm", threads: 2 });
      const answers = new Set();
      for (let i = 0; i < 40 && !/refused/.test(qa.device.reason); i++) {
        answers.add((await qa.ask(question, text)).answers[0].text);
      }
      return { answers: [...answers], device: qa.device };
    },
    model,
    question,
    text,
  );
  assert.equal(answers.length, 1);
  assert.match(device.reason, /the browser refused memory that workers share/);
  await browser.close();
});
