import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { chromium, newPage } from "./support/browsers.mjs";
import { ask, openReady, paste } from "./support/index-page.mjs";
import { startServer } from "./support/server.mjs";

/** A proxy that refuses everything and notes who was asked for. */
async function startProxy() {
  const asked = [];
  const proxy = createServer((request, response) => {
    asked.push(request.url);
    response.writeHead(403).end();
  });
  proxy.on("connect", (request, socket) => {
    asked.push(request.url);
    socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
  });
  await new Promise((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  return { asked, port: proxy.address().port, stop: () => proxy.close() };
}

let server;
let proxy;
let browser;
before(async () => {
  server = await startServer();
  proxy = await startProxy();
  const { hostname } = new URL(server.address);
  // Everything but the page's own host goes through the proxy, requests of workers among it.
  const flags = [`--proxy-server=127.0.0.1:${proxy.port}`, `--proxy-bypass-list=${hostname}`];
  browser = await chromium({ flags });
});
after(async () => {
  await browser?.close();
  proxy?.stop();
  await server?.stop();
});

test("no request leaves the page's own address, from the first visit to the last answer", async () => {
  const { page, faults } = await newPage(browser);
  const seen = [];
  page.on("request", (request) => seen.push(request.url()));
  await openReady(page, server.address);
  const afterLoad = seen.length;
  await ask(page, "Who built the lighthouse?");
  await page.evaluate(() => document.querySelectorAll("#samples button")[3].click());
  await ask(page, "With what did Olsen mend the boat?");
  await paste(page, "#mood", "I could have watched it all night.");
  await page.waitForFunction(() => document.querySelector("#mood-timing").textContent !== "");
  const foreign = seen.filter((url) => !url.startsWith(server.address) && !url.startsWith("data:"));
  assert.deepEqual(foreign, []);
  assert.ok(afterLoad > 5, `only ${afterLoad} requests were seen: this test sees nothing`);
  assert.deepEqual(seen.slice(afterLoad), [], "asking made requests");
  assert.deepEqual(faults, []);
  // The browser's own services are not the page's doing; whatever the page asks for has its address in it.
  assert.deepEqual(
    proxy.asked.filter((url) => !isBrowsers(url)),
    [],
  );
});

test("the proxy of this test does see a request to elsewhere", async () => {
  const { page } = await newPage(browser);
  await page.goto("http://elsewhere.example/").catch(() => {});
  assert.ok(proxy.asked.some((url) => url.includes("elsewhere.example")));
});

test("the server sends the headers under which the page works", async () => {
  const response = await fetch(server.address);
  const policy = response.headers.get("content-security-policy");
  assert.match(policy, /default-src 'self'; script-src 'self' 'wasm-unsafe-eval'/);
  assert.doesNotMatch(policy, /'unsafe-eval'|'unsafe-inline'|blob:/);
  assert.equal(response.headers.get("x-content-type-options"), "nosniff");
  assert.equal(response.headers.get("cross-origin-embedder-policy"), null);
  const types = {
    "pkg/wasm/mobilebert_bg.wasm": "application/wasm",
    "app/main.js": "text/javascript",
    "style.css": "text/css",
  };
  for (const [path, type] of Object.entries(types)) {
    const { headers } = await fetch(server.address + path, { method: "HEAD" });
    assert.ok(headers.get("content-type").startsWith(type), `${path}: ${headers.get("content-type")}`);
  }
});

/** Chromium looks for updates and the like by itself, whatever page is open. */
function isBrowsers(url) {
  return /(^|\.|\/)(google|googleapis|gstatic|gvt1|googleusercontent)\.com(:|\/|$)/.test(url);
}
