import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { openAsBlob } from "node:fs";
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { basename, dirname, join, relative } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { setEnvironmentData } from "node:worker_threads";
import { withMemory } from "../browser/support/limited-memory.mjs";
import { findModels } from "../browser/support/models.mjs";
import { install, temporaryFolder } from "./support/install.mjs";

const execute = promisify(execFile);
const files = ["config.json", "tokenizer.json", "model.safetensors"];
const context = "🗼 The fair begins on Friday and ends on Sunday. Its mayor is Ines Kolar.";
const question = "Who is the mayor?";

let temporary;
let models;
let mobilebert;
let expected;
before(async () => {
  models = await findModels();
  temporary = await temporaryFolder();
  mobilebert = (await install(temporary.folder)).exports;
});
after(() => temporary?.remove());

const zero = [0xfd, 12, ...new Array(16).fill(0)];
/** A module that multiplies and adds three zero vectors, with relaxed SIMD. */
const RELAXED = Uint8Array.of(
  ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 61, 1, 59, 0],
  ...[...zero, ...zero, ...zero, 0xfd, 0x85, 2, 11],
);

/** Loads, asks the same question and disposes. */
async function answers(source, options) {
  const qa = await mobilebert.QuestionAnswering.load(source, options);
  const { answers } = await qa.ask(question, context);
  await qa.dispose();
  return answers;
}

const coded =
  (code, message = /./) =>
  (error) => {
    assert.ok(error instanceof mobilebert.MobileBertError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    return true;
  };

test("a directory path with a worker gives the answer and its offsets", async () => {
  const qa = await mobilebert.QuestionAnswering.load(models.answers.folder);
  assert.equal(qa.device.kind, "wasm");
  assert.ok(qa.device.reason.length > 10, qa.device.reason);
  const simd = WebAssembly.validate(RELAXED) ? /^relaxed/ : /^simd128: no relaxed SIMD: it is not supported here$/;
  assert.match(`${qa.device.simd.set}: ${qa.device.simd.reason}`, simd);
  const result = await qa.ask(question, context);
  expected = result.answers;
  assert.equal(expected[0].text, "Ines Kolar");
  for (const { text, start, end } of expected) assert.equal(context.slice(start, end), text);
  assert.ok(result.timing.total > 0);
  await qa.dispose();
});

test("several workers read a long text like one, and nothing keeps the process alive", async () => {
  const long = `${"Nothing of note was written down on that day. ".repeat(220)}${context}`;
  const script = `
    import { QuestionAnswering } from "mobilebert";
    const replies = [];
    for (const threads of [1, 3]) {
      const qa = await QuestionAnswering.load(${JSON.stringify(models.answers.folder)}, { simd: "simd128", threads });
      const { answers, windows } = await qa.ask(${JSON.stringify(question)}, ${JSON.stringify(long)});
      const { wasmBytes } = await qa.memory();
      replies.push({ answers, windows, wasmBytes, threads: qa.device.threads, reason: qa.device.reason });
    }
    console.log(JSON.stringify(replies));`;
  const options = { cwd: temporary.folder, timeout: 240_000 };
  const { stdout } = await execute(process.execPath, ["--input-type=module", "--eval", script], options);
  const [one, three] = JSON.parse(stdout);
  assert.deepEqual([three.answers, three.windows], [one.answers, one.windows]);
  assert.equal(three.reason, one.reason);
  assert.equal(three.threads, 3);
  assert.ok(three.wasmBytes > 2 * one.wasmBytes, `${three.wasmBytes} bytes for three, ${one.wasmBytes} for one`);
});

test("a worker that fails counts as one that is missing", async () => {
  // One of the two helpers answers the jobs that it gets with an error.
  await writeFile(
    join(temporary.folder, "failing.mjs"),
    `import { parentPort, threadId } from "node:worker_threads";
    const { postMessage } = MessagePort.prototype;
    MessagePort.prototype.postMessage = function (message, ...rest) {
      const { id, kind } = message ?? {};
      const fails = kind === "result" && this !== parentPort && threadId % 2 === 0;
      const error = { code: "internal", message: "out of order", detail: {} };
      return postMessage.call(this, fails ? { id, kind: "error", error } : message, ...rest);
    };
    await import("mobilebert/worker");`,
  );
  const long = `${"Nothing of note was written down on that day. ".repeat(220)}${context}`;
  const workerUrl = pathToFileURL(join(temporary.folder, "failing.mjs"));
  const options = { simd: "simd128", threads: 3, workerUrl };
  const qa = await mobilebert.QuestionAnswering.load(models.answers.folder, options);
  await qa.ask(question, long);
  // The end of its thread is noticed later.
  await new Promise((resolve) => setTimeout(resolve, 500));
  await qa.ask(question, context);
  assert.equal(qa.device.threads, 2);
  assert.match(qa.device.reason, /2 of 3 workers: out of order$/);
  await qa.dispose();
});

test("the tokens of a text have ids, pieces and exact places, with and without a worker", async () => {
  const text = "🗼 Café [SEP] the\u0301 tower";
  for (const worker of [true, false]) {
    const qa = await mobilebert.QuestionAnswering.load(models.answers.folder, { worker });
    const tokens = await qa.tokenize(text);
    assert.equal(tokens.count, tokens.ids.length);
    for (const list of ["pieces", "offsets", "typeIds", "textIndices"]) assert.equal(tokens[list].length, tokens.count);
    assert.deepEqual([tokens.pieces[0], tokens.pieces.at(-1)], ["[CLS]", "[SEP]"]);
    assert.deepEqual([tokens.offsets[0], tokens.textIndices[0]], [[0, 0], null]);
    // A passage can't end its own segment.
    assert.equal(tokens.pieces.filter((piece) => piece === "[SEP]").length, 1);
    const tower = tokens.offsets.findIndex(([start]) => start === text.indexOf("tower"));
    assert.ok(tower > 0, JSON.stringify(tokens));
    const pair = await mobilebert.tokenize(qa, [question, context]);
    const from = (index) => pair.textIndices.filter((found) => found === index).length;
    assert.equal(from(0) + from(1) + 3, pair.count);
    const kolar = context.indexOf("Kolar");
    assert.ok(pair.offsets.some(([start], at) => pair.textIndices[at] === 1 && start === kolar));
    for (const wrong of [3, null, [], ["a", 1], ["a", "b", "c"]]) {
      await assert.rejects(qa.tokenize(wrong), coded("invalid-input"));
    }
    await qa.dispose();
    const split = await mobilebert.QuestionAnswering.load(models.answers.folder, { worker, splitSpecialTokens: false });
    assert.equal((await split.tokenize("a [SEP] b")).count, 5);
    await split.dispose();
  }
});

test("the answers are the same without a worker, and for every kind of model source", async () => {
  const { folder } = models.answers;
  const picked = [];
  for (const name of files) picked.push(new File([await readFile(join(folder, name))], name));
  const map = new Map();
  for (const name of files) map.set(name, await openAsBlob(join(folder, name)));
  const sources = {
    "a path, no worker": [folder, { worker: false }],
    "a file URL": [pathToFileURL(`${folder}/`)],
    "a file URL as text": [pathToFileURL(folder).href],
    "a relative path": [`./${relative(process.cwd(), folder)}`],
    "picked files": [picked],
    "a map of files, no worker": [map, { worker: false }],
  };
  for (const [name, [source, options]] of Object.entries(sources)) {
    assert.deepEqual(await answers(source, options), expected, name);
  }
});

test("a model can come from a server, and the wasm module from bytes", async () => {
  const server = createServer(async (request, response) => {
    const path = join(models.answers.folder, basename(request.url));
    const bytes = await readFile(path).catch(() => undefined);
    response.writeHead(bytes ? 200 : 404).end(bytes);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const wasmBytes = await readFile(join(temporary.folder, "node_modules/mobilebert/wasm/mobilebert_bg.wasm"));
    const address = `http://127.0.0.1:${server.address().port}/model/`;
    assert.deepEqual(await answers(address, { wasmBytes: new Uint8Array(wasmBytes) }), expected);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

test("a server that sends a page for every missing file works", async () => {
  const pages = new Set();
  const server = createServer(async (request, response) => {
    const name = basename(request.url);
    const bytes = await readFile(join(models.answers.folder, name)).catch(() => undefined);
    const exists = bytes !== undefined && name !== "tokenizer_config.json" && !name.startsWith("files");
    if (!exists) pages.add(name);
    response.writeHead(200, { "content-type": exists ? "application/octet-stream" : "text/html" });
    response.end(exists ? bytes : "<!doctype html><title>A single-page app</title>");
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const address = `http://127.0.0.1:${server.address().port}`;
    assert.deepEqual(await answers(`${address}/model/`), expected);
    assert.deepEqual([...pages].sort(), [
      "added_tokens.json",
      "files.json",
      "modules.json",
      "sentence_bert_config.json",
      "special_tokens_map.json",
      "tokenizer_config.json",
    ]);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

test("the worker doesn't block this thread, and a call can be aborted between windows", async () => {
  const qa = await mobilebert.QuestionAnswering.load(models.answers.folder);
  const long = "Nothing of note was written down on that day. ".repeat(200);
  const stop = new AbortController();
  let turns = 0;
  let finished = false;
  const count = () => {
    turns++;
    if (!finished) setImmediate(count);
  };
  setImmediate(count);
  const partials = [];
  const onPartial = ({ windowsDone, windowsTotal }) => {
    partials.push({ windowsDone, turns });
    assert.ok(windowsTotal > 3, `${windowsTotal} windows`);
    if (partials.length === 2) stop.abort();
  };
  await assert.rejects(qa.ask(question, long, { onPartial, signal: stop.signal }), coded("aborted"));
  finished = true;
  assert.equal(partials.length, 2);
  assert.ok(partials[0].turns > 1, "this thread was blocked");
  assert.deepEqual((await qa.ask(question, context)).answers, expected);
  const running = qa.ask(question, long);
  await qa.dispose();
  await assert.rejects(running, coded("disposed"));
  await assert.rejects(qa.ask(question, context), coded("disposed"));
});

/** Texts of different lengths; 20 are one run, and 400 are 24. */
const films = (count) =>
  Array.from({ length: count }, (_, i) => `Film number ${i} was ${i % 3 ? "dull" : "a joy"}. `.repeat(1 + (i % 4)));

test("a batch gives the same results as its texts one by one", async () => {
  const texts = films(20);
  const apart = ({ timing, ...rest }) => rest;
  for (const worker of [true, false]) {
    const model = await mobilebert.TextClassification.load(models.sentiment.folder, { worker });
    const together = await model.classify(texts.map((text) => [text]));
    for (const [i, text] of texts.entries()) {
      if (i % 6 === 0) assert.deepEqual(apart(together[i]), apart(await model.classify(text)), text);
    }
    assert.equal((await model.classify([["One."], ["Two."]])).length, 2);
    assert.ok("labels" in (await model.classify(["One.", "Two."])), "two strings are a pair");
    await model.dispose();
  }
});

/** Calls `onTurn` with the number of times that the package has yielded to events in this thread, each time. */
function watchTurns(onTurn) {
  const Channel = globalThis.MessageChannel;
  let turns = 0;
  // The package yields with a message to itself, before every call and after every run.
  globalThis.MessageChannel = function Counted() {
    onTurn(++turns);
    return new Channel();
  };
  return () => {
    globalThis.MessageChannel = Channel;
    return turns;
  };
}

test("without a worker, an aborted batch ends with the run it is in", async () => {
  const model = await mobilebert.TextClassification.load(models.sentiment.folder, { worker: false });
  const stop = new AbortController();
  const end = watchTurns((turns) => turns === 3 && stop.abort());
  await assert.rejects(model.classify(films(400), { signal: stop.signal }), coded("aborted"));
  await model.classify("And the next.");
  assert.equal(end(), 4, "runs of the aborted batch delayed the next call");
  await model.dispose();
});

test("an aborted batch ends with the run that its worker is in", async () => {
  // The number of turns in the worker, and whether it may go on after the third.
  const shared = new Int32Array(new SharedArrayBuffer(8));
  const [TURNS, MAY_GO_ON] = [0, 1];
  setEnvironmentData("shared", shared);
  const program = `import { getEnvironmentData } from "node:worker_threads";
const shared = getEnvironmentData("shared");
${watchTurns}
watchTurns(() => {
  if (Atomics.add(shared, ${TURNS}, 1) === 2) Atomics.wait(shared, ${MAY_GO_ON}, 0);
});
await import("mobilebert/worker");`;
  const workerUrl = join(temporary.folder, "counting.mjs");
  await writeFile(workerUrl, program);
  const model = await mobilebert.TextClassification.load(models.sentiment.folder, { workerUrl, threads: 1 });
  const stop = new AbortController();
  const ended = assert.rejects(model.classify(films(400), { signal: stop.signal }), coded("aborted"));
  while (Atomics.load(shared, TURNS) < 3) await new Promise(setImmediate);
  stop.abort();
  Atomics.store(shared, MAY_GO_ON, 1);
  Atomics.notify(shared, MAY_GO_ON);
  await ended;
  await model.classify("And the next.");
  const turns = Atomics.load(shared, TURNS);
  // The worker may notice the abort a turn late.
  assert.ok(turns <= 6, `${turns} turns: runs of the aborted batch delayed the next call`);
  await model.dispose();
});

test("without a worker, timers and aborts are handled between calls", async () => {
  const qa = await mobilebert.QuestionAnswering.load(models.answers.folder, { worker: false });
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  const stop = new AbortController();
  setTimeout(() => stop.abort(), 5);
  const calls = Array.from({ length: 12 }, () => qa.ask(question, context));
  const last = assert.rejects(qa.ask(question, context, { signal: stop.signal }), coded("aborted"));
  await Promise.all(calls);
  clearInterval(timer);
  assert.ok(turns >= 6, `${turns} turns in ${calls.length} calls`);
  await last;
  const waiting = Array.from({ length: 12 }, () => qa.ask(question, context));
  setTimeout(() => qa.dispose(), 1);
  const ends = (await Promise.allSettled(waiting)).map(({ reason }) => reason?.code);
  assert.equal(ends.at(-1), "disposed");
});

test("it works in Node before 20.16, without `getBuiltinModule`", async () => {
  const program = `process.getBuiltinModule = undefined;
const { QuestionAnswering } = await import("mobilebert");
const qa = await QuestionAnswering.load(${JSON.stringify(models.answers.folder)}, { worker: false });
console.log(JSON.stringify((await qa.ask(${JSON.stringify(question)}, ${JSON.stringify(context)})).answers));`;
  await writeFile(join(temporary.folder, "older.mjs"), program);
  const { stdout } = await execute(process.execPath, ["older.mjs"], { cwd: temporary.folder, timeout: 120_000 });
  assert.deepEqual(JSON.parse(stdout), expected);
});

test("every option may be `undefined`", async () => {
  const load = ["device", "dtype", "worker", "signal", "onProgress", "endpoint", "revision", "headers", "wasmUrl"];
  const ask = ["topK", "maxAnswerTokens", "docStride", "maxLength", "maxWindows", "onPartial", "signal"];
  const none = (names) => Object.fromEntries(names.map((name) => [name, undefined]));
  const qa = await mobilebert.QuestionAnswering.load(models.answers.folder, none(load));
  assert.deepEqual((await qa.ask(question, context, none(ask))).answers, expected);
  await qa.dispose();
});

test("`pipeline()` classifies", async () => {
  const classify = await mobilebert.pipeline("sentiment-analysis", models.sentiment.folder);
  const [{ label, score }] = await classify("A wonderful film, warm and funny.");
  assert.match(label, /pos/i);
  assert.ok(score > 0.5 && score <= 1);
  await classify.dispose();
});

test("errors have a code and a helpful message", async () => {
  const { QuestionAnswering } = mobilebert;
  const { folder } = models.answers;
  for (const worker of [true, false]) {
    await assert.rejects(QuestionAnswering.load(`${folder}/nowhere`, { worker }), coded("not-found", /config\.json/));
    await assert.rejects(QuestionAnswering.load(folder, { worker, device: "webgpu" }), coded("unsupported"));
    await assert.rejects(
      QuestionAnswering.load(models.sentiment.folder, { worker }),
      coded("unsupported", /TextClass/),
    );
    const stopped = { worker, signal: AbortSignal.abort() };
    await assert.rejects(QuestionAnswering.load(folder, stopped), coded("aborted"));
    const elsewhere = { worker, wasmUrl: "nowhere/mobilebert_bg.wasm" };
    if (worker) await assert.rejects(QuestionAnswering.load(folder, elsewhere), coded("not-found", /wasmUrl/));
  }
  const noWorker = coded("not-found", /nowhere\.js.*`workerUrl`/);
  await assert.rejects(QuestionAnswering.load(folder, { workerUrl: "nowhere.js" }), noWorker);
  const foreign = coded("unsupported", /example\.org\/worker\.js.*`workerUrl`/);
  await assert.rejects(QuestionAnswering.load(folder, { workerUrl: "https://example.org/worker.js" }), foreign);
  const copy = join(temporary.folder, "commonjs", "worker.js");
  await mkdir(dirname(copy));
  await writeFile(join(dirname(copy), "package.json"), '{ "type": "commonjs" }');
  await copyFile(join(temporary.folder, "node_modules/mobilebert/dist/worker.js"), copy);
  const script = coded("unsupported", /commonjs\/worker\.js: Node doesn't read it as a module.*worker\.mjs/);
  await assert.rejects(QuestionAnswering.load(folder, { workerUrl: copy }), script);
  for (const name of ["wasmUrl", "workerUrl"]) {
    const load = QuestionAnswering.load(folder, { [name]: "http://[" });
    await assert.rejects(load, coded("invalid-input", new RegExp(`${name}.*not a valid URL`)));
  }
});

test("an error that nothing catches is shown with its class, and with little of the bundle", async () => {
  for (const load of ['load("nowhere/")', 'load("nowhere/", { worker: false })', "load(5)", 'load("x", { topK: 1 })']) {
    const program = `import { QuestionAnswering } from "mobilebert"; await QuestionAnswering.${load};`;
    const shown = execute(process.execPath, ["--input-type=module", "--eval", program], { cwd: temporary.folder });
    await assert.rejects(shown, ({ stderr }) => {
      assert.match(stderr, /^MobileBertError: /m);
      assert.ok(stderr.length < 5000, `${load}: ${stderr.length} characters`);
      return true;
    });
  }
});

test("invalid options don't affect the model", async () => {
  const qa = await mobilebert.QuestionAnswering.load(models.answers.folder);
  for (const options of [{ topK: () => 3 }, { maxWindows: 0 }, { topK: Number.NaN }, null, { singal: undefined }]) {
    await assert.rejects(qa.ask(question, context, options), coded("invalid-input"));
  }
  // A limit that only a combination of options violates, checked by the wasm module.
  await assert.rejects(qa.ask(question, context, { maxLength: 3 }), coded("invalid-input", /`maxLength`: maxLength 3/));
  const most = await qa.ask(question, context, { topK: 2 ** 31 - 1 });
  assert.ok(most.answers.length > 3);
  assert.equal((await qa.ask(question, context)).answers.length, 3);
  await qa.dispose();
});

test("a load fails with the error its listener throws, and doesn't keep the process alive", async () => {
  const mine = new Error("of the caller");
  for (const worker of [true, false]) {
    const onProgress = () => {
      throw mine;
    };
    const load = mobilebert.QuestionAnswering.load(models.answers.folder, { worker, onProgress });
    await assert.rejects(load, (error) => error === mine);
  }
});

test("a program that doesn't dispose of its model still exits, whatever flags it runs with", async () => {
  const program = `import { QuestionAnswering } from "mobilebert";
const qa = await QuestionAnswering.load(${JSON.stringify(models.answers.folder)});
const { answers } = await qa.ask(${JSON.stringify(question)}, ${JSON.stringify(context)});
console.log(JSON.stringify(answers));`;
  await writeFile(join(temporary.folder, "forgets.mjs"), program);
  for (const args of [["forgets.mjs"], ["--input-type=module", "--eval", program]]) {
    const { stdout } = await execute(process.execPath, args, { cwd: temporary.folder, timeout: 120_000 });
    assert.deepEqual(JSON.parse(stdout), expected);
  }
});

test("a call that runs out of memory fails, and doesn't end the process without a worker either", async () => {
  const wasm = await readFile(join(temporary.folder, "node_modules/mobilebert/wasm/mobilebert_bg.wasm"));
  await writeFile(join(temporary.folder, "small.wasm"), withMemory(wasm, 64));
  const program = `import { TextClassification } from "mobilebert";
const code = (call) => call.then(() => "none", ({ code }) => code);
for (const worker of [true, false]) {
  const options = { worker, wasmUrl: "small.wasm" };
  const model = await TextClassification.load(${JSON.stringify(models.sentiment.folder)}, options);
  console.log(await code(model.classify("x".repeat(2e7))), await code(model.classify("x")));
  await model.dispose();
  console.log(process.listenerCount("uncaughtException"));
}`;
  await writeFile(join(temporary.folder, "full.mjs"), program);
  const { stdout } = await execute(process.execPath, ["full.mjs"], { cwd: temporary.folder });
  assert.equal(stdout, "out-of-memory out-of-memory\n0\n".repeat(2));
});
