import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import Ajv from "ajv/dist/2020.js";
import { endOfBench, openBench, shownResult, startBench } from "./support/bench-page.mjs";
import { chromium, firefox, newPage } from "./support/browsers.mjs";
import { press } from "./support/index-page.mjs";
import { findModels } from "./support/models.mjs";
import { startServer } from "./support/server.mjs";

/** The smallest measurement with a row. */
const SHORT = "?variant=tiny&sequence=64&runs=2";

let server;
let browser;
let isResult;
before(async () => {
  const schema = JSON.parse(await readFile(join(import.meta.dirname, "../../docs/bench-result.schema.json"), "utf8"));
  isResult = new Ajv({ allErrors: true, allowUnionTypes: true }).compile(schema);
  server = await startServer();
  browser = await chromium();
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

/** Measures in a new page; `prepare` gets the page before it is opened. */
async function measured(query, { from = browser, width = 1280, theme = "light", prepare = async () => {} } = {}) {
  const { page, faults } = await newPage(from, { width, height: 900, theme });
  await prepare(page);
  await openBench(page, server.address, query);
  await startBench(page);
  return { page, faults, result: await endOfBench(page) };
}

/** Returns the schema's errors. */
function faultsOf(json) {
  isResult(json);
  return (isResult.errors ?? []).map(({ instancePath, message, params }) =>
    [instancePath, message, JSON.stringify(params)].join(" "),
  );
}

describe("a measurement on the CPU", () => {
  let page;
  let faults;
  let result;
  const requests = [];
  before(async () => {
    ({ page, faults, result } = await measured("?variant=tiny&sequence=64,128&runs=3&device=wasm", {
      width: 360,
      prepare: async (page) => page.on("request", (request) => requests.push(request.url())),
    }));
  });
  after(() => page?.close());

  test("fills one row per length, with its runs and its check against the stored logits", () => {
    assert.equal(result.problem, null);
    assert.deepEqual(result.networks, ["MobileBERT-TINY"]);
    assert.deepEqual(result.tokens, ["64", "128"]);
    assert.deepEqual(result.checks, ["ok", "ok"]);
    assert.equal(result.sparks, 2);
    assert.equal(result.plotted, 1);
    assert.deepEqual(result.paper, ["–", "40"]);
    const [small, large] = result.json.models[0].warm;
    for (const row of [small, large]) {
      const [least, middle, most] = row.runs_ms.toSorted((a, b) => a - b);
      assert.ok(least > 0, JSON.stringify(row));
      assert.deepEqual([row.min_ms, row.median_ms, row.p90_ms], [least, middle, most]);
    }
    assert.deepEqual([small.runs_ms.length, large.runs_ms.length], [3, 3]);
    assert.ok(small.dispatches > 100);
  });

  test("shows the parts of the cold start", () => {
    assert.deepEqual(result.cold, ["Module", "Generate", "Upload", "Compile", "First run", "Total"]);
    const { cold } = result.json.models[0];
    const parts = [cold.module_ms, cold.generate_ms, cold.upload_ms, cold.compile_ms, cold.first_ms];
    assert.ok(parts.every((part) => part >= 0));
    assert.ok(Math.abs(parts.reduce((sum, part) => sum + part) - cold.total_ms) < 1, JSON.stringify(cold));
    assert.deepEqual([cold.download_ms, cold.verify_ms], [null, null]);
  });

  test("produces the documented JSON", () => {
    assert.deepEqual(faultsOf(result.json), []);
    assert.ok(faultsOf({ ...result.json, format: 2, extra: 0 }).length >= 2, "the schema finds nothing");
    assert.match(result.json.tool.version, /^\d+\.\d+\.\d+$/);
    assert.equal(result.json.void, null);
  });

  test("shows the device and the browser", () => {
    assert.match(result.system[0], /^CPU/);
    assert.match(result.json.system.browser, /Chrom/);
  });

  test("only requests the page's own files, and logs no errors", () => {
    assert.deepEqual(
      requests.filter((url) => !url.startsWith(server.address)),
      [],
    );
    assert.ok(requests.length > 10, `only ${requests.length} requests were seen`);
    assert.deepEqual(faults, []);
  });

  test("announces every row and the end", async () => {
    assert.equal(await page.$eval("#status", (element) => element.textContent), "Done.");
    assert.equal(await page.$eval("#status", (element) => element.getAttribute("aria-live")), "polite");
  });

  test("fits a narrow phone, with large enough touch targets", async () => {
    const layout = await page.evaluate(() => {
      const small = [];
      for (const element of document.querySelectorAll("button, summary, .choice, input[readonly], footer a, .back a")) {
        const { width, height } = element.getBoundingClientRect();
        const inText = element.closest("footer") !== null;
        if (width > 0 && !inText && (height < 44 || width < 44))
          small.push(`${element.textContent}: ${width}×${height}`);
      }
      const table = document.querySelector("#warm");
      const scrolls = table.scrollWidth - table.parentElement.clientWidth;
      return { small, wide: document.documentElement.scrollWidth - document.documentElement.clientWidth, scrolls };
    });
    assert.deepEqual(layout, { small: [], wide: 0, scrolls: 0 });
  });

  test("can be shared as a link, which is shown as someone else's result", async () => {
    await press(page, "#copy-link");
    await page.waitForFunction(() => document.querySelector("#link").value !== "");
    const link = await page.$eval("#link", (field) => field.value);
    assert.ok(link.startsWith(`${server.address}bench.html#result=`), link.slice(0, 80));
    const sent = [];
    const { page: other, faults } = await newPage(browser);
    other.on("request", (request) => sent.push(request.url()));
    await other.goto(link);
    await other.waitForFunction(() => document.documentElement.dataset.ready === "true");
    const shown = await shownResult(other);
    assert.match(shown.shared, /not from this device/);
    const cut = await other.$eval("#warm", (table) => table.scrollWidth > table.parentElement.clientWidth);
    assert.ok(!cut, "the table is cut off");
    assert.deepEqual(shown.json, result.json);
    assert.deepEqual([shown.medians, shown.checks, shown.cold], [result.medians, result.checks, result.cold]);
    assert.equal(await other.$eval("#setup", (element) => element.checkVisibility()), false);
    assert.ok(
      sent.every((url) => !url.includes("#") || url === link),
      "the fragment was sent",
    );
    assert.deepEqual(faults, []);
    await other.close();
  });

  test("is rejected if the link is incomplete or contains something else", async () => {
    await press(page, "#copy-link");
    const link = await page.$eval("#link", (field) => field.value);
    const { page: other } = await newPage(browser);
    const status = async (address) => {
      await other.goto("about:blank");
      await other.goto(address);
      await other.waitForFunction(() => document.documentElement.dataset.ready === "true");
      const { shared, networks } = await shownResult(other);
      assert.deepEqual(networks, []);
      return shared;
    };
    assert.match(await status(link.slice(0, -40)), /incomplete or damaged/);
    const html = { ...result.json, models: [{ ...result.json.models[0], title: 7 }] };
    const packed = await other.evaluate(async (json) => {
      const stream = new Blob([JSON.stringify(json)]).stream().pipeThrough(new CompressionStream("deflate-raw"));
      const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
      return btoa(String.fromCharCode(...bytes))
        .replaceAll("+", "-")
        .replaceAll("/", "_")
        .replaceAll("=", "");
    }, html);
    assert.match(await status(`${server.address}bench.html#result=${packed}`), /title: 7 is not a short string/);
    await other.close();
  });
});

test("on WebGPU the results are correct, too, and a software adapter is identified", async () => {
  const software = await chromium({ webgpu: true });
  try {
    const { result, faults } = await measured(`${SHORT}&device=webgpu`, { from: software });
    assert.equal(result.problem, null);
    assert.deepEqual(result.checks, ["ok"]);
    assert.equal(result.json.models[0].device.kind, "webgpu");
    assert.match(result.system[0], /^WebGPU · .*software/);
    assert.deepEqual(faultsOf(result.json), []);
    assert.deepEqual(faults, []);
  } finally {
    await software.close();
  }
});

test("in Firefox the results are correct and the link works, too", async () => {
  const fox = await firefox();
  try {
    const { page, result, faults } = await measured(`${SHORT}&device=wasm`, { from: fox });
    assert.deepEqual(result.checks, ["ok"]);
    assert.deepEqual(faultsOf(result.json), []);
    assert.match(result.json.system.browser, /Firefox/);
    await press(page, "#copy-link");
    await page.waitForFunction(() => document.querySelector("#link").value !== "");
    const link = await page.$eval("#link", (field) => field.value);
    await page.goto("about:blank");
    await page.goto(link);
    await page.waitForFunction(() => document.documentElement.dataset.ready === "true");
    assert.deepEqual((await shownResult(page)).json, result.json);
    assert.deepEqual(faults, []);
  } finally {
    await fox.close();
  }
});

test("with `profile` the GPU times every kernel, and the table is part of the link", async () => {
  const gpu = await chromium({ webgpu: true });
  try {
    const { page, faults, result } = await measured(`${SHORT}&device=webgpu&profile`, { from: gpu });
    assert.equal(result.problem, null);
    assert.deepEqual(faultsOf(result.json), []);
    const [{ warm, limits, profiles }] = result.json.models;
    const [profile] = profiles;
    assert.equal(profile.clock, "timestamps");
    assert.equal(warm[0].parts.clock, "timestamps");
    assert.ok(limits.copy_gb_s > 0 && limits.multiply_add_gflop_s > 0, JSON.stringify(limits));
    assert.ok(limits.byte_dot_gop_s > 0, JSON.stringify(limits));
    const sum = (field) => profile.kernels.reduce((total, kernel) => total + kernel[field], 0);
    assert.equal(sum("dispatches"), warm[0].dispatches);
    assert.ok(Math.abs(sum("ms") - profile.total_ms) < 1e-6 * profile.total_ms);
    assert.ok(Math.abs(sum("share") - 1) < 1e-9);
    const rows = (target) =>
      target.$$eval('#profile tbody th[scope="row"]', (cells) => cells.map((cell) => cell.textContent));
    assert.deepEqual(
      await rows(page),
      profile.kernels.map(({ kernel }) => kernel),
    );
    await press(page, "#copy-link");
    await page.waitForFunction(() => document.querySelector("#link").value !== "");
    const other = await newPage(gpu);
    await other.page.goto(await page.$eval("#link", (field) => field.value));
    await other.page.waitForFunction(() => !document.querySelector("#profile-part").hidden);
    assert.deepEqual(await rows(other.page), await rows(page));
    assert.deepEqual([...faults, ...other.faults], []);
  } finally {
    await gpu.close();
  }
});

test("with `profile` and without a GPU the CPU's kernels are timed", async () => {
  const { result } = await measured(`${SHORT}&device=wasm&profile`);
  assert.deepEqual(faultsOf(result.json), []);
  const [{ warm, limits, profiles }] = result.json.models;
  assert.deepEqual([warm[0].parts, limits, profiles[0].clock], [null, null, "cpu"]);
  assert.ok(profiles[0].kernels[0].ms > 0);
});

test("a single different logit is shown as wrong", async () => {
  // In the page rather than with request interception, which would also affect the workers' requests.
  const prepare = (page) =>
    page.evaluateOnNewDocument(() => {
      const kept = window.fetch;
      window.fetch = async (path, ...rest) => {
        const response = await kept(path, ...rest);
        if (!String(path).endsWith("bench/logits.json")) return response;
        const stored = await response.json();
        stored.variants.tiny[64].start_logits.values[5] += 0.01;
        return Response.json(stored);
      };
    });
  const { page, result } = await measured(`${SHORT}&device=wasm`, { prepare });
  assert.deepEqual(result.checks, ["wrong"]);
  assert.equal(result.json.models[0].warm[0].check.right, false);
  await page.close();
});

test("a model's own weights are downloaded, and its results aren't checked", async () => {
  const { sentiment } = await findModels();
  const { page, result } = await measured(`?model=${sentiment.name}&sequence=16&runs=2&device=wasm`);
  assert.equal(result.problem, null);
  assert.deepEqual(result.networks, [sentiment.name]);
  assert.ok(result.cold.includes("Download") && !result.cold.includes("Generate"), String(result.cold));
  assert.deepEqual(result.checks, ["–"]);
  assert.equal(result.json.models[0].warm[0].check, null);
  assert.deepEqual(faultsOf(result.json), []);
  await page.close();
});

describe("a running measurement", () => {
  const LONG = "?variant=tiny&sequence=64,128&runs=1000&device=wasm";

  /** Starts a measurement and waits for the first runs. */
  async function startLong() {
    const { page } = await newPage(browser);
    await openBench(page, server.address, LONG);
    await startBench(page);
    await page.waitForFunction(() => /run \d+ of/.test(document.querySelector("#doing").textContent));
    return page;
  }

  test("stops and is void if the tab is hidden", async () => {
    const page = await startLong();
    await page.evaluate(() => {
      Object.defineProperty(document, "hidden", { value: true, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    });
    const result = await endOfBench(page);
    assert.match(result.void, /Void: the tab was hidden/);
    assert.match(result.json.void, /hidden/);
    assert.deepEqual(faultsOf(result.json), []);
    await page.close();
  });

  test("ends with Stop, and can be started again", async () => {
    const page = await startLong();
    assert.equal(await page.evaluate(() => document.activeElement.id), "stop");
    await page.keyboard.press("Enter");
    const result = await endOfBench(page);
    assert.equal(result.problem, null);
    assert.equal(result.void, null);
    assert.match(await page.$eval("#status", (element) => element.textContent), /Stopped/);
    await startBench(page);
    await page.waitForFunction(() => /run \d+ of/.test(document.querySelector("#doing").textContent));
    await page.close();
  });

  test("plots latency over time in sustained mode", async () => {
    const { page, result } = await measured("?variant=tiny&sequence=64&mode=sustained&minutes=0.05&device=wasm");
    const { warm, sustained } = result.json.models[0];
    assert.deepEqual(warm, []);
    assert.ok(sustained.points.length > 0 && sustained.seconds >= 3, JSON.stringify(sustained));
    assert.equal(sustained.check.right, true);
    assert.deepEqual(faultsOf(result.json), []);
    assert.equal(await page.$eval("#sustained-plot .series", (line) => line.tagName), "g");
    await page.close();
  });
});

test("an unavailable device is reported with its code, and the page still works", async () => {
  const { page, result } = await measured(`${SHORT}&device=webgpu`);
  assert.match(result.problem, /unsupported/);
  await page.evaluate(() => document.querySelector("#devices-wasm").click());
  await startBench(page);
  assert.deepEqual((await endOfBench(page)).checks, ["ok"]);
  await page.close();
});

test("axe finds nothing serious in light and dark mode", async () => {
  const axe = await readFile(join(import.meta.dirname, "node_modules/axe-core/axe.min.js"), "utf8");
  for (const theme of ["light", "dark"]) {
    const { page } = await measured("?variant=tiny&sequence=8,16&runs=1&device=wasm", { width: 360, theme });
    await page.evaluate(axe);
    const { violations, passes } = await page.evaluate(() => globalThis.axe.run());
    const grave = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
    const shown = grave.map(({ id, nodes }) => `${theme}: ${id}: ${nodes.map(({ html }) => html).join(" ")}`);
    assert.deepEqual(shown, []);
    assert.ok(passes.length > 15, "axe checked almost nothing");
    await page.close();
  }
});
