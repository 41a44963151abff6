import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { chromium, firefox, newPage } from "./support/browsers.mjs";
import { ask, openReady, paste } from "./support/index-page.mjs";
import { startStaticHost } from "./support/static-host.mjs";

const CPU = "?device=wasm";
const MARK = "/* the new version */";

/** Replaces the style sheet and, as a new build does, its hash in the service worker. */
async function deploy({ folder, instead }, { onlyWorker = false } = {}) {
  const [style, worker] = await Promise.all(["style.css", "sw.js"].map((name) => readFile(join(folder, name), "utf8")));
  const hash = (text) => createHash("sha256").update(text).digest("base64");
  const changed = style + MARK;
  assert.ok(worker.includes(hash(style)), "the service worker doesn't list the style sheet");
  instead["sw.js"] = worker.replace(hash(style), hash(changed)).replace('VERSION="', 'VERSION="new');
  if (!onlyWorker) instead["style.css"] = changed;
}

const stored = (page) => page.waitForFunction(() => document.documentElement.dataset.offline === "stored");
const offered = (page) => page.waitForFunction(() => !document.querySelector("#update").hidden);
const update = (page) => page.evaluate(() => document.querySelector("#update-act").click());
const style = (page) => page.evaluate(async () => (await fetch("style.css")).text());

for (const [name, launch] of [
  ["Chromium", () => chromium()],
  ["Firefox", firefox],
]) {
  describe(`offline in ${name}`, () => {
    let browser;
    let host;
    let page;
    let faults;
    before(async () => {
      browser = await launch();
    });
    after(() => browser?.close());
    beforeEach(async () => {
      host = await startStaticHost("/some/prefix/", {}, "/other/");
      ({ page, faults } = await newPage(browser));
      await openReady(page, host.address, CPU);
      await stored(page);
    });
    afterEach(async () => {
      for (const open of await browser.pages()) if (open.url().startsWith(host.address)) await open.close();
      await host.stop();
    });

    test("after one visit, the page opens without a network and answers", async () => {
      await host.stop();
      await openReady(page, host.address, CPU);
      assert.match((await ask(page, "How tall is the tower?")).line, /38/);
      await page.goto(`${host.address}bench.html`);
      await page.waitForFunction(() => document.documentElement.dataset.ready === "true");
    });

    test("the latency page's module is stored when it is first asked for", async () => {
      const path = "pkg/wasm/benchmark/mobilebert_bg.wasm";
      const isStored = () => page.evaluate(async (path) => Boolean(await caches.match(path)), path);
      const fetched = () => page.evaluate(async (path) => (await (await fetch(path)).arrayBuffer()).byteLength, path);
      await openReady(page, host.address, CPU);
      assert.equal(await isStored(), false);
      const bytes = await fetched();
      assert.equal(await isStored(), true);
      await host.stop();
      assert.equal(await fetched(), bytes);
    });

    test("the page is isolated, though the host doesn't send the headers", async () => {
      await openReady(page, host.address, CPU);
      assert.equal(await page.evaluate(() => crossOriginIsolated), true);
      assert.match((await ask(page, "How tall is the tower?")).line, /38/);
      assert.deepEqual(faults, []);
    });

    test("a visit neither waits long for the list of models nor fails with it", async () => {
      const list = () => page.evaluate(async () => (await fetch("models/models.json")).text());
      const before = await list();
      const unanswered = [];
      host.instead["models/models.json"] = (response) => unanswered.push(response);
      await openReady(page, host.address, CPU);
      assert.match((await ask(page, "How tall is the tower?")).line, /38/);
      assert.ok(unanswered.length > 0);
      host.instead["models/models.json"] = (response) => response.writeHead(503).end("busy");
      // The browser waits with other requests for the same file.
      for (const response of unanswered) response.destroy();
      assert.equal(await list(), before);
      if (name !== "Chromium") return;
      // A list that can't be stored is shown nevertheless.
      const session = await page.createCDPSession();
      const { origin } = new URL(host.address);
      await session.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: 1000 });
      host.instead["models/models.json"] = "[]";
      assert.equal(await list(), "[]");
    });

    test("a newer version is offered, replaces the whole old one, and what the user wrote is kept", async () => {
      await deploy(host);
      await openReady(page, host.address, CPU);
      await offered(page);
      assert.ok(!(await style(page)).includes(MARK), "a file of the new version was served to the old one");
      await paste(page, "#passage", "The key is kept by Ines, next to the door.");
      await paste(page, "#question", "Who keeps the key?");
      await paste(page, "#mood", "Not bad at all.");
      // As earlier versions named them.
      await page.evaluate(async () => {
        for (const [name, folder] of Object.entries({ here: "./", elsewhere: "/elsewhere/" })) {
          await (await caches.open(`mobilebert-page:${name}`)).put(`${folder}index.html`, new Response());
        }
      });
      await Promise.all([page.waitForNavigation(), update(page)]);
      await page.waitForFunction(() => document.querySelector("#passage").value !== "");
      const texts = await page.$$eval("#passage, #question, #mood", (fields) => fields.map(({ value }) => value));
      assert.deepEqual(texts, ["The key is kept by Ines, next to the door.", "Who keeps the key?", "Not bad at all."]);
      assert.ok((await style(page)).includes(MARK));
      const kept = await page.evaluate(() => caches.keys());
      const pages = kept.filter((cache) => cache.startsWith("mobilebert-page:"));
      assert.deepEqual(pages.map((cache) => cache.replace(/:new.*/, ":new")).toSorted(), [
        "mobilebert-page:/some/prefix/:new",
        "mobilebert-page:elsewhere",
      ]);
    });

    test("another copy of the page on the same origin stays stored, and gets no texts of this one", async () => {
      await deploy(host);
      await paste(page, "#passage", "The key is kept by Ines, next to the door.");
      await openReady(page, new URL("/other/", host.address).href, CPU);
      assert.match(await page.$eval("#passage", (field) => field.value), /^The lighthouse/);
      await stored(page);
      await host.stop();
      await openReady(page, host.address, CPU);
      assert.ok(!(await style(page)).includes(MARK));
    });

    test("a version that is only half there is not installed", async () => {
      await deploy(host, { onlyWorker: true });
      await openReady(page, host.address, CPU);
      await page.evaluate(async () => {
        const registration = await navigator.serviceWorker.ready;
        await registration.update().catch(() => {});
        const coming = registration.installing;
        while (coming && coming.state !== "redundant") await new Promise((resolve) => setTimeout(resolve, 50));
      });
      assert.equal(await page.$eval("#update", (notice) => notice.hidden), true);
      await openReady(page, host.address, CPU);
      assert.match((await ask(page, "How tall is the tower?")).line, /38/);
    });

    test("a newer version waits until other tabs with the page are closed", async () => {
      // On the same origin, but not of this site.
      const { page: stranger } = await newPage(browser);
      await stranger.goto(new URL("/", host.address).href);
      const { page: other } = await newPage(browser);
      await openReady(other, host.address, CPU);
      await deploy(host);
      await openReady(page, host.address, CPU);
      await offered(page);
      await update(page);
      await page.waitForFunction(() => /Close the other tab /.test(document.querySelector("#update-text").textContent));
      await other.close();
      await Promise.all([page.waitForNavigation(), update(page)]);
      assert.ok((await style(page)).includes(MARK));
      await stranger.close();
    });
  });
}

test("where nothing may be stored, the page works and doesn't promise to work offline", async () => {
  const browser = await chromium();
  const host = await startStaticHost("/");
  try {
    const { page, faults } = await newPage(browser);
    await page.evaluateOnNewDocument(() => {
      const denied = () => Promise.reject(new DOMException("denied", "SecurityError"));
      ServiceWorkerContainer.prototype.register = denied;
      // As in a sandboxed frame.
      for (const name of ["caches", "localStorage", "sessionStorage"]) {
        Object.defineProperty(globalThis, name, {
          get() {
            throw new DOMException("denied", "SecurityError");
          },
        });
      }
    });
    await openReady(page, host.address, CPU);
    await page.waitForFunction(() => document.documentElement.dataset.offline === "not stored");
    assert.equal(
      await page.$eval("#loading-text", (line) => line.textContent),
      "Ready. Until you close this page, it works without a network.",
    );
    assert.match((await ask(page, "How tall is the tower?")).line, /38/);
    assert.equal(
      await page.$eval("#offline", (promise) => promise.checkVisibility({ visibilityProperty: true })),
      false,
    );
    assert.deepEqual(faults, []);
  } finally {
    await browser.close();
    await host.stop();
  }
});
