import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { chromium, newPage } from "./support/browsers.mjs";
import { startCuttingHost } from "./support/cutting-host.mjs";
import { makeModels } from "./support/tiny-model.mjs";

const PREFIX = "/hub/owner/name/resolve/main/";
const WEIGHTS = "model.safetensors";
let made;
let host;
let browser;
let page;
let weights;
let version = 0;

before(async () => {
  // A bit more than three parts of the cache.
  made = await makeModels({ answers: { hidden: 256, layers: 4, intermediate: 1024 } });
  weights = await readFile(join(made.folders.answers, WEIGHTS));
  host = await startCuttingHost(made.folders.answers, PREFIX);
  browser = await chromium();
  ({ page } = await newPage(browser));
});

after(async () => {
  await browser?.close();
  host?.stop();
  await made?.remove();
});

beforeEach(async () => {
  // A different version each time, so that the browser's HTTP cache isn't used.
  Object.assign(host, { cuts: [], hold: false, ranges: true, etag: `"${++version}"`, files: {}, asked: [] });
  await visit();
  await page.evaluate(() => globalThis.mobilebert.cache.clear());
});

async function visit() {
  await page.goto(host.address);
  await page.evaluate(async (model) => {
    globalThis.mobilebert = await import("/pkg/dist/index.js");
    const { QuestionAnswering } = globalThis.mobilebert;
    /** Loads the model and asks; returns the answer's score, or the error. */
    globalThis.load = async (source = model, options = {}) => {
      try {
        const phases = new Set();
        const onProgress = ({ phase }) => phases.add(phase);
        const loaded = await QuestionAnswering.load(source, {
          device: "wasm",
          simd: "simd128",
          onProgress,
          ...options,
        });
        const { answers } = await loaded.ask("what is it?", "it is the end of the day.");
        await loaded.dispose();
        return { score: answers[0].score, phases: [...phases] };
      } catch (error) {
        return { code: error.code, message: error.message };
      }
    };
  }, host.model);
}

const load = (source, options) => page.evaluate((source, options) => globalThis.load(source, options), source, options);
const cachedModels = () => page.evaluate(() => globalThis.mobilebert.cache.list());
/** First byte of each request for the weights. */
const starts = () =>
  host.asked
    .filter(({ name, method }) => name === WEIGHTS && method === "GET")
    .map(({ range }) => (range === undefined ? 0 : Number(/\d+/.exec(range)[0])));

/** Starts a visit and leaves it when two thirds of the weights have arrived. */
async function leaveHalfway() {
  Object.assign(host, { cuts: [9_500_000], hold: true });
  await page.evaluate(() => void globalThis.load());
  await page.waitForFunction(async () => {
    const stores = await Promise.all((await caches.keys()).map((name) => caches.open(name)));
    const keys = (await Promise.all(stores.map((store) => store.keys()))).flat();
    return keys.some(({ url }) => url.endsWith("model.safetensors/mobilebert-part-1"));
  });
  host.closeAll();
  await visit();
}

/** Creates `files.json` for the model with the given weights. */
async function manifest(content) {
  const entries = [[WEIGHTS, content]];
  for (const name of ["config.json", "vocab.txt"])
    entries.push([name, await readFile(join(made.folders.answers, name))]);
  const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");
  const list = entries.map(([name, bytes]) => ({ name, bytes: bytes.length, sha256: sha256(bytes) }));
  return Buffer.from(JSON.stringify(list));
}

test("a download that is cut twice is resumed with ranges, and cached completely", async () => {
  const whole = await load(undefined, { cache: false });
  host.asked = [];
  host.cuts = [5_000_000, 1_000_000];
  const cut = await load();
  assert.equal(cut.score, whole.score, JSON.stringify(cut));
  const starting = starts();
  assert.equal(starting.length, 3);
  // Bytes that the browser hadn't delivered when the connection broke are requested again, the first time perhaps all.
  assert.ok(starting[0] === 0 && starting[1] <= starting[2] && starting[2] > 0, `started at ${starting}`);
  const [model] = await cachedModels();
  assert.equal(model.files.find(({ name }) => name === WEIGHTS).bytes, weights.length);
  host.asked = [];
  const again = await load();
  assert.equal(again.score, whole.score);
  assert.ok(!again.phases.includes("download"), `read again: ${again.phases}`);
  assert.deepEqual(starts(), []);
});

test("a download that was interrupted by leaving the page is resumed on the next visit", async () => {
  const whole = await load(undefined, { cache: false });
  host.asked = [];
  await leaveHalfway();
  assert.deepEqual(await cachedModels(), [], "an incomplete model is listed");
  const next = await load();
  assert.equal(next.score, whole.score, JSON.stringify(next));
  const starting = starts();
  assert.equal(starting.length, 2);
  assert.ok(starting[1] >= 8_000_000, `the second visit started at ${starting[1]}`);
  assert.equal((await cachedModels()).length, 1);
});

test("a cached prefix that doesn't match the rest is discarded and downloaded again", async () => {
  const other = Buffer.from(weights);
  other.fill(0, 1_000_000, 2_000_000);
  // Same size and, according to the server, same version; only the hash differs.
  host.files = { [WEIGHTS]: other };
  await leaveHalfway();
  host.asked = [];
  host.files = { "files.json": await manifest(weights) };
  const loaded = await load();
  assert.ok(loaded.score !== undefined, JSON.stringify(loaded));
  const starting = starts();
  assert.ok(starting.length === 2 && starting[0] > 0 && starting[1] === 0, `started at ${starting}`);
  assert.equal((await cachedModels()).length, 1);
});

test("files that fail verification leave nothing in the cache", async () => {
  const other = Buffer.from(weights);
  other[weights.length - 1] ^= 1;
  host.files = { "files.json": await manifest(weights), [WEIGHTS]: other };
  assert.equal((await load()).code, "integrity");
  const left = await page.evaluate(async () => {
    const stores = await Promise.all((await caches.keys()).map((name) => caches.open(name)));
    return (await Promise.all(stores.map((store) => store.keys()))).flat().map(({ url }) => url);
  });
  assert.deepEqual(left, []);
});

test("a server without ranges sends the file again, and a changed file fails the load", async () => {
  const whole = await load(undefined, { cache: false });
  Object.assign(host, { cuts: [5_000_000], ranges: false });
  assert.equal((await load()).score, whole.score);
  await page.evaluate(() => globalThis.mobilebert.cache.clear());
  host.cuts = [5_000_000];
  const changing = load();
  const changed = (async () => {
    while (host.cuts.length > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    host.etag = '"another"';
  })();
  const [ended] = await Promise.all([changing, changed]);
  assert.equal(ended.code, "network");
  assert.match(ended.message, /changed on the server/);
});

test("the first mirror that responds is used, and its files are cached under one name", async () => {
  const mirrors = [`${host.address}/nothing-here`, "http://127.0.0.1:9", `${host.address}/hub`];
  const first = await load("owner/name", { endpoint: mirrors });
  assert.ok(first.score !== undefined, JSON.stringify(first));
  const second = await load("owner/name", { endpoint: mirrors });
  assert.ok(!second.phases.includes("download"));
  const none = await load("owner/name", { endpoint: ["http://127.0.0.1:9", "http://127.0.0.1:7"], cache: false });
  assert.equal(none.code, "network");
  assert.equal((await load("owner/name", { endpoint: [] })).code, "invalid-input");
});
