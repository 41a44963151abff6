import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { chromium, newPage } from "./support/browsers.mjs";
import { startServer } from "./support/server.mjs";
import { makeModels } from "./support/tiny-model.mjs";

let made;
let server;
let browser;
let page;
before(async () => {
  made = await makeModels({ answers: {} });
  server = await startServer(Object.values(made.folders));
  browser = await chromium({ webgpu: true });
  ({ page } = await newPage(browser));
  await page.goto(`${server.address}style.css`);
  await page.evaluate(async () => {
    const count = { buffers: 0, destroyed: 0, bindGroups: 0, pipelines: 0 };
    globalThis.count = count;
    /** Counts the calls of a WebGPU method. */
    const counted = (type, method, name) => {
      const original = type.prototype[method];
      type.prototype[method] = function (...given) {
        count[name]++;
        return original.apply(this, given);
      };
    };
    counted(GPUDevice, "createBuffer", "buffers");
    counted(GPUBuffer, "destroy", "destroyed");
    counted(GPUDevice, "createBindGroup", "bindGroups");
    counted(GPUDevice, "createComputePipeline", "pipelines");
    counted(GPUDevice, "createComputePipelineAsync", "pipelines");
    globalThis.mobilebert = await import("/pkg/dist/index.js");
    /** Asks repeatedly with two alternating lengths; returns memory usage after the tenth and the last answer. */
    globalThis.soak = async (device, answers) => {
      const { QuestionAnswering } = globalThis.mobilebert;
      const model = await QuestionAnswering.load("/models/answers/", { device, worker: false });
      const usage = async () => ({ ...(await model.memory()), ...count });
      let tenth;
      for (let i = 1; i <= answers; i++) {
        const context = i % 2 === 0 ? "it is the end of the day." : "it is the end. ".repeat(4);
        await model.ask("what is it?", context);
        if (i === 10) tenth = await usage();
      }
      const last = await usage();
      await model.dispose();
      return { kind: model.device.kind, tenth, last, disposed: { ...count } };
    };
  });
});
after(async () => {
  await browser?.close();
  await server?.stop();
  await made?.remove();
});

for (const device of ["wasm", "webgpu"]) {
  test(`memory, buffers and bind groups don't grow between the tenth and the 500th answer (${device})`, async () => {
    const { kind, tenth, last, disposed } = await page.evaluate((device) => globalThis.soak(device, 500), device);
    assert.equal(kind, device);
    assert.deepEqual(last, tenth);
    if (device === "wasm") return;
    assert.ok(tenth.gpuBuffers > 10 && tenth.bindGroups > 10, `nothing was counted: ${JSON.stringify(tenth)}`);
    assert.equal(
      tenth.buffers - tenth.destroyed,
      tenth.gpuBuffers,
      "the module and the browser count different numbers of buffers",
    );
    assert.equal(disposed.buffers, disposed.destroyed, "dispose left buffers behind");
  });
}

test("loading and disposing of models leaks no buffers, and no memory beyond that of two models", async () => {
  const rounds = await page.evaluate(async () => {
    const rounds = [];
    for (let i = 0; i < 6; i++) {
      const { last, disposed } = await globalThis.soak("webgpu", 10);
      rounds.push({ wasm: last.wasmBytes, left: disposed.buffers - disposed.destroyed });
    }
    return rounds;
  });
  for (const { wasm, left } of rounds) {
    assert.equal(left, 0);
    assert.equal(wasm, rounds[1].wasm);
  }
});
