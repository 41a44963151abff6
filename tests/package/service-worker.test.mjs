import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { describeInEachBrowser } from "../browser/support/each-browser.mjs";
import { packageFolder } from "./support/install.mjs";
import { installedSite, openSite } from "./support/site.mjs";

let site;
before(async () => {
  site = await installedSite();
});
after(() => site?.remove());

/** Runs in a page: registers a service worker and sends it one message; returns the reply. */
async function askServiceWorker({ script, type, options }) {
  const registration = await navigator.serviceWorker.register(script, { type });
  const worker = registration.installing ?? registration.active;
  if (worker.state !== "activated") {
    await new Promise((resolve) => {
      worker.onstatechange = () => worker.state === "activated" && resolve();
    });
  }
  const { port1, port2 } = new MessageChannel();
  const reply = new Promise((resolve) => {
    port1.onmessage = ({ data }) => resolve(data);
  });
  worker.postMessage(options, [port2]);
  return await reply;
}

const source = join(import.meta.dirname, "pages/service-worker.js");

/** Serves the script as a module, which imports the package by its URL, and bundled into a classic script. */
async function scripts() {
  const text = await readFile(source, "utf8");
  const entry = join(site.package, "../../service-worker.js");
  await writeFile(entry, text);
  const esbuild = join(packageFolder, "node_modules/.bin/esbuild");
  const { stdout } = await promisify(execFile)(esbuild, [entry, "--bundle", "--format=iife", "--log-level=error"]);
  const served = {
    "/module.js": text.replace("mobilebert/service-worker", "/node_modules/mobilebert/dist/service-worker.js"),
    "/classic.js": stdout,
  };
  return (path, response) => {
    if (path in served) response.writeHead(200, { "content-type": "text/javascript" }).end(served[path]);
    return path in served;
  };
}

describeInEachBrowser("service workers", (browser) => {
  test("a model runs in a service worker, as a module and bundled into a classic script, under a strict policy", async () => {
    const { page, faults, close } = await openSite(browser(), site.folders, undefined, { answer: await scripts() });
    const module = { script: "/module.js", type: "module", options: {} };
    assert.deepEqual(await page.evaluate(askServiceWorker, module), { answers: 3, kind: "wasm" });
    // A classic script doesn't know its own URL.
    const classic = { script: "/classic.js", type: "classic" };
    const lost = await page.evaluate(askServiceWorker, { ...classic, options: {} });
    assert.deepEqual([lost.code, lost.known], ["not-found", true], JSON.stringify(lost));
    assert.match(lost.message, /`wasmUrl`/);
    const options = { wasmUrl: "/node_modules/mobilebert/wasm/mobilebert_bg.wasm" };
    const found = await page.evaluate(askServiceWorker, { ...classic, options });
    assert.deepEqual(found, { answers: 3, kind: "wasm" });
    assert.deepEqual(
      faults.filter((fault) => !/404/.test(fault)),
      [],
    );
    await close();
  });
});
