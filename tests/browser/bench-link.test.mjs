import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { endOfBench, openBench, shownResult, startBench } from "./support/bench-page.mjs";
import { chromium, newPage } from "./support/browsers.mjs";
import { startServer } from "./support/server.mjs";

let server;
let browser;
let page;
let own;
before(async () => {
  server = await startServer();
  browser = await chromium();
  ({ page } = await newPage(browser, { width: 360, height: 740 }));
  await openBench(page, server.address, "?variant=tiny&sequence=8,16&runs=2&device=wasm");
  await startBench(page);
  own = await endOfBench(page);
  assert.equal(own.problem, null);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

/** Returns the fragment of a link to a result. */
async function fragmentOf(json) {
  const stream = new Blob([JSON.stringify(json)]).stream().pipeThrough(new CompressionStream("deflate-raw"));
  const bytes = Buffer.from(await new Response(stream).arrayBuffer());
  return `#result=${bytes.toString("base64url")}`;
}

/** Returns the own result with a change. */
function changed(change) {
  const copy = structuredClone(own.json);
  change(copy, copy.models[0], copy.models[0].warm[0]);
  return copy;
}

/** Opens a link in a new page. */
async function opened(json) {
  const { page, faults } = await newPage(browser, { width: 360, height: 740 });
  await page.goto(`${server.address}bench.html${await fragmentOf(json)}`);
  await page.waitForFunction(() => document.documentElement.dataset.ready === "true");
  return { page, faults, shown: await shownResult(page) };
}

test("going back from a shared link restores the form and the own result", async () => {
  const theirs = changed((_, model) => {
    model.title = "Their network";
  });
  await page.evaluate(
    (fragment) => {
      location.hash = fragment;
    },
    await fragmentOf(theirs),
  );
  await page.waitForFunction(() => /Their network/.test(document.querySelector("#warm").textContent));
  assert.equal(await page.$eval("#setup", (form) => form.checkVisibility()), false);
  await page.evaluate(() => history.back());
  await page.waitForFunction(() => document.querySelector("#shared").hidden);
  assert.equal(await page.$eval("#setup", (form) => form.checkVisibility()), true);
  assert.deepEqual((await shownResult(page)).json, own.json);
});

describe("a link with impossible figures is rejected", () => {
  const hostile = {
    "a huge time": (_, __, row) => {
      row.median_ms = 1e308;
    },
    "a negative time": (_, __, row) => {
      row.runs_ms[0] = -1;
    },
    "no tokens": (_, __, row) => {
      row.sequence = 0;
    },
    "half a token": (_, __, row) => {
      row.sequence = 8.5;
    },
    "no date": (result) => {
      result.made = 1e13;
    },
    "a battery fuller than full": (result) => {
      result.system.battery = { charging: true, level: 12 };
    },
    "a check that allows anything": (_, __, row) => {
      row.check = { right: true, difference: 1, allowed: 1e9 };
    },
    "no model": (result) => {
      result.models = [];
    },
  };
  for (const [name, change] of Object.entries(hostile)) {
    test(name, async () => {
      const { page, shown } = await opened(changed(change));
      assert.match(shown.shared, /can't be shown: result\./);
      assert.deepEqual(shown.networks, []);
      await page.close();
    });
  }
});

test("a check with a large difference is wrong, whatever the link says", async () => {
  const { page, shown } = await opened(
    changed((_, __, row) => {
      row.check = { right: true, difference: 0.5, allowed: 0.001 };
    }),
  );
  assert.equal(shown.checks[0], "wrong");
  await page.close();
});

test("neither long names nor zeros break the charts", async () => {
  const { page, faults } = await opened(
    changed((_, model) => {
      model.title = "W".repeat(500);
      for (const row of model.warm) Object.assign(row, { median_ms: 0, p90_ms: 0, min_ms: 0, runs_ms: [0, 0] });
      const points = [0, 1].map((second) => ({ second, runs: 1, median_ms: 0 }));
      model.sustained = { sequence: 8, seconds: 0, check: null, points };
    }),
  );
  const seen = await page.evaluate(() => ({
    wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    notNumbers: /NaN|Infinity/.test(document.querySelector("#results").innerHTML),
  }));
  assert.deepEqual(seen, { wide: 0, notNumbers: false });
  assert.deepEqual(faults, []);
  await page.close();
});

test("unsupported lengths are reported, instead of “Done.” if nothing else was requested", async () => {
  const status = async (query) => {
    await openBench(page, server.address, query);
    await startBench(page);
    await endOfBench(page);
    return await page.$eval("#status", (element) => element.textContent);
  };
  const refused = "MobileBERT-TINY supports up to 512 tokens, so 100000 was not measured.";
  assert.equal(await status("?variant=tiny&sequence=100000&runs=1&device=wasm"), refused);
  assert.equal(await status("?variant=tiny&sequence=8,100000&runs=1&device=wasm"), `Done. ${refused}`);
});
