import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { cpus } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import Ajv from "ajv/dist/2020.js";
import { endOfBench, openBench, startBench } from "./support/bench-page.mjs";
import { chromium, firefox, newPage } from "./support/browsers.mjs";
import { startServer } from "./support/server.mjs";

const SHORT = "?variant=tiny&sequence=64&runs=2&device=wasm";

let servers;
let browser;
let isResult;
before(async () => {
  const schema = JSON.parse(await readFile(join(import.meta.dirname, "../../docs/bench-result.schema.json"), "utf8"));
  isResult = new Ajv({ allErrors: true, allowUnionTypes: true }).compile(schema);
  servers = { isolated: await startServer(), plain: await startServer([], ["--no-isolation"]) };
  browser = await chromium();
});
after(async () => {
  await browser?.close();
  for (const server of Object.values(servers ?? {})) await server.stop();
});

/** Measures in a new page. */
async function measured(query, from = browser) {
  const { page, faults } = await newPage(from, { width: 360, height: 780 });
  await openBench(page, servers.isolated.address, query);
  await startBench(page);
  const result = await endOfBench(page);
  const ways = await page.$$eval("#warm tbody .of span", (spans) => spans.map((span) => span.textContent));
  const said = await page.$eval("#status", (status) => status.textContent);
  return { page, faults, result, ways, said };
}

describe("a measurement with one thread and with two", () => {
  for (const [name, start] of Object.entries({ Chromium: async () => browser, Firefox: firefox })) {
    test(`has a correct row of each, side by side, in ${name}`, async () => {
      const from = await start();
      const { page, faults, result, ways } = await measured(`${SHORT}&threads=1,2`, from);
      assert.equal(result.problem, null);
      assert.deepEqual(result.checks, ["ok", "ok"]);
      assert.deepEqual(
        ways.map((way) => way.split(";")[0]),
        ["1 thread", "2 threads"],
      );
      assert.deepEqual(
        result.json.models.map(({ threads }) => threads),
        [1, 2],
      );
      assert.ok(isResult(result.json), JSON.stringify(isResult.errors));
      assert.equal(result.system[0], "CPU · WebAssembly · 1 or 2 threads");
      assert.deepEqual(faults, []);
      await page.close();
      if (from !== browser) await from.close();
    });
  }
});

test("two threads compute the same results as one, and really share the run", async () => {
  const { page } = await newPage(browser);
  await openBench(page, servers.isolated.address);
  const compared = await page.evaluate(async () => {
    const { Benchmark } = await import("./pkg/dist/bench.js");
    const variants = await (await fetch("bench/variants.json")).json();
    const source = { config: JSON.stringify(variants.find(({ name }) => name === "tiny").config), seed: 1 };
    const { variants: stored } = await (await fetch("bench/logits.json")).json();
    const expected = { logits: stored.tiny[64], allowed: 0.001 };
    const posted = [];
    const post = Worker.prototype.postMessage;
    Worker.prototype.postMessage = function (message, ...rest) {
      posted.push(message.kind);
      post.call(this, message, ...rest);
    };
    const differences = [];
    for (const threads of [1, 2, 3]) {
      const benchmark = await Benchmark.start(source, { device: "wasm", simd: "simd128", threads });
      differences.push([benchmark.started.threads, (await benchmark.run(64, expected)).check.difference]);
      benchmark.dispose();
    }
    return { differences, parts: posted.filter((kind) => kind === "runPart").length };
  });
  const [[one, difference]] = compared.differences;
  assert.equal(one, 1);
  assert.deepEqual(compared, {
    differences: [
      [1, difference],
      [2, difference],
      [3, difference],
    ],
    parts: 5,
  });
  await page.close();
});

test("a schedule whose runs can't be shared is named, and not measured as if it were", async () => {
  const { page, result, said } = await measured(`${SHORT}&threads=2&schedule=chain`);
  assert.equal(result.json?.models.length ?? 0, 0);
  assert.match(said, /Threads can't share a run of MobileBERT-TINY with schedule chain/);
  await page.close();
});

test("a page that isn't isolated offers one thread, and says why", async () => {
  const { page } = await newPage(browser);
  await openBench(page, servers.plain.address, "?threads=2");
  const offered = await page.$$eval('[name="threads"]', (boxes) => boxes.map(({ value, checked }) => [value, checked]));
  assert.deepEqual(offered, [["1", true]]);
  assert.match(await page.$eval("#threads-hint", (hint) => hint.textContent), /isn't cross-origin isolated/);
  const error = await page.evaluate(async () => {
    const { Benchmark } = await import("./pkg/dist/bench.js");
    return await Benchmark.start({ config: "{}", seed: 1 }, { threads: 2 }).catch(({ code, message }) => [
      code,
      message,
    ]);
  });
  assert.deepEqual(error[0], "unsupported");
  assert.match(error[1], /cross-origin isolated/);
  await page.close();
});

test("such a page offers more threads after a reload", { skip: cpus().length < 2 && "there is one core" }, async () => {
  const context = await browser.createBrowserContext();
  const { page } = await newPage(context);
  await openBench(page, servers.plain.address);
  await page.evaluate(() => navigator.serviceWorker.ready);
  await openBench(page, servers.plain.address);
  const offered = await page.$$eval('[name="threads"]', (boxes) => boxes.map(({ value }) => value));
  assert.deepEqual(offered.slice(0, 2), ["1", "2"]);
  await context.close();
});

test("without a number of threads nothing is measured, and the page says what is missing", async () => {
  const { page } = await newPage(browser);
  await openBench(page, servers.isolated.address, SHORT);
  await page.$eval('[name="threads"]:checked', (box) => box.click());
  await startBench(page);
  const said = () => page.$eval("#status", (status) => status.textContent);
  assert.match(await said(), /one number of threads/);
  await page.close();
});
