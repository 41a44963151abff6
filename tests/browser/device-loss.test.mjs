import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { chromium, newPage } from "./support/browsers.mjs";
import { loseGpuInNextRun } from "./support/losing.mjs";
import { startServer } from "./support/server.mjs";
import { makeModels } from "./support/tiny-model.mjs";

let made;
let server;
let browser;
before(async () => {
  made = await makeModels({ answers: {} });
  server = await startServer(Object.values(made.folders));
  browser = await chromium({ webgpu: true });
});
after(async () => {
  await browser?.close();
  await server?.stop();
  await made?.remove();
});

/** Opens a page with a model on the GPU, in a worker or in the page itself. */
async function open(worker) {
  const { page } = await newPage(browser);
  await page.goto(`${server.address}style.css`);
  await page.evaluate(async (worker) => {
    globalThis.mobilebert = await import("/pkg/dist/index.js");
    const { QuestionAnswering } = globalThis.mobilebert;
    globalThis.model = await QuestionAnswering.load("/models/answers/", { device: "webgpu", worker });
    globalThis.expected = await globalThis.model.ask("what is it?", "it is the end of the day.");
    /** Asks again; returns whether the answer is the same as the first time, or the error, and the device. */
    globalThis.again = async () => {
      const { device } = globalThis.model;
      try {
        const { answers } = await globalThis.model.ask("what is it?", "it is the end of the day.");
        const [first] = globalThis.expected.answers;
        const same = answers[0].text === first.text && Math.abs(answers[0].score - first.score) < 1e-3;
        return { same, before: device, device: globalThis.model.device };
      } catch (error) {
        return { code: error.code, message: error.message, detail: error.detail, device: globalThis.model.device };
      }
    };
  }, worker);
  const owner = worker ? page.workers()[0] : page;
  const loseInTheNextRun = () => owner.evaluate(loseGpuInNextRun);
  return { page, owner, loseInTheNextRun, again: () => page.evaluate(() => globalThis.again()) };
}

for (const worker of [true, false]) {
  test(`after a GPU loss during a call the GPU is used again once, then the CPU takes over (worker: ${worker})`, async () => {
    const { page, loseInTheNextRun, again } = await open(worker);
    await loseInTheNextRun();
    const rebuilt = await again();
    assert.equal(rebuilt.same, true, JSON.stringify(rebuilt));
    assert.equal(rebuilt.before.kind, "webgpu");
    assert.equal(rebuilt.device.kind, "webgpu");
    assert.match(rebuilt.device.reason, /the GPU was lost \(.+\); the model was reloaded on it/);
    assert.equal((await again()).same, true);

    await loseInTheNextRun();
    const onCpu = await again();
    assert.equal(onCpu.same, true, JSON.stringify(onCpu));
    assert.equal(onCpu.device.kind, "wasm");
    assert.match(onCpu.device.reason, /the GPU was lost \(.+; then: .+\); the CPU took over/);
    const last = await again();
    assert.deepEqual([last.same, last.device.kind], [true, "wasm"]);
    await page.close();
  });
}

test("after a GPU loss between two calls the next call uses the GPU again", async () => {
  const { page, owner, again } = await open(true);
  await owner.evaluate(() => {
    const original = GPUDevice.prototype.createBindGroup;
    GPUDevice.prototype.createBindGroup = function (...given) {
      globalThis.device = this;
      return original.apply(this, given);
    };
  });
  // A different length creates a new plan, which reveals the device.
  await page.evaluate(() => globalThis.model.ask("what is it?", `it is ${"the end of ".repeat(3)}the day.`));
  await owner.evaluate(async () => {
    globalThis.device.destroy();
    await globalThis.device.lost;
  });
  const rebuilt = await again();
  assert.deepEqual([rebuilt.same, rebuilt.device.kind], [true, "webgpu"], JSON.stringify(rebuilt));
  await page.close();
});

test("if the files can't be read again the call fails with `device-lost`, and succeeds once they can", async () => {
  const { page, loseInTheNextRun, again } = await open(false);
  await page.evaluate(() => globalThis.mobilebert.cache.clear());
  await loseInTheNextRun();
  await page.setOfflineMode(true);
  const lost = await again();
  assert.equal(lost.code, "device-lost", JSON.stringify(lost));
  assert.match(lost.message, /could not be loaded again: .*could not fetch/);
  assert.ok(lost.detail.reason.length > 0);
  await page.setOfflineMode(false);
  assert.equal((await again()).same, true);
  await page.close();
});

test("two pages survive a crash of the browser's GPU process", async () => {
  const pages = [await open(true), await open(true)];
  const session = await browser.target().createCDPSession();
  await session.send("Browser.crashGpuProcess");
  for (const { page, again } of pages) {
    const survived = await again();
    assert.equal(survived.same, true, JSON.stringify(survived));
    assert.match(survived.device.reason, /the GPU was lost/);
    await page.close();
  }
});
