import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { chromium, newPage } from "./support/browsers.mjs";
import { ask, openReady, paste } from "./support/index-page.mjs";
import { startStates } from "./support/state-models.mjs";
import { states } from "./support/states.mjs";
import { startRefusingProxy, throughProxy, watch } from "./support/witness.mjs";

let served;
let proxy;
const browsers = {};
before(async () => {
  served = await startStates({ tiny: true, networks: "?variant=tiny&sequence=8,16,32&runs=2&device=wasm" });
  proxy = await startRefusingProxy();
  const flags = throughProxy(proxy, served.where.address);
  browsers.plain = await chromium({ flags });
  browsers.gpu = await chromium({ webgpu: true, flags });
});
after(async () => {
  for (const browser of Object.values(browsers)) await browser.close();
  proxy?.stop();
  await served?.stop();
});

/** Brings a new page into a state; returns its requests. */
async function enter({ gpu, chosen, enter }) {
  const context = await (gpu ? browsers.gpu : browsers.plain).createBrowserContext();
  const { page } = await newPage(context);
  const { seen, elsewhere } = watch(page, proxy, served.where.address, chosen);
  try {
    await enter(page, served.where);
    return { seen, elsewhere: elsewhere() };
  } finally {
    await context.close();
  }
}

describe("all requests go to the page's own origin or the chosen model", () => {
  for (const [name, state] of Object.entries(states)) {
    test(name, async () => {
      const { seen, elsewhere } = await enter(state);
      assert.deepEqual(elsewhere, []);
      assert.ok(
        seen.some((url) => url.endsWith("/main.js")),
        "the page's own script was not requested: this test detects nothing",
      );
      if (state.chosen)
        assert.ok(
          seen.some((url) => url.startsWith(state.chosen)),
          "the chosen model was not requested",
        );
    });
  }
});

describe("a request elsewhere is detected", () => {
  const ELSEWHERE = "https://elsewhere.example/";

  test("by the page", async () => {
    const { elsewhere } = await enter({
      async enter(page, where) {
        await states.answer.enter(page, where);
        await page.evaluate((url) => fetch(url).catch(() => {}), `${ELSEWHERE}page`);
      },
    });
    assert.deepEqual(elsewhere, [`${ELSEWHERE}page`, "elsewhere.example:443"]);
  });

  test("by one of its workers", async () => {
    const { elsewhere } = await enter({
      async enter(page, where) {
        await states.answer.enter(page, where);
        await page.workers()[0].evaluate((url) => fetch(url).catch(() => {}), `${ELSEWHERE}worker`);
      },
    });
    assert.ok(elsewhere.includes("elsewhere.example:443"), String(elsewhere));
  });

  test("by navigation", async () => {
    const { elsewhere } = await enter({ enter: (page) => page.goto("http://elsewhere.example/").catch(() => {}) });
    assert.deepEqual(elsewhere, ["http://elsewhere.example/", "http://elsewhere.example/"]);
  });
});

test("once the models are loaded there are no requests at all", async () => {
  const { page, faults } = await newPage(browsers.plain);
  const { seen, elsewhere } = watch(page, proxy, served.where.address);
  await openReady(page, served.where.address);
  const afterLoad = seen.length;
  await ask(page, "Who built the lighthouse?");
  await page.evaluate(() => document.querySelectorAll("#samples button")[3].click());
  await ask(page, "With what did Olsen mend the boat?");
  await paste(page, "#mood", "I would watch it again tomorrow.");
  await page.waitForFunction(() => document.querySelector("#mood-timing").textContent !== "");
  assert.deepEqual(seen.slice(afterLoad), []);
  assert.deepEqual(elsewhere(), []);
  assert.deepEqual(faults, []);
});

test("the page works under the security headers of the server", async () => {
  const { address } = served.where;
  const response = await fetch(address);
  const policy = response.headers.get("content-security-policy");
  assert.match(policy, /default-src 'self'; script-src 'self' 'wasm-unsafe-eval'/);
  assert.doesNotMatch(policy, /'unsafe-eval'|'unsafe-inline'|blob:/);
  assert.equal(response.headers.get("x-content-type-options"), "nosniff");
  assert.equal(response.headers.get("cross-origin-opener-policy"), "same-origin");
  assert.equal(response.headers.get("cross-origin-embedder-policy"), "require-corp");
  const types = {
    "pkg/wasm/mobilebert_bg.wasm": "application/wasm",
    "app/main.js": "text/javascript",
    "style.css": "text/css",
  };
  for (const [path, type] of Object.entries(types)) {
    const { headers } = await fetch(address + path, { method: "HEAD" });
    assert.ok(headers.get("content-type").startsWith(type), `${path}: ${headers.get("content-type")}`);
  }
});
