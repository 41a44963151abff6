// The browser and the server of the page.
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import puppeteer from "puppeteer-core";

const here = fileURLToPath(new URL(".", import.meta.url));

const TYPES = {
  ".html": "text/html",
  ".mjs": "text/javascript",
  ".js": "text/javascript",
  ".json": "application/json",
  ".wasm": "application/wasm",
};

/** Headers that make a page cross-origin isolated. */
const ISOLATION = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
};

/** Serves the page, the packages and the folder of `export.py` on loopback. */
export async function serve(model, isolated) {
  const folders = {
    "/transformers/model/onnx/": model,
    "/transformers/model/": model,
    "/litert/": join(model, "litert"),
    "/model/": model,
    "/q8/": join(model, "q8"),
    "/pkg/": join(here, "../../pkg"),
    "/node_modules/": join(here, "node_modules"),
    "/": join(here, "page"),
  };
  const server = createServer(async (request, response) => {
    const path = decodeURIComponent(new URL(request.url, "http://localhost").pathname).replace(/\/$/, "/index.html");
    const prefix = Object.keys(folders).find((prefix) => path.startsWith(prefix));
    const file = join(folders[prefix], normalize(`/${path.slice(prefix.length)}`));
    const found = await stat(file).catch(() => undefined);
    if (!found?.isFile()) return response.writeHead(404).end("not found");
    const type = TYPES[extname(file)] ?? "application/octet-stream";
    const headers = { "content-type": type, "content-length": found.size, ...(isolated && ISOLATION) };
    response.writeHead(200, headers);
    createReadStream(file).pipe(response);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { address: `http://127.0.0.1:${server.address().port}/`, stop: () => server.close() };
}

/** Headless Chromium; `gpu` allows a software adapter. CHROMIUM is its path. */
export function launch(gpu) {
  return puppeteer.launch({
    browser: "chrome",
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    headless: true,
    protocolTimeout: 3_600_000,
    args: [
      "--no-sandbox",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--disable-extensions",
      "--disable-dev-shm-usage",
      ...(gpu ? ["--enable-unsafe-webgpu"] : []),
    ],
  });
}

/** A page of a new visitor: nothing is cached. */
export async function visit(browser, address) {
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  page.on("pageerror", (error) => console.error(`page: ${error.message}`));
  await page.goto(address);
  await page.waitForFunction("globalThis.first");
  return { page, leave: () => context.close() };
}
