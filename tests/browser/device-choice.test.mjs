import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { chromium } from "./support/browsers.mjs";
import { startServer } from "./support/server.mjs";
import { makeModels } from "./support/tiny-model.mjs";
import { assertRight, openWith, rewriteChoices, visit } from "./support/visits.mjs";

/** The model of the page. The generated one is a BERT, which has no chains. */
const MOBILEBERT = "mobilebert-squad";

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

const open = (fault) => openWith(browser, server.address, fault);

test("a GPU is measured on the first visit and remembered on the second, unless the record is of another version or damaged", async () => {
  const page = await open();
  const first = await visit(page, "webgpu");
  assert.equal(first.device.chosen.by, "measurement", JSON.stringify(first.device));
  assert.ok(first.device.chosen.lengths.length > 0);
  for (const { winner, chain, tiled } of first.device.chosen.lengths) {
    assert.ok(["chain", "tiled"].includes(winner));
    assert.ok(tiled > 0 && (chain === undefined || chain > 0));
  }
  assert.match(first.device.reason, /won a measurement on this device/);

  const second = await visit(page, "webgpu");
  assert.equal(second.device.chosen.by, "memory", JSON.stringify(second.device));
  assert.deepEqual(second.device.chosen.lengths, first.device.chosen.lengths);
  assert.match(second.device.reason, /remembered from an earlier visit/);
  await assertRight(page, second);

  for (const change of [
    (record) => record.replace(/^.*/, "0.0.1"),
    (record) => record.slice(0, 40),
    () => "<!doctype html>",
  ]) {
    assert.equal(await rewriteChoices(page, change), 1);
    const again = await visit(page, "webgpu");
    assert.equal(again.device.chosen.by, "measurement", String(change));
    assert.equal((await visit(page, "webgpu")).device.chosen.by, "memory");
  }

  await page.evaluate(() => globalThis.mobilebert.cache.clear());
  assert.equal((await visit(page, "webgpu")).device.chosen.by, "measurement");
  await page.close();
});

test("a real GPU is compared with the CPU, and a software adapter isn't even measured", async () => {
  const software = await open();
  const { device: unmeasured } = await visit(software, "auto");
  assert.deepEqual([unmeasured.kind, unmeasured.chosen.by], ["wasm", "rule"]);
  assert.match(unmeasured.reason, /computes in software; the CPU executor is faster/);
  await software.close();

  const page = await open("pretendHardware()");
  const { device } = await visit(page, "auto");
  assert.equal(device.chosen.by, "measurement", JSON.stringify(device));
  for (const { tiled, cpu } of device.chosen.lengths) assert.ok(tiled > 0 && cpu > 0);
  assert.match(device.reason, /the CPU/);

  // Had the GPU been faster, it would be used.
  await rewriteChoices(page, (record) => record.replaceAll(/^(\d+ \d+ \d+) \d+$/gm, "$1 9999999"));
  const fast = await visit(page, "auto");
  assert.deepEqual([fast.device.kind, fast.device.chosen.by], ["webgpu", "memory"]);
  await assertRight(page, fast);
  await page.close();
});

test("a schedule with wrong results is ruled out and named, and the next one is used", async () => {
  const page = await open('miscompile("chain")');
  const found = await visit(page, "webgpu", MOBILEBERT);
  const [ruledOut] = found.device.chosen.ruledOut;
  assert.equal(ruledOut?.candidate, "chain", JSON.stringify(found.device));
  assert.match(ruledOut.reason, /its results differ from the CPU's/);
  assert.match(found.device.reason, /one kernel per layer was ruled out: its results differ from the CPU's/);
  for (const { winner } of found.device.chosen.lengths) assert.equal(winner, "tiled");
  await assertRight(page, found, MOBILEBERT);
  // The proof isn't repeated.
  assert.deepEqual((await visit(page, "webgpu", MOBILEBERT)).device.chosen.ruledOut, [ruledOut]);
  await page.close();
});

test("a schedule that was asked for is compared with the CPU once, and not used where its results are wrong", async () => {
  const wrong = await open('miscompile("chain")');
  await assert.rejects(visit(wrong, "webgpu", MOBILEBERT, { schedule: "chain" }), (error) => {
    assert.match(error.message, /chain was ruled out: its results differ from the CPU's by/);
    assert.match(error.message, /choose the CPU instead/);
    return true;
  });
  const tiled = await visit(wrong, "webgpu", MOBILEBERT, { schedule: "tiled" });
  await assertRight(wrong, tiled, MOBILEBERT);
  await wrong.close();

  const auto = await open('pretendHardware(); miscompile("chain")');
  const found = await visit(auto, "auto", MOBILEBERT, { schedule: "chain" });
  assert.equal(found.device.kind, "wasm");
  assert.match(found.device.reason, /^a GPU was found, .*, but chain was ruled out: its results differ/);
  await assertRight(auto, found, MOBILEBERT);
  await auto.close();

  const right = await open();
  const first = await visit(right, "webgpu", MOBILEBERT, { schedule: "chain" });
  assert.deepEqual([first.device.kind, first.device.chosen.by], ["webgpu", "request"]);
  await assertRight(right, first, MOBILEBERT);
  await right.evaluate('miscompile("chain")');
  // Remembered: it isn't compared again.
  assert.equal((await visit(right, "webgpu", MOBILEBERT, { schedule: "chain" })).device.kind, "webgpu");
  await right.close();
});
