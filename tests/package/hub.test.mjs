// Models by id from a Hub on this machine, with the file lists of published repositories.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { describeInEachBrowser } from "../browser/support/each-browser.mjs";
import { expected, startHub } from "./support/hub.mjs";
import { install } from "./support/install.mjs";
import { installedSite, openSite } from "./support/site.mjs";

const google = "google/mobilebert-uncased";
const csarron = "csarron/mobilebert-uncased-squad-v2";
const typeform = "typeform/mobilebert-uncased-mnli";
const xenova = "Xenova/mobilebert-uncased-mnli";
/** The pages' own policy, and a Hub on another port. */
const policy = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self' http://127.0.0.1:*";

let site;
let mobilebert;
before(async () => {
  site = await installedSite();
  mobilebert = (await install(site.folder)).exports;
});
after(() => site?.remove());

/** Asks each repository's model for what `transformers` was asked; `library` is the package or, in a page, its URL. */
async function askAll(library, endpoint, ids, options = {}) {
  const { FillMask, QuestionAnswering, ZeroShotClassification } =
    typeof library === "string" ? await import(library) : library;
  const load = { device: "wasm", endpoint, ...options };
  const fill = await FillMask.load(ids.google, load);
  const { masks } = await fill.fill("the [MASK] sat on the mat .", { topK: 3 });
  await fill.dispose();
  const qa = await QuestionAnswering.load(ids.csarron, load);
  const { answers } = await qa.ask("where did the cat sat ?", "the dog ran in the park . the cat sat on the mat .");
  await qa.dispose();
  const mnli = await ZeroShotClassification.load(ids.typeform, load);
  const { labels } = await mnli.classify("the dog ran in the park .", ["cat", "dog", "park"]);
  await mnli.dispose();
  return { words: masks[0], answer: answers[0].text, labels };
}

function check({ words, answer, labels }) {
  const near = (one, other) => assert.ok(Math.abs(one - other) < 1e-4, `${one} ${other}`);
  assert.deepEqual(
    words.map(({ token }) => token),
    expected[google].words.map(({ token }) => token),
  );
  for (const [i, { probability }] of words.entries()) near(probability, expected[google].words[i].score);
  assert.equal(answer, expected[csarron].answer);
  assert.deepEqual(
    labels.map(({ label }) => label),
    expected[typeform].ranked.map(({ label }) => label),
  );
  for (const [i, { score }] of labels.entries()) near(score, expected[typeform].ranked[i].score);
}

const refused = (requests) => requests.filter((request) => !/ (200|204|206)$/.test(request));

test("in Node, answers equal those of transformers, and no missing file is requested", async () => {
  const hub = await startHub();
  check(await askAll(mobilebert, hub.endpoint, { google, csarron, typeform }));
  assert.deepEqual(refused(hub.requests), []);
  hub.stop();
});

test("followBaseModel loads the original of ONNX files; without it, the error names the original", async () => {
  const hub = await startHub();
  const load = (options) =>
    mobilebert.ZeroShotClassification.load(xenova, { device: "wasm", endpoint: hub.endpoint, ...options });
  await assert.rejects(load(), ({ code, message, detail }) => {
    assert.equal(code, "unsupported", message);
    assert.match(message, /"Xenova\/mobilebert-uncased-mnli" has only ONNX files/);
    assert.match(message, /made from "typeform\/mobilebert-uncased-mnli".*followBaseModel: true/);
    assert.deepEqual(detail, { file: "model.safetensors", baseModels: [typeform] });
    return true;
  });
  assert.ok(!hub.requests.some((request) => request.includes("/resolve/")), hub.requests.join());
  const ids = { google, csarron, typeform: xenova };
  check(await askAll(mobilebert, hub.endpoint, ids, { followBaseModel: true }));
  const { pipeline } = mobilebert;
  const options = { device: "wasm", endpoint: hub.endpoint, followBaseModel: true };
  const classify = await pipeline("zero-shot-classification", xenova, options);
  const { labels } = await classify("the dog ran in the park .", ["cat", "dog", "park"]);
  assert.deepEqual(
    labels,
    expected[typeform].ranked.map(({ label }) => label),
  );
  await classify.dispose();
  await assert.rejects(load({ followBaseModel: "yes" }), { code: "invalid-input" });
  hub.stop();
});

test("without one original to follow, or with other formats, the error says what there is", async () => {
  const none = (files) => files.get(`${xenova}@main`).set("README.md", Buffer.from(""));
  const hub = await startHub({ change: none, cards: { [xenova]: { base_model: ["a/one", "b/two"] } } });
  const options = { device: "wasm", endpoint: hub.endpoint, followBaseModel: true };
  const { ZeroShotClassification } = mobilebert;
  await assert.rejects(ZeroShotClassification.load(xenova, options), /made from "a\/one" and "b\/two"/);
  hub.stop();

  const without = await startHub({ cards: { [xenova]: {} } });
  const named = { ...options, endpoint: without.endpoint };
  await assert.rejects(ZeroShotClassification.load(xenova, named), /its model card may name/);
  without.stop();

  const keras = await startHub({
    change: (files) => {
      const own = files.get(`${typeform}@main`);
      own.delete("pytorch_model.bin");
      own.set("tf_model.h5", Buffer.from("keras"));
    },
  });
  const loading = ZeroShotClassification.load(typeform, { ...options, endpoint: keras.endpoint });
  await assert.rejects(loading, {
    code: "not-found",
    message: /no weights in a format that is read \(but tf_model\.h5\)/,
  });
  keras.stop();
});

test("a mirror without the Hub's API works, and says what is missing", async () => {
  const hub = await startHub({ api: false });
  check(await askAll(mobilebert, hub.endpoint, { google, csarron, typeform }));
  const loading = mobilebert.ZeroShotClassification.load(xenova, { device: "wasm", endpoint: hub.endpoint });
  await assert.rejects(loading, {
    code: "not-found",
    message: /model\.safetensors: not found.*ONNX files aren't read/,
  });
  hub.stop();
});

test("a revision of the Hub has its own files", async () => {
  const hub = await startHub();
  const ids = { google: `${google}@refs/pr/8`, csarron, typeform };
  check(await askAll(mobilebert, hub.endpoint, ids));
  assert.deepEqual(refused(hub.requests), []);
  assert.ok(hub.requests.includes(`GET /${google}/resolve/refs/pr/8/model.safetensors 200`), hub.requests.join("\n"));
  hub.stop();
});

test("selected files may have a pytorch_model.bin, or its shards with their index", async () => {
  const folder = join(import.meta.dirname, "../fixtures/hub/google--mobilebert-uncased");
  const file = async (name) => new Blob([await readFile(join(folder, name))]);
  const [config, vocab, bin] = await Promise.all(["config.json", "vocab.txt", "pytorch_model.bin"].map(file));
  const shard = "pytorch_model-00001-of-00001.bin";
  // Which tensors a shard has is for the reader to check; this model only has to know that the head's exist.
  const names = tensorNames(await readFile(join(folder, "refs-pr-8/model.safetensors")));
  const index = JSON.stringify({ weight_map: Object.fromEntries(names.map((name) => [name, shard])) });
  const small = { "config.json": config, "vocab.txt": vocab };
  for (const weights of [
    { "pytorch_model.bin": bin },
    { [shard]: bin, "pytorch_model.bin.index.json": new Blob([index]) },
  ]) {
    const fill = await mobilebert.FillMask.load({ ...small, ...weights }, { device: "wasm" });
    const { masks } = await fill.fill("the [MASK] sat on the mat .");
    assert.equal(masks[0][0].token, expected[google].words[0].token);
    await fill.dispose();
  }
  const incomplete = { ...small, "pytorch_model.bin.index.json": new Blob([index]) };
  await assert.rejects(mobilebert.FillMask.load(incomplete), { code: "not-found", message: new RegExp(shard) });
  await assert.rejects(mobilebert.FillMask.load(small), { code: "not-found", message: /pytorch_model\.bin/ });
});

/** Names of the tensors in a safetensors file. */
function tensorNames(bytes) {
  const length = Number(bytes.readBigUInt64LE());
  const header = JSON.parse(bytes.subarray(8, 8 + length).toString());
  return Object.keys(header).filter((name) => name !== "__metadata__");
}

test("a file that differs from the hash that the Hub lists is an integrity error", async () => {
  const hub = await startHub({ damaged: `/${csarron}/resolve/main/model.safetensors` });
  const loading = mobilebert.QuestionAnswering.load(csarron, { device: "wasm", endpoint: hub.endpoint });
  await assert.rejects(loading, { code: "integrity", message: /model\.safetensors: sha256 is .*the Hub lists/ });
  hub.stop();
});

describeInEachBrowser("a model by id", (browser) => {
  test("answers equal those of transformers, without a failed request, and models are cached", async () => {
    const hub = await startHub();
    const { page, faults, host, close } = await openSite(browser(), site.folders, policy);
    const library = "/node_modules/mobilebert/dist/index.js";
    const ask = () =>
      page.evaluate(askAll, library, hub.endpoint, { google, csarron, typeform: xenova }, { followBaseModel: true });
    check(await ask());
    assert.deepEqual(refused(hub.requests), []);
    assert.deepEqual([...host.missing], []);
    // Chromium logs that there is no favicon.
    assert.deepEqual(
      faults.filter((fault) => !/404/.test(fault)),
      [],
    );
    hub.requests.length = 0;
    check(await ask());
    // From the cache: only the lists of files are requested.
    assert.deepEqual(
      hub.requests.filter((request) => !request.includes("/api/models/")),
      [],
    );
    hub.stop();
    // Without the Hub, the cache is used as well.
    check(await ask());
    await close();
  });
});
