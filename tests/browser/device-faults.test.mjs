import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { chromium } from "./support/browsers.mjs";
import { startServer } from "./support/server.mjs";
import { assertRight, openWith, rewriteChoices, visit } from "./support/visits.mjs";

/** The model of the page, whose weights are packed. */
const MODEL = "mobilebert-squad";

let server;
let browser;
before(async () => {
  server = await startServer();
  browser = await chromium({ webgpu: true });
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

for (const schedule of ["chain", "tiled"]) {
  test(`after a GPU has hung in \`${schedule}\`, the model is loaded again and the call succeeds`, async () => {
    const page = await openWith(browser, server.address);
    const found = await visit(page, "webgpu", MODEL, { schedule }, "hang()");
    assert.equal(found.device.kind, "webgpu");
    assert.match(found.device.reason, /the GPU was lost \(it did not finish within \d+ seconds\)/);
    await assertRight(page, found, MODEL);
    await page.close();
  });

  test(`a GPU that is lost while \`${schedule}\` runs is used again`, async () => {
    const page = await openWith(browser, server.address);
    const found = await visit(page, "webgpu", MODEL, { schedule }, "lose()");
    assert.equal(found.device.kind, "webgpu");
    assert.match(found.device.reason, /the GPU was lost/);
    await assertRight(page, found, MODEL);
    await page.close();
  });
}

test("a schedule that hangs in the measurement is ruled out, and the next one runs on a new device", async () => {
  const page = await openWith(browser, server.address, "hang()");
  const found = await visit(page, "webgpu", MODEL);
  assert.deepEqual(
    found.device.chosen.ruledOut.map(({ candidate }) => candidate),
    ["chain"],
  );
  assert.match(found.device.reason, /one kernel per layer was ruled out: the GPU was lost: it did not finish/);
  await assertRight(page, found, MODEL);
  await page.close();
});

test("a GPU that doesn't even report errors is given up, too", async () => {
  const page = await openWith(browser, server.address, "hang(GPUDevice, 'popErrorScope')");
  const found = await visit(page, "webgpu", MODEL, { schedule: "tiled" });
  assert.match(found.device.reason, /the GPU was lost \(it did not finish within \d+ seconds\)/);
  await assertRight(page, found, MODEL);
  await page.close();
});

test("without memory for the packed weights, the CPU takes over, unless the GPU was asked for", async () => {
  const page = await openWith(browser, server.address, "pretendHardware()");
  await visit(page, "auto", MODEL);
  // As if the GPU had been faster.
  await rewriteChoices(page, (record) => record.replaceAll(/^(\d+ \d+ \d+) \d+$/gm, "$1 9999999"));
  assert.equal((await visit(page, "auto", MODEL)).device.kind, "webgpu");
  await page.evaluate(() => globalThis.fill("weights of chain 3"));
  const found = await visit(page, "auto", MODEL);
  assert.equal(found.device.kind, "wasm");
  assert.match(found.device.reason, /the GPU's memory is too small \(out of memory: .+\); the CPU took over/);
  await assertRight(page, found, MODEL);
  const failed = visit(page, "webgpu", MODEL, { schedule: "chain" });
  await assert.rejects(failed, /out of memory/);
  await page.close();
});
