import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { describeInEachBrowser } from "../browser/support/each-browser.mjs";
import { startHost, strictPolicy } from "./support/host.mjs";
import { installedSite, loadAndAsk, openSite } from "./support/site.mjs";

let site;
before(async () => {
  site = await installedSite();
});
after(() => site?.remove());

const trusting = `${strictPolicy}; require-trusted-types-for 'script'`;

describeInEachBrowser("loading", (browser) => {
  /** Loads and asks in a page with a policy, and returns the result and the page's errors. */
  async function ask(policy, options, hostOptions) {
    const { page, faults, close } = await openSite(browser(), site.folders, policy, hostOptions);
    const result = await page.evaluate(loadAndAsk, options);
    await close();
    return { ...result, faults: faults.filter((fault) => !/404/.test(fault)) };
  }

  test("a page that requires Trusted Types only has to allow the policy `mobilebert`", async () => {
    for (const policy of [trusting, `${trusting}; trusted-types mobilebert`]) {
      assert.deepEqual(await ask(policy), { answers: 3, faults: [] }, policy);
    }
    const explicit = { workerUrl: "/node_modules/mobilebert/dist/worker.js" };
    assert.equal((await ask(`${trusting}; trusted-types mobilebert`, explicit)).answers, 3);
  });

  test("a policy that forbids `mobilebert` is named in the error, unless nothing requires it", async () => {
    assert.equal((await ask(`${strictPolicy}; trusted-types 'none'`)).answers, 3);
    const { code, message } = await ask(`${trusting}; trusted-types other`);
    assert.equal(code, "unsupported", message);
    assert.match(message, /trusted-types mobilebert/);
  });

  test("a sandboxed frame loads a model without a worker, and with one if the browser starts workers there", async () => {
    const headers = { "access-control-allow-origin": "*" };
    const { page, host, close } = await openSite(browser(), site.folders, "", { headers });
    await page.evaluate(() => {
      const frame = Object.assign(document.createElement("iframe"), { srcdoc: "<title>sandboxed</title>" });
      frame.sandbox = "allow-scripts";
      document.body.append(frame);
      return new Promise((resolve) => frame.addEventListener("load", resolve));
    });
    const [, frame] = page.frames();
    const entry = `${host.address}node_modules/mobilebert/dist/index.js`;
    const result = await frame.evaluate(loadAndAsk, { worker: false, cache: true }, entry);
    assert.deepEqual(result, { answers: 3 });
    const { answers, message } = await frame.evaluate(loadAndAsk, {}, entry);
    if (answers !== 3) assert.match(message, /sandboxed frame.*`worker: false`/);
    const found = await frame.evaluate(async (entry) => {
      const { cache } = await import(entry);
      await cache.clear();
      return [await cache.list(), await cache.estimate()];
    }, entry);
    assert.deepEqual(found, [[], { usage: 0, quota: 0 }]);
    await close();
  });

  test("the package can be imported from another origin, such as a CDN", async () => {
    const cdn = await startHost({ "/mobilebert/": site.package }, strictPolicy, {
      headers: { "access-control-allow-origin": "*" },
    });
    const entry = `${cdn.address}mobilebert/dist/index.js`;
    const { page, host, close } = await openSite(browser(), { ...site.folders, "/node_modules/": "/nowhere" }, "");
    assert.deepEqual(await page.evaluate(loadAndAsk, {}, entry), { answers: 3 });
    const workerUrl = `${cdn.address}mobilebert/dist/worker.js`;
    assert.deepEqual(await page.evaluate(loadAndAsk, { workerUrl }, entry), { answers: 3 });
    assert.deepEqual(
      [...host.missing].filter((path) => !path.startsWith("/models/")),
      [],
    );
    await close();
    // With a policy that allows scripts of the CDN, but no worker from a blob.
    const origin = cdn.address.slice(0, -1);
    const policy = (worker) => `default-src 'self' ${origin}; script-src 'self' 'wasm-unsafe-eval' ${origin}${worker}`;
    const strict = await openSite(browser(), site.folders, policy(""));
    const { code, message } = await strict.page.evaluate(loadAndAsk, {}, entry);
    assert.equal(code, "unsupported", message);
    assert.match(message, /worker-src blob:/);
    await strict.close();
    const allowing = await openSite(browser(), site.folders, policy(`; worker-src blob: ${origin}`));
    assert.deepEqual(await allowing.page.evaluate(loadAndAsk, {}, entry), { answers: 3 });
    await allowing.close();
    cdn.stop();
  });

  test("a worker or module that can't be loaded is named with the URL, the cause, and what to pass instead", async () => {
    const dead = await startHost({ "/": site.package });
    dead.stop();
    const types = {
      "text.js": "text/plain",
      "page.js": "text/html",
      "page.wasm": "text/html",
      "other.wasm": "application/wasm",
    };
    const answer = (path, response) => {
      const type = types[path.slice("/as/".length)];
      if (type) response.writeHead(200, { "content-type": type }).end("<!doctype html>");
      return type !== undefined;
    };
    const { page, close } = await openSite(browser(), site.folders, "", { answer });
    for (const [options, code, cause] of [
      [{ workerUrl: "/nowhere/worker.js" }, "not-found", /\/nowhere\/worker\.js: the server responded with 404/],
      [{ workerUrl: "/as/page.js" }, "not-found", /HTML page/],
      [{ workerUrl: "/as/text.js" }, "network", /"text\/plain"/],
      [{ workerUrl: `${dead.address}dist/worker.js` }, "network", /could not be fetched/],
      [{ wasmUrl: "/nowhere/mobilebert_bg.wasm" }, "not-found", /\/nowhere\/mobilebert_bg\.wasm responded with 404/],
      [{ wasmUrl: "/as/page.wasm" }, "not-found", /\/as\/page\.wasm is an HTML page/],
      [{ wasmUrl: "/as/other.wasm" }, "unsupported", /another version/],
      [{ wasmUrl: `${dead.address}wasm/mobilebert_bg.wasm` }, "network", /could not fetch/],
    ]) {
      const [field] = Object.keys(options);
      const found = await page.evaluate(loadAndAsk, options);
      assert.equal(found.code, code, JSON.stringify({ options, found }));
      assert.match(found.message, cause);
      assert.match(found.message, new RegExp(`esbuild.*\\\`${field}\\\``), found.message);
      assert.doesNotMatch(found.message, /Vite/);
      assert.equal(found.detail.field, field);
    }
    await close();
  });

  describe("a wasm module that stops arriving", () => {
    let opened;
    before(async () => {
      const bytes = await readFile(join(site.package, "wasm/mobilebert_bg.wasm"));
      const answer = (path, response) => {
        const [, type, end] = /^\/(streamed|read)\/(cut|stalled)\.wasm$/.exec(path) ?? [];
        if (!type) return false;
        const headers = { "content-type": type === "read" ? "text/plain" : "application/wasm" };
        response.writeHead(200, { ...headers, "content-length": bytes.length }).write(bytes.subarray(0, 100_000));
        if (end === "cut") setTimeout(() => response.destroy(), 300);
        return true;
      };
      opened = await openSite(browser(), site.folders, "", { answer });
      await opened.page.evaluate(() => {
        const { setTimeout } = globalThis;
        globalThis.setTimeout = (callback, time) => setTimeout(callback, time === 30_000 ? 1_000 : time);
        const { terminate } = Worker.prototype;
        globalThis.terminated = new Promise((resolve) => {
          Worker.prototype.terminate = function () {
            terminate.call(this);
            resolve(true);
          };
        });
      });
    });
    after(() => opened?.close());

    test("fails the load as a problem of the network, whether it is compiled while it arrives or afterwards", async () => {
      for (const type of ["streamed", "read"]) {
        for (const [end, cause] of [
          ["cut", /mobilebert_bg\.wasm: the download failed/],
          ["stalled", /mobilebert_bg\.wasm: the download failed .*no data for 30 s/],
        ]) {
          const options = { wasmUrl: `/${type}/${end}.wasm`, worker: false };
          const { code, message } = await opened.page.evaluate(loadAndAsk, options);
          assert.equal(code, "network", message);
          assert.match(message, cause);
        }
      }
      // The next attempt starts again from the first byte.
      assert.deepEqual(await opened.page.evaluate(loadAndAsk, { worker: false }), { answers: 3 });
    });

    test("doesn't keep the worker of an aborted load", async () => {
      const ended = await opened.page.evaluate(async () => {
        const { QuestionAnswering } = await import("/node_modules/mobilebert/dist/index.js");
        const stop = new AbortController();
        const options = { device: "wasm", cache: false, wasmUrl: "/streamed/stalled.wasm", signal: stop.signal };
        const failed = QuestionAnswering.load("/models/answers/", options).catch(({ code }) => code);
        setTimeout(() => stop.abort(), 1_500);
        const late = new Promise((resolve) => setTimeout(resolve, 10_000, false));
        return [await failed, await Promise.race([globalThis.terminated, late])];
      });
      assert.deepEqual(ended, ["aborted", true]);
    });
  });

  test("a page that is cross-origin isolated can be told that its worker lacks a header", async () => {
    const isolation = { "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp" };
    const answer = (path, response) => {
      if (path.endsWith("/worker.js")) response.removeHeader("cross-origin-embedder-policy");
      return false;
    };
    assert.equal((await ask(strictPolicy, {}, { headers: isolation })).answers, 3);
    const { code, message } = await ask(strictPolicy, {}, { headers: isolation, answer });
    assert.equal(code, "unsupported", message);
    assert.match(message, /cross-origin-embedder-policy: require-corp/);
    assert.doesNotMatch(message, /Content-Security-Policy/);
  });

  test("a bundle without its worker says where it looked, and Vite's is told apart", async () => {
    const folders = { ...site.folders, "/node_modules/": "/nowhere", "/assets/": join(site.package, "dist") };
    const hidesWorker = (path, response) => {
      if (!path.endsWith("/worker.js")) return false;
      response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html>");
      return true;
    };
    const { page, close } = await openSite(browser(), folders, "", { answer: hidesWorker });
    const found = await page.evaluate(loadAndAsk, {}, "/assets/index.js");
    assert.equal(found.code, "not-found", JSON.stringify(found));
    assert.match(found.message, /\/assets\/worker\.js.*esbuild.*`workerUrl` and `wasmUrl`/);
    const vite = { workerUrl: "/node_modules/.vite/deps/worker.js" };
    assert.match((await page.evaluate(loadAndAsk, vite, "/assets/index.js")).message, /optimizeDeps.*`workerUrl`/);
    await close();
  });

  test("a wasm module with another content type still starts", async () => {
    const bytes = await readFile(join(site.package, "wasm/mobilebert_bg.wasm"));
    const answer = (path, response) => {
      const isModule = path.endsWith(".wasm");
      if (isModule) response.writeHead(200, { "content-type": "application/octet-stream" }).end(bytes);
      return isModule;
    };
    assert.equal((await ask(strictPolicy, {}, { answer })).answers, 3);
  });

  test("a model that can't be loaded is named with its URL and the cause", async () => {
    const answer = (path, response) => {
      if (!path.startsWith("/app/")) return false;
      response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html><title>A single-page app</title>");
      return true;
    };
    const other = await startHost(site.folders);
    const { page, host, close } = await openSite(browser(), site.folders, "", { answer });
    const load = (model) =>
      page.evaluate(async (model) => {
        const { QuestionAnswering } = await import("/node_modules/mobilebert/dist/index.js");
        return QuestionAnswering.load(model, { device: "wasm" }).catch(({ code, message }) => ({ code, message }));
      }, model);
    const foreign = `${other.address}models/answers/`;
    for (const [model, code, message] of [
      [
        "/app/model/",
        "not-a-model",
        `config.json: the server sent an HTML page instead of the file ${host.address}app/model/config.json`,
      ],
      ["/models/nowhere/", "not-found", `config.json: not found in ${host.address}models/nowhere/`],
      [foreign, "network", `could not fetch ${foreign}`],
    ]) {
      const found = await load(model);
      assert.equal(found.code, code, JSON.stringify(found));
      assert.ok(found.message.includes(message), found.message);
    }
    assert.match((await load(foreign)).message, /CORS/);
    other.stop();
    await close();
  });
});
