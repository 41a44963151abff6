import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { newPage } from "../browser/support/browsers.mjs";
import { describeInEachBrowser } from "../browser/support/each-browser.mjs";
import { findModels } from "../browser/support/models.mjs";
import { startHost } from "./support/host.mjs";
import { install, temporaryFolder } from "./support/install.mjs";

const question = "Who is the mayor?";
const context = "🗼 The fair begins on Friday and ends on Sunday. Its mayor is Ines Kolar.";

let temporary;
let folders;
before(async () => {
  temporary = await temporaryFolder();
  await install(temporary.folder);
  folders = {
    "/": join(import.meta.dirname, "pages"),
    "/node_modules/": join(temporary.folder, "node_modules"),
    "/models/squad/": (await findModels()).answers.folder,
  };
});
after(() => temporary?.remove());

/** Opens the page under a policy; returns functions to ask in it and to close it, and its errors. */
async function open(browser, policy) {
  const host = await startHost(folders, policy);
  const { page, faults } = await newPage(browser);
  await page.goto(host.address);
  const ask = (options, inWorker) =>
    page.evaluate(
      async (request, inWorker) => {
        if (!inWorker) return (await import("/ask.js")).ask(request);
        const worker = new Worker("/worker.js", { type: "module" });
        const reply = new Promise((resolve, reject) => {
          worker.onmessage = ({ data }) => resolve(data);
          worker.onerror = ({ message }) => reject(new Error(message || "the page's worker did not load"));
        });
        worker.postMessage(request);
        return await reply.finally(() => worker.terminate());
      },
      { options, question, context },
      inWorker,
    );
  return { ask, faults, missing: host.missing, close: () => page.close().finally(host.stop) };
}

/** Files that a model may do without. */
const OPTIONAL = [
  "files.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "added_tokens.json",
  "modules.json",
  "sentence_bert_config.json",
];

describeInEachBrowser("the package", (browser) => {
  test("works in a page and in a worker of the page, with and without its own worker, under a strict policy", async () => {
    const { ask, faults, missing, close } = await open(browser());
    const expected = await ask({}, false);
    assert.equal(expected.answers?.[0]?.text, "Ines Kolar", JSON.stringify(expected));
    assert.equal(expected.isolated, false);
    for (const inWorker of [false, true]) {
      for (const worker of [true, false]) {
        const where = `${inWorker ? "in a worker" : "in the page"}, worker: ${worker}`;
        assert.deepEqual(await ask({ worker }, inWorker), expected, where);
      }
    }
    const explicit = {
      workerUrl: "/node_modules/mobilebert/dist/worker.js",
      wasmUrl: "/node_modules/mobilebert/wasm/mobilebert_bg.wasm",
    };
    assert.deepEqual(await ask(explicit, true), expected, "with explicit URLs");
    // Only `files.json` says which optional files there are; without it, Chromium logs every one that is missing.
    const isMissing = (name) => !existsSync(join(folders["/models/squad/"], name));
    const expectedMissing = isMissing("files.json") ? OPTIONAL.filter(isMissing) : [];
    assert.deepEqual([...missing].toSorted(), expectedMissing.map((name) => `/models/squad/${name}`).toSorted());
    assert.deepEqual(
      faults.filter((fault) => !/404/.test(fault)),
      [],
    );
    await close();
  });

  test("reports a policy that forbids WebAssembly, and missing files", async () => {
    const { ask, close } = await open(browser(), "default-src 'self'");
    const forbidden = await ask({}, false);
    assert.equal(forbidden.code, "unsupported", JSON.stringify(forbidden));
    assert.match(forbidden.message, /wasm-unsafe-eval/);
    const noWorker = await ask({ workerUrl: "/nowhere/worker.js" }, false);
    assert.equal(noWorker.code, "not-found", JSON.stringify(noWorker));
    assert.match(noWorker.message, /worker\.js could not be loaded/);
    const foreign = await ask({ workerUrl: "https://elsewhere.example/worker.js" }, false);
    assert.match(foreign.message, /worker/);
    const noModule = await ask({ wasmUrl: "/nowhere/mobilebert_bg.wasm" }, false);
    assert.equal(noModule.code, "not-found", JSON.stringify(noModule));
    assert.match(noModule.message, /wasmUrl/);
    await close();
  });
});
