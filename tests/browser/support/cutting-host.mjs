import { readFile, stat } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";

const types = { ".js": "text/javascript", ".wasm": "application/wasm", ".json": "application/json" };
const pkg = join(import.meta.dirname, "../../../pkg");

/**
 * Serves the package under `/pkg/` and a model under `prefix`, and can misbehave: `cuts` are the numbers of bytes of the
 * weights after which each connection is cut; `hold` keeps the connection open there instead; `ranges: false` ignores
 * range requests; `files` replace the model's own.
 */
export async function startCuttingHost(folder, prefix) {
  const host = { cuts: [], hold: false, ranges: true, etag: '"1"', files: {}, asked: [] };
  const server = createServer(async (request, response) => {
    const path = decodeURIComponent(new URL(request.url, "http://localhost").pathname);
    const model = path.startsWith(prefix);
    const name = normalize(model ? path.slice(prefix.length) : path.replace(/^\/pkg\//, ""));
    if (path === "/") return response.setHeader("content-type", "text/html").end("<!doctype html><title>Test</title>");
    const file = join(model ? folder : pkg, name);
    const given = model ? host.files[name] : undefined;
    if (given === undefined && !(await stat(file).catch(() => undefined))?.isFile())
      return response.writeHead(404).end();
    const all = given ?? (await readFile(file));
    response.setHeader("content-type", types[extname(name)] ?? "application/octet-stream");
    if (!model) return response.end(all);
    const { range, "if-range": condition } = request.headers;
    host.asked.push({ method: request.method, name, range });
    response.setHeader("etag", host.etag);
    const wanted = range && host.ranges && (condition === undefined || condition === host.etag);
    const from = wanted ? Number(/^bytes=(\d+)-$/.exec(range)[1]) : 0;
    if (from > 0) response.setHeader("content-range", `bytes ${from}-${all.length - 1}/${all.length}`);
    response.writeHead(from > 0 ? 206 : 200, { "content-length": all.length - from });
    if (request.method === "HEAD") return response.end();
    const cut = name === "model.safetensors" ? host.cuts.shift() : undefined;
    if (cut === undefined) return response.end(all.subarray(from));
    response.flushHeaders();
    response.write(all.subarray(from, from + cut));
    if (!host.hold) setTimeout(() => response.destroy(), 100);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  host.address = `http://127.0.0.1:${server.address().port}`;
  host.model = host.address + prefix;
  host.closeAll = () => server.closeAllConnections();
  host.stop = () => {
    server.closeAllConnections();
    server.close();
  };
  return host;
}
