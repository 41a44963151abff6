// Compares the speed of this package with onnxruntime-web on one thread: same weights, same page, alternating runs; first
// in f32, then in 8 bits.
//
//   node run.mjs MODEL [--dtype f32,q8] [--runs 20] [--warm-up 3] [--json]
//
// MODEL is the output of `export.py`. The package must be built (`cargo xtask build`). CHROMIUM is the browser's path.
import { execFileSync } from "node:child_process";
import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { createServer } from "node:http";
import os from "node:os";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import puppeteer from "puppeteer-core";

/** Largest allowed difference from the f32 scores, over the logits' rms. Eight bits cost a tenth. */
const TOLERANCE = { f32: 1e-4, q8: 0.3 };

const here = fileURLToPath(new URL(".", import.meta.url));
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    dtype: { type: "string", default: Object.keys(TOLERANCE).join() },
    runs: { type: "string", default: "20" },
    "warm-up": { type: "string", default: "3" },
    json: { type: "boolean", default: false },
  },
});
const dtypes = values.dtype.split(",");
if (positionals.length !== 1 || !dtypes.every((dtype) => dtype in TOLERANCE)) {
  console.error(
    "usage: node run.mjs MODEL [--dtype f32,q8] [--runs N] [--warm-up N] [--json]; MODEL is the output of export.py",
  );
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

async function serve(request, response) {
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

const model = JSON.parse(await readFile(join(positionals[0], "inputs.json"), "utf8"));
const server = createServer(serve);
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
const loads = [];
let browserVersion;
try {
  const page = await browser.newPage();
  page.on("pageerror", (error) => console.error(`page: ${error.message}`));
  await page.goto(`http://127.0.0.1:${server.address().port}/page.html`);
  await page.waitForFunction("globalThis.load");
  for (const dtype of dtypes) {
    loads.push({ dtype, ...(await page.evaluate((dtype) => globalThis.load(dtype), dtype)) });
    for (const [sequence, input] of Object.entries(model.inputs)) {
      const { times, check, timing, windows } = await page.evaluate(
        (input, runs, warmUp) => globalThis.compare(input, runs, warmUp),
        input,
        Number(values.runs),
        Number(values["warm-up"]),
      );
      if (windows !== 1) throw new Error(`${sequence} tokens took ${windows} windows, not one`);
      const [own, peer] = [median(times.own), median(times.peer)];
      rows.push({ dtype, sequence: Number(sequence), own, peer, ratio: own / peer, check, timing, times });
    }
    await page.evaluate("globalThis.unload()");
  }
} finally {
  browserVersion = await browser.version();
  await browser.close();
  server.close();
}

const commit = execFileSync("git", ["rev-parse", "--short", "HEAD"], { cwd: here, encoding: "utf8" }).trim();
const report = {
  commit,
  versions: { ...model.versions, "onnxruntime-web": loads[0].peerVersion, browser: browserVersion },
  machine: { cpu: os.cpus()[0]?.model, cores: os.cpus().length, load: os.loadavg()[0] },
  device: loads[0].device,
  loadMs: loads.map(({ dtype, ownLoad, peerLoad }) => ({ dtype, own: ownLoad, peer: peerLoad })),
  rows,
};
if (values.json) {
  console.log(JSON.stringify(report));
} else {
  const { versions, machine } = report;
  console.log(`mobilebert ${commit}, onnxruntime-web ${versions["onnxruntime-web"]}, ${versions.browser}`);
  console.log(`${machine.cpu}, ${machine.cores} cores, load ${machine.load.toFixed(1)}; one thread, medians`);
  console.log(
    "dtype sequence   mobilebert  onnxruntime-web  ratio   difference from f32 scores / rms: ours, the peer's",
  );
  for (const { dtype, sequence, own, peer, ratio, check } of rows) {
    const columns = [
      dtype.padEnd(5),
      String(sequence).padStart(8),
      `${own.toFixed(1)} ms`.padStart(12),
      `${peer.toFixed(1)} ms`.padStart(16),
      ratio.toFixed(2).padStart(6),
      `   ${check.own.toExponential(1)}, ${check.peer.toExponential(1)} over ${check.spans} spans`,
    ];
    console.log(columns.join(" "));
  }
}
const wrong = rows.filter(({ dtype, check }) => !(check.own <= TOLERANCE[dtype] && check.spans > 0));
if (wrong.length > 0) {
  const where = wrong.map(({ dtype, sequence }) => `${sequence} tokens in ${dtype}`).join(", ");
  console.error(`our scores differ too much from those in f32: ${where}`);
  process.exitCode = 1;
}
