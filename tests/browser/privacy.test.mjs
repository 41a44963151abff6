import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { describeEachState, watchedBrowsers } from "./support/each-state.mjs";
import { ask, openReady, paste } from "./support/index-page.mjs";
import { answers, others } from "./support/states.mjs";

const browsers = watchedBrowsers();

describeEachState(others, { browsers });

describe("a request elsewhere is detected", () => {
  const ELSEWHERE = "https://elsewhere.example/";

  test("by the page", async () => {
    const { page, elsewhere, close } = await browsers.open();
    await answers.answer.enter(page, browsers.where());
    await page.evaluate((url) => fetch(url).catch(() => {}), `${ELSEWHERE}page`);
    assert.deepEqual(elsewhere(), [`${ELSEWHERE}page`, "elsewhere.example:443"]);
    await close();
  });

  test("by one of its workers", async () => {
    const { page, elsewhere, close } = await browsers.open();
    await answers.answer.enter(page, browsers.where());
    await page.workers()[0].evaluate((url) => fetch(url).catch(() => {}), `${ELSEWHERE}worker`);
    assert.ok(elsewhere().includes("elsewhere.example:443"), String(elsewhere()));
    await close();
  });

  test("by navigation", async () => {
    const { page, elsewhere, close } = await browsers.open();
    await page.goto("http://elsewhere.example/").catch(() => {});
    assert.deepEqual(elsewhere(), ["http://elsewhere.example/", "http://elsewhere.example/"]);
    await close();
  });
});

test("once the models are loaded there are no requests at all", async () => {
  const { page, faults, seen, elsewhere, close } = await browsers.open();
  await openReady(page, browsers.where().address);
  const afterLoad = seen.length;
  await ask(page, "Who built the lighthouse?");
  await page.evaluate(() => document.querySelectorAll("#samples button")[3].click());
  await ask(page, "With what did Olsen mend the boat?");
  await paste(page, "#mood", "I would watch it again tomorrow.");
  await page.waitForFunction(() => document.querySelector("#mood-timing").textContent !== "");
  assert.deepEqual(seen.slice(afterLoad), []);
  assert.deepEqual(elsewhere(), []);
  assert.deepEqual(faults, []);
  await close();
});

test("the page works under the security headers of the server", async () => {
  const { address } = browsers.where();
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
