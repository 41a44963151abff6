import assert from "node:assert/strict";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { chromium, newPage } from "./support/browsers.mjs";
import { startServer } from "./support/server.mjs";
import { makeModels } from "./support/tiny-model.mjs";

/** Size in bytes of the largest tensor of the model below: 1024 x 256 floats. */
const LARGEST_TENSOR = 4 * 1024 * 256;
let made;
let server;
let browser;
let page;
let bytes;
before(async () => {
  made = await makeModels({ large: { hidden: 256, layers: 12, intermediate: 1024 } });
  bytes = (await stat(join(made.folders.large, "model.safetensors"))).size;
  server = await startServer(Object.values(made.folders));
  browser = await chromium({ webgpu: true });
  ({ page } = await newPage(browser));
  await page.goto(`${server.address}style.css`);
  await page.evaluate(async () => {
    const { QuestionAnswering } = await import("/pkg/dist/index.js");
    /** Runs in a new worker with its own memory, which never shrinks, so its size is the peak. */
    globalThis.score = async (device, dtype) => {
      const model = await QuestionAnswering.load("/models/large/", { device, ...(dtype && { dtype }) });
      const { wasmBytes } = await model.memory();
      const { answers } = await model.ask("what is it?", "it is the end of the day.");
      await model.dispose();
      return { wasmBytes, score: answers[0].score, text: answers[0].text };
    };
  });
});
after(async () => {
  await browser?.close();
  await server?.stop();
  await made?.remove();
});

const score = (device, dtype) => page.evaluate((device, dtype) => globalThis.score(device, dtype), device, dtype);

test("a model is quantized during loading, with equal results on both devices, and its file is never in wasm memory as a whole", async () => {
  const exact = await score("wasm");
  for (const [dtype, share] of [
    ["f16", 1 / 2],
    ["q8", 1 / 4],
    ["q4", 1 / 7],
  ]) {
    const gpu = await score("webgpu", dtype);
    const cpu = await score("wasm", dtype);
    assert.ok(Math.abs(gpu.score - cpu.score) < 1e-3, `${dtype}: ${gpu.score} and ${cpu.score}`);
    assert.notEqual(cpu.score, exact.score, `${dtype}: nothing was converted`);
    // The parameters are on the GPU, so the module's memory only holds what passes through it.
    assert.ok(gpu.wasmBytes < bytes / 2, `${dtype}: ${gpu.wasmBytes} of ${bytes} bytes`);
    // On the CPU it also holds the parameters, in their bits. Conversion adds one tensor, not a second model.
    const expected = gpu.wasmBytes + bytes * share;
    assert.ok(cpu.wasmBytes < expected + 3 * LARGEST_TENSOR, `${dtype}: ${cpu.wasmBytes}, not ${expected}`);
  }
});

test("an unknown dtype is rejected by name", async () => {
  const refused = await page.evaluate(() =>
    globalThis.score("wasm", "q2").catch(({ code, message }) => [code, message]),
  );
  assert.equal(refused[0], "invalid-input");
  assert.match(refused[1], /q2.*f32, f16, q8, q4/);
});
