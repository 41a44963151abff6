import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";

const fixtures = join(import.meta.dirname, "../../fixtures/hub");

/** The answers of `transformers` with the repositories' models. */
export const expected = JSON.parse(await readFile(join(fixtures, "expected.json"), "utf8"));

/** File lists as published, filled with small models. Files in `refs-pr-8` are those of that revision. */
const repositories = {
  "google/mobilebert-uncased": { revisions: ["main", "refs/pr/8"] },
  "csarron/mobilebert-uncased-squad-v2": { revisions: ["main"] },
  "typeform/mobilebert-uncased-mnli": { revisions: ["main"] },
  "Xenova/mobilebert-uncased-mnli": {
    revisions: ["main"],
    card: { base_model: "typeform/mobilebert-uncased-mnli", library_name: "transformers.js" },
  },
};

async function read() {
  const files = new Map();
  for (const [name, { revisions }] of Object.entries(repositories)) {
    const folder = join(fixtures, name.replace("/", "--"));
    const paths = await readdir(folder, { recursive: true, withFileTypes: true });
    for (const revision of revisions) {
      const own = new Map([
        [".gitattributes", Buffer.from("*.bin filter=lfs\n")],
        ["README.md", Buffer.from("# Model\n")],
      ]);
      for (const entry of paths.filter((entry) => entry.isFile())) {
        const path = join(entry.parentPath ?? entry.path, entry.name).slice(folder.length + 1);
        const inside = /^refs-pr-\d+\/(.+)$/.exec(path)?.[1];
        if (inside === undefined || revision !== "main") own.set(inside ?? path, await readFile(join(folder, path)));
      }
      files.set(`${name}@${revision}`, own);
    }
  }
  return files;
}

const sha256 = (content) => createHash("sha256").update(content).digest("hex");
const isLarge = (name) => /\.(bin|safetensors|onnx)$/.test(name);

/**
 * Serves the repositories like huggingface.co. Without `api`, only the files, like a plain mirror, under a path. Records
 * requests as "METHOD path status". `change` may replace files: a map of "owner/name@revision" to a map of files. `cards`
 * replaces model cards, and the content of the file with the path `damaged` differs from its hash.
 */
export async function startHub({ api = true, change = () => {}, cards = {}, damaged } = {}) {
  const files = await read();
  change(files);
  const requests = [];
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url, "http://localhost").pathname).replace(/^\/mirror(?=\/)/, "");
    response.on("finish", () => requests.push(`${request.method} ${path} ${response.statusCode}`));
    response.setHeader("access-control-allow-origin", "*");
    response.setHeader("access-control-expose-headers", "etag, content-length, content-range");
    if (request.method === "OPTIONS") {
      response.setHeader("access-control-allow-headers", "*");
      return response.writeHead(204).end();
    }
    const asked = /^\/api\/models\/([^/]+\/[^/]+)\/revision\/(.+)$/.exec(path);
    if (asked) return api ? list(response, asked[1], asked[2]) : missing(response, 404);
    const file = /^\/([^/]+\/[^/]+)\/resolve\/(main|refs\/pr\/\d+)\/(.+)$/.exec(path);
    const repository = file && files.get(`${file[1]}@${file[2]}`);
    // The Hub doesn't tell a repository that doesn't exist from a private one.
    if (!repository) return missing(response, 401);
    const content = repository.get(file[3]);
    if (!content) return missing(response, 404);
    send(request, response, file[3], path === damaged ? Buffer.from(content).fill(1, content.length - 4) : content);
  });

  function list(response, name, revision) {
    const repository = files.get(`${name}@${revision}`);
    if (!repository) return missing(response, 401);
    const siblings = [...repository].map(([rfilename, content]) => ({
      rfilename,
      size: content.length,
      ...(isLarge(rfilename) && { lfs: { sha256: sha256(content), size: content.length, pointerSize: 134 } }),
    }));
    const sha = createHash("sha1").update(JSON.stringify(siblings)).digest("hex");
    const cardData = cards[name] ?? repositories[name]?.card ?? {};
    const body = JSON.stringify({ id: name, sha, private: false, gated: false, cardData, siblings });
    response.writeHead(200, { "content-type": "application/json; charset=utf-8" }).end(body);
  }

  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  // If a test fails before it stops this server, the process must still exit.
  server.unref();
  const stop = () => {
    server.closeAllConnections();
    server.close();
  };
  const origin = `http://127.0.0.1:${server.address().port}`;
  return { endpoint: api ? origin : `${origin}/mirror`, requests, stop };
}

function missing(response, status) {
  response.writeHead(status, { "content-type": "application/json" }).end('{"error":"not found"}');
}

function send(request, response, name, content) {
  const range = /^bytes=(\d+)-$/.exec(request.headers.range ?? "");
  const from = range ? Number(range[1]) : 0;
  const headers = {
    etag: `"${sha256(content)}"`,
    "content-type": name.endsWith(".json") ? "application/json" : "application/octet-stream",
    "content-length": content.length - from,
    "accept-ranges": "bytes",
    ...(range && { "content-range": `bytes ${from}-${content.length - 1}/${content.length}` }),
  };
  response.writeHead(range ? 206 : 200, headers).end(request.method === "HEAD" ? undefined : content.subarray(from));
}
