/** The latency page's words about a result: operator sets, schedules, heat, and a comparison with a pasted result. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Random } from "../../pkg/test/random.mjs";
import { endOfBench, openBench, startBench } from "./support/bench-page.mjs";
import { chromium, newPage } from "./support/browsers.mjs";
import { text } from "./support/elements.mjs";
import { press } from "./support/index-page.mjs";
import { startServer } from "./support/server.mjs";

let server;
let browser;
before(async () => {
  server = await startServer();
  browser = await chromium();
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

const cells = (page, table) =>
  page.$$eval(`${table} tbody tr`, (rows) => rows.map((row) => [...row.cells].map((cell) => cell.textContent)));

async function measured(query) {
  const { page, faults } = await newPage(browser, { width: 360, height: 740 });
  await openBench(page, server.address, query);
  await startBench(page);
  return { page, faults, result: await endOfBench(page) };
}

/** Opens a result as a link. */
async function opened(json) {
  const stream = new Blob([JSON.stringify(json)]).stream().pipeThrough(new CompressionStream("deflate-raw"));
  const packed = Buffer.from(await new Response(stream).arrayBuffer()).toString("base64url");
  const { page, faults } = await newPage(browser, { width: 360, height: 740 });
  await page.goto(`${server.address}bench.html#result=${packed}`);
  await page.waitForFunction(() => document.documentElement.dataset.ready === "true");
  return { page, faults };
}

describe("with two networks measured", () => {
  let page;
  let json;
  before(async () => {
    let result;
    ({ page, result } = await measured("?variant=tiny,no-norm-gelu&sequence=8,16&runs=2&device=wasm"));
    json = result.json;
  });
  after(() => page?.close());

  /** Pastes a text and compares. */
  async function compare(pasted) {
    await page.evaluate((pasted) => {
      document.querySelector("#compare-part").open = true;
      document.querySelector("#compare-text").textContent = "";
      document.querySelector("#compare-with").value = pasted;
      document.querySelector("#compare-form").requestSubmit();
    }, pasted);
    await page.waitForFunction(() => document.querySelector("#compare-text").textContent !== "");
    return {
      words: await text(page, "#compare-text"),
      shown: await page.$eval("#compare-region", (region) => !region.hidden),
    };
  }

  test("a pasted result is compared row by row", async () => {
    const other = structuredClone(json);
    other.system.browser = "Netscape 4";
    for (const row of other.models[0].warm) row.median_ms *= 2;
    for (const row of other.models[1].warm) row.median_ms /= 4;
    other.models[1].warm[1].check = { right: false, difference: 1, allowed: 0.001 };
    const { words, shown } = await compare(JSON.stringify(other, undefined, 1));
    assert.ok(shown);
    assert.match(words, /^This one: CPU · WebAssembly · 1 thread · Chrom.*The pasted one: .*Netscape 4/);
    assert.deepEqual(
      (await cells(page, "#compare")).map(([name, , , verdict]) => [name, verdict]),
      [
        ["MobileBERT-TINY, 8", "2.0× as fast"],
        ["MobileBERT-TINY, 16", "2.0× as fast"],
        ["NoNorm and gelu, 8", "4.0× as slow"],
        ["NoNorm and gelu, 16", "wrong"],
      ],
    );
  });

  test("a pasted link works, too", async () => {
    await press(page, "#copy-link");
    await page.waitForFunction(() => document.querySelector("#link").value !== "");
    const { shown } = await compare(await page.$eval("#link", (field) => field.value));
    assert.ok(shown);
    assert.equal((await cells(page, "#compare"))[0][3], "the same");
  });

  const bad = {
    nothing: ["", /^Paste a result first/],
    "half of it": [() => JSON.stringify(json).slice(0, 500), /^This isn't JSON, or only a part of it/],
    "other words": ["162 ms", /^This isn't JSON/],
    "another version": [
      () => JSON.stringify({ ...json, format: 2 }),
      /^This result has format 2, from another version; this page reads format 1\.$/,
    ],
    "a forged time": [
      () =>
        JSON.stringify({
          ...json,
          models: [{ ...json.models[0], warm: [{ ...json.models[0].warm[0], median_ms: -1 }] }],
        }),
      /^This isn't a result that this page can read: result\.models\[0\]\.warm\[0\]\.median_ms: -1 is not a number/,
    ],
    "a list": ["[]", /^This isn't a result that this page can read/],
    null: ["null", /^This isn't a result that this page can read/],
    "a void one": [
      () => JSON.stringify({ ...json, void: "the tab was hidden" }),
      /^That result is void: the tab was hidden\.$/,
    ],
    "one of other networks": [
      () => JSON.stringify({ ...json, models: json.models.map((model) => ({ ...model, name: "other" })) }),
      /^The two results have no network and length in common\.$/,
    ],
    "a broken link": [
      "https://example.org/bench.html#result=7VtZ",
      /^This isn't a result that this page can read: the link is incomplete/,
    ],
  };
  for (const [name, [pasted, words]] of Object.entries(bad)) {
    test(`pasting ${name} gives words`, async () => {
      const found = await compare(typeof pasted === "function" ? pasted() : pasted);
      assert.match(found.words, words);
      assert.ok(!found.shown);
    });
  }

  test("any change to the JSON gives a comparison or words", async () => {
    const random = new Random(5);
    const below = (count) => Math.floor(count * random.next());
    const whole = JSON.stringify(json);
    for (let i = 0; i < 100; i++) {
      const at = below(whole.length);
      const { words } = await compare(whole.slice(0, at) + '{}[]",:0e-9<'[below(12)] + whole.slice(at + below(3)));
      assert.match(words, /^(This|That|The two)/);
    }
  });
});

test("the paper's operator sets are chosen at a tap, and compared with the paper", async () => {
  const { page } = await newPage(browser, { width: 360, height: 740 });
  await openBench(page, server.address, "?variant=tiny&sequence=16&runs=2&device=wasm");
  await page.click("#choose-operators");
  const checked = (name) => page.$$eval(`#${name} input:checked`, (boxes) => boxes.map(({ value }) => value));
  assert.deepEqual(await checked("models"), ["mobilebert", "no-norm-gelu", "layer-norm-relu", "without-opt"]);
  assert.deepEqual(await checked("sequences"), ["128"]);
  await startBench(page);
  const { json, checks } = await endOfBench(page);
  assert.deepEqual(checks, ["ok", "ok", "ok", "ok"]);
  const rows = await cells(page, "#operators");
  assert.deepEqual(
    rows.map(([name, , , paper, ratio]) => [name, paper, ratio]),
    [
      ["NoNorm, relu", "62", "1.0×"],
      ["NoNorm, gelu", "92", "1.5×"],
      ["LayerNorm, relu", "167", "2.7×"],
      ["LayerNorm, gelu", "192", "3.1×"],
    ],
  );
  const medians = json.models.map(({ warm }) => warm[0].median_ms);
  assert.deepEqual(
    rows.map(([, , ratio]) => ratio),
    medians.map((median) => `${(median / medians[0]).toFixed(1)}×`),
  );
  assert.match(await text(page, "#operators-text"), /on the paper's Pixel 4, 3\.1 times\.$/);
  await page.close();
});

test("all schedules of the engine are compared, and told apart", async () => {
  const { page, result } = await measured("?variant=tiny&sequence=64,128&runs=2&device=wasm&schedule=all");
  const schedules = result.json.models.map(({ schedule }) => schedule);
  assert.ok(schedules.length > 1 && new Set(schedules).size === schedules.length, String(schedules));
  assert.ok(schedules.includes("operations"));
  assert.ok(result.checks.every((check) => check === "ok"));
  const legend = await page.$$eval("#legend li", (items) => items.map(({ textContent }) => textContent));
  assert.deepEqual(
    legend,
    schedules.map((schedule) => `MobileBERT-TINY, schedule ${schedule}`),
  );
  assert.match(await text(page, "#warm"), /schedule operations; /);
  await page.close();
});

test("a kernel faster than a measured limit has a share of more than all of it", async () => {
  const { page: measuring, result } = await measured("?variant=tiny&sequence=8&runs=1&device=wasm&profile");
  await measuring.close();
  const { json } = result;
  const [profile] = json.models[0].profiles;
  const shares = [1.234, 0.995, 0.004];
  profile.kernels = shares.map((share) => ({
    ...profile.kernels[0],
    share: Math.min(1, share),
    of_limit: { limit: "bandwidth", share },
  }));
  const { page } = await opened(json);
  const rows = (await cells(page, "#profile")).slice(-shares.length);
  assert.deepEqual(
    rows.map(([, , , share, , , limit]) => [share, limit]),
    [
      ["100 %", "123 % of bandwidth"],
      ["100 %", "100 % of bandwidth"],
      ["0.4 %", "0.4 % of bandwidth"],
    ],
  );
  await page.close();
});

describe("a sustained run says what heat did", () => {
  let base;
  before(async () => {
    const { page, result } = await measured("?variant=tiny&sequence=8&mode=sustained&minutes=0.01&device=wasm");
    base = result.json;
    assert.match(await text(page, "#sustained-text"), /less than a minute doesn't show how heat affects it/);
    await page.close();
  });

  /** The words for a run of ten minutes with these medians. */
  async function words(medians) {
    const json = structuredClone(base);
    const points = medians.map((median_ms, index) => ({
      second: (600 * (index + 0.5)) / medians.length,
      runs: 10,
      median_ms,
    }));
    json.models[0].sustained = { ...json.models[0].sustained, seconds: 600, points };
    const { page } = await opened(json);
    const said = await text(page, "#sustained-text");
    await page.close();
    return said;
  }

  const steady = Array.from({ length: 20 }, () => 50);
  const cases = {
    "nothing, if it stayed as fast": [
      steady,
      /50 ms at first, 50 ms at the end\. It stayed as fast for 10 minutes: heat didn't slow it down\./,
    ],
    "a little, if it became a little slower": [
      [...steady.slice(10), ...steady.slice(10).map((ms) => 1.3 * ms)],
      /From 5 minutes on, it was slower, and 30 % slower at the end\. Warm devices do that/,
    ],
    "a lot, if it became much slower": [
      [...steady.slice(15), ...Array.from({ length: 15 }, () => 100)],
      /and 2\.0 times as slow at the end\. The device probably limits itself because it is hot/,
    ],
    "nothing, if it became faster": [
      [...steady.slice(10), ...steady.slice(10).map((ms) => ms / 2)],
      /It became faster/,
    ],
  };
  for (const [name, [medians, expected]] of Object.entries(cases)) {
    test(name, async () => assert.match(await words(medians), expected));
  }
});
