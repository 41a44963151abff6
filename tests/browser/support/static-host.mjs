import { execFile } from "node:child_process";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { promisify } from "node:util";

const types = {
  ".html": "text/html",
  ".css": "text/css",
  ".js": "text/javascript",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".txt": "text/plain",
  ".wasm": "application/wasm",
};

let site;

/**
 * The folder of the site: `SITE`, which `cargo xtask test` has built, or else built here, once. Another build would replace
 * files that a host is serving.
 */
async function build() {
  if (process.env.SITE) return process.env.SITE;
  const { stdout } = await promisify(execFile)(process.env.XTASK, ["build"]);
  const folder = /the site is in (.*);/.exec(stdout)?.[1];
  if (!folder) throw new Error(`the build did not say where the site is:\n${stdout}`);
  return folder;
}

/**
 * Serves the site under a prefix like a plain static host, with no headers but the content type. `instead` maps files to
 * texts that replace them, or to functions that respond, and may be changed later. `second` is the prefix of another copy.
 */
export async function startStaticHost(first, instead = {}, second = first) {
  site ??= build();
  const folder = await site;
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, "http://localhost");
    const prefix = pathname.startsWith(second) ? second : first;
    const inside = normalize(decodeURIComponent(pathname.slice(prefix.length)));
    if (pathname.startsWith(prefix) && inside in instead) {
      if (typeof instead[inside] === "function") return instead[inside](response);
      return response.writeHead(200, { "content-type": types[extname(inside)] }).end(instead[inside]);
    }
    const path = join(folder, inside.endsWith("/") || inside === "." ? join(inside, "index.html") : inside);
    const found = pathname.startsWith(prefix) ? await stat(path).catch(() => undefined) : undefined;
    if (!found?.isFile()) return response.writeHead(404).end("not found");
    const type = types[extname(path)] ?? "application/octet-stream";
    response.writeHead(200, { "content-type": type, "content-length": found.size });
    createReadStream(path).pipe(response);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = `http://127.0.0.1:${server.address().port}${first}`;
  return {
    address,
    folder,
    instead,
    stop: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}
