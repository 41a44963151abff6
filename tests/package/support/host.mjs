import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";

/** The policy the package must work with; no header makes the page cross-origin isolated. */
export const strictPolicy = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'";

const types = {
  ".html": "text/html",
  ".css": "text/css",
  ".js": "text/javascript",
  ".json": "application/json",
  ".wasm": "application/wasm",
};

/**
 * Serves folders under prefixes; the longest match wins. Every response has the policy and the headers. `answer` may
 * respond itself and then returns true. Records missing files.
 */
export async function startHost(folders, policy = strictPolicy, { headers = {}, answer = () => false } = {}) {
  const prefixes = Object.keys(folders).sort((a, b) => b.length - a.length);
  const missing = new Set();
  const server = createServer(async (request, response) => {
    const path = decodeURIComponent(new URL(request.url, "http://localhost").pathname);
    const prefix = prefixes.find((prefix) => path.startsWith(prefix)) ?? "/";
    const inside = normalize(`/${path.slice(prefix.length)}`);
    const file = join(folders[prefix], inside.endsWith("/") ? `${inside}index.html` : inside);
    const found = await stat(file).catch(() => undefined);
    response.setHeader("content-security-policy", policy);
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    if (answer(path, response)) return;
    if (!found?.isFile()) {
      // Requested by browsers automatically.
      if (path !== "/favicon.ico") missing.add(path);
      return response.writeHead(404).end("not found");
    }
    const type = types[extname(file)] ?? "application/octet-stream";
    response.writeHead(200, { "content-type": type, "content-length": found.size });
    createReadStream(file).pipe(response);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  // If a test fails before it stops this server, the process must still exit.
  server.unref();
  const stop = () => {
    server.closeAllConnections();
    server.close();
  };
  return { address: `http://127.0.0.1:${server.address().port}/`, missing, stop };
}
