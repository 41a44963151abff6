// Times this package against onnxruntime-web on one thread: same weights, same page, taking turns.
//
//   node run.mjs MODEL [--runs 20] [--warm-up 3] [--json]
//
// MODEL is what `export.py` wrote. The package must be built (`cargo xtask build`). CHROMIUM names the browser.
import { execFileSync } from "node:child_process";
import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { createServer } from "node:http";
import os from "node:os";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import puppeteer from "puppeteer-core";

/** Largest difference of a score over the logits' rms. */
const AGREEMENT = 1e-4;

const here = fileURLToPath(new URL(".", import.meta.url));
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: "string", default: "20" },
    "warm-up": { type: "string", default: "3" },
    json: { type: "boolean", default: false },
  },
});
if (positionals.length !== 1) {
  console.error("usage: node run.mjs MODEL [--runs N] [--warm-up N] [--json]; MODEL is what export.py wrote");
  process.exit(2);
}
const folders = {
  "/model/": positionals[0],
  "/pkg/": join(here, "../../pkg"),
  "/ort/": join(here, "node_modules/onnxruntime-web/dist"),
  "/": here,
};
const types = {
  ".html": "text/html",
  ".mjs": "text/javascript",
  ".js": "text/javascript",
  ".json": "application/json",
  ".wasm": "application/wasm",
};

async function answer(request, response) {
  const path = decodeURIComponent(new URL(request.url, "http://localhost").pathname);
  const prefix = Object.keys(folders).find((prefix) => path.startsWith(prefix));
  const file = join(folders[prefix], normalize(`/${path.slice(prefix.length)}`));
  const found = await stat(file).catch(() => undefined);
  if (!found?.isFile()) return response.writeHead(404).end("not found");
  const type = types[extname(file)] ?? "application/octet-stream";
  response.writeHead(200, { "content-type": type, "content-length": found.size });
  createReadStream(file).pipe(response);
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

const described = JSON.parse(await readFile(join(positionals[0], "inputs.json"), "utf8"));
const server = createServer(answer);
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const browser = await puppeteer.launch({
  browser: "chrome",
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  headless: true,
  protocolTimeout: 1_800_000,
  args: [
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--disable-dev-shm-usage",
  ],
});
const rows = [];
let loaded;
try {
  const page = await browser.newPage();
  page.on("pageerror", (error) => console.error(`page: ${error.message}`));
  await page.goto(`http://127.0.0.1:${server.address().port}/page.html`);
  await page.waitForFunction("globalThis.load");
  loaded = await page.evaluate("globalThis.load()");
  for (const [sequence, input] of Object.entries(described.inputs)) {
    const { times, check, timing, windows } = await page.evaluate(
      (input, runs, warmUp) => globalThis.compare(input, runs, warmUp),
      input,
      Number(values.runs),
      Number(values["warm-up"]),
    );
    if (windows !== 1) throw new Error(`${sequence} tokens were read in ${windows} windows`);
    const [own, peer] = [median(times.own), median(times.peer)];
    rows.push({ sequence: Number(sequence), own, peer, ratio: own / peer, check, timing, times });
  }
} finally {
  const version = await browser.version();
  loaded = { ...loaded, browser: version };
  await browser.close();
  server.close();
}

const commit = execFileSync("git", ["rev-parse", "--short", "HEAD"], { cwd: here, encoding: "utf8" }).trim();
const report = {
  commit,
  versions: { ...described.versions, "onnxruntime-web": loaded.peerVersion, browser: loaded.browser },
  machine: { cpu: os.cpus()[0]?.model, cores: os.cpus().length, load: os.loadavg()[0] },
  device: loaded.device,
  loadMs: { own: loaded.ownLoad, peer: loaded.peerLoad },
  rows,
};
if (values.json) {
  console.log(JSON.stringify(report));
} else {
  const { versions, machine } = report;
  console.log(`mobilebert ${commit}, onnxruntime-web ${versions["onnxruntime-web"]}, ${versions.browser}`);
  console.log(`${machine.cpu}, ${machine.cores} cores, load ${machine.load.toFixed(1)}; one thread, f32, medians`);
  console.log("sequence   mobilebert  onnxruntime-web  ratio   difference of scores / rms");
  for (const { sequence, own, peer, ratio, check } of rows) {
    const columns = [
      String(sequence).padStart(8),
      `${own.toFixed(1)} ms`.padStart(12),
      `${peer.toFixed(1)} ms`.padStart(16),
      ratio.toFixed(2).padStart(6),
      `   ${check.ratio.toExponential(1)} over ${check.spans} spans (rms ${check.rms.toPrecision(3)})`,
    ];
    console.log(columns.join(" "));
  }
}
const wrong = rows.filter(({ check }) => !(check.ratio <= AGREEMENT && check.spans > 0));
if (wrong.length > 0) {
  console.error(`the two disagree at ${wrong.map((row) => row.sequence).join(", ")} tokens`);
  process.exitCode = 1;
}
