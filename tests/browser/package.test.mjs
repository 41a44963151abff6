import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { chromium, newPage } from "./support/browsers.mjs";
import { findModels } from "./support/models.mjs";
import { startServer } from "./support/server.mjs";

let server;
let browser;
let page;
let models;

before(async () => {
  models = await findModels();
  server = await startServer();
  browser = await chromium();
  ({ page } = await newPage(browser));
  await page.goto(`${server.address}style.css`);
  await page.evaluate(async (models) => {
    globalThis.mobilebert = await import("/pkg/dist/index.js");
    globalThis.answersAt = `/models/${models.answers.name}/`;
    globalThis.sentimentAt = `/models/${models.sentiment.name}/`;
    globalThis.qa = await globalThis.mobilebert.QuestionAnswering.load(globalThis.answersAt, { device: "wasm" });
  }, models);
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

test("answers are slices of the context in UTF-16 units, whatever surrounds them", async () => {
  const cases = [
    { context: "Paris is the capital of France.", question: "What is the capital of France?", expected: "Paris" },
    { context: "The capital of France is Paris", question: "What is the capital of France?", expected: "Paris" },
    { context: "Paris", question: "Which city?", expected: "Paris" },
    {
      context:
        "🇫🇷👩‍👩‍👧 法国 cafe\u0301 \u05e9\u05dc\u05d5\u05dd. The capital of France is Paris 🗼, not Lyon. \u05e9\u05dc\u05d5\u05dd 🗼",
      question: "What is the capital of France?",
      expected: "Paris",
    },
    { context: "A lone \ud800 surrogate stands in Paris.", question: "Where does it stand?", expected: "Paris" },
  ];
  const results = await page.evaluate(async (cases) => {
    const results = [];
    for (const { question, context } of cases) {
      const { answers } = await globalThis.qa.ask(question, context);
      results.push(answers.map(({ text, start, end }) => ({ text, slice: context.slice(start, end) })));
    }
    return results;
  }, cases);
  for (const [i, answers] of results.entries()) {
    assert.ok(answers.length > 0, `case ${i + 1}: no answer`);
    for (const { text, slice } of answers) assert.equal(text, slice);
    assert.ok(answers[0].text.includes(cases[i].expected), `case ${i + 1}: "${answers[0].text}"`);
  }
});

test("a long text is read in windows, with the best answer so far after each of them", async () => {
  const { partials, result, context } = await page.evaluate(async () => {
    const filler = "Nothing of note was written down on that day, and the weather stayed as it was. ";
    const context = `${filler.repeat(40)}The bridge was opened by the mayor, Ines Kolar. ${filler.repeat(40)}`;
    const partials = [];
    const onPartial = ({ windowsDone, windowsTotal }) => partials.push([windowsDone, windowsTotal]);
    return { result: await globalThis.qa.ask("Who opened the bridge?", context, { onPartial }), partials, context };
  });
  assert.ok(result.windows > 3, `${result.windows} windows`);
  assert.ok(result.answers[0].text.includes("Ines Kolar"), result.answers[0].text);
  assert.equal(context.slice(result.answers[0].start, result.answers[0].end), result.answers[0].text);
  assert.ok(partials.length > 0);
  assert.equal(result.windowsDone, result.windows);
  for (const [i, [done, total]] of partials.entries()) {
    assert.ok(done > (partials[i - 1]?.[0] ?? 0) && done <= total);
    assert.equal(total, result.windows);
  }
});

test("a question aborted between windows is `aborted`, and the model still works", async () => {
  const ended = await page.evaluate(async () => {
    const context = "Nothing of note was written down on that day. ".repeat(300);
    const stop = new AbortController();
    const options = { signal: stop.signal, onPartial: () => stop.abort() };
    const code = await globalThis.qa.ask("Who?", context, options).catch((error) => error.code);
    const { answers } = await globalThis.qa.ask("What is the capital?", "The capital is Paris.");
    return { code, next: answers[0].text };
  });
  assert.equal(ended.code, "aborted");
  assert.ok(ended.next.includes("Paris"), ended.next);
});

test("empty texts and invalid options are `invalid-input`, and the error names them", async () => {
  const errors = await page.evaluate(async () => {
    const calls = [
      ["", "A text."],
      ["   ", "A text."],
      ["Who?", ""],
      ["Who?", " \n "],
      ["Who?", "A text.", { topK: 0 }],
      ["Who?", "A text.", { topk: 3 }],
      ["Who?", "A text.", { docStride: 0 }],
      [undefined, "A text."],
    ];
    const errors = [];
    for (const call of calls) {
      errors.push(
        await globalThis.qa.ask(...call).then(
          ({ answers }) => ({ code: "answered", message: JSON.stringify(answers) }),
          ({ code, message }) => ({ code, message }),
        ),
      );
    }
    return errors;
  });
  const names = [/question/, /question/, /context/, /context/, /top_?k/i, /topk/, /stride/i, /question/];
  for (const [i, { code, message }] of errors.entries()) {
    assert.equal(code, "invalid-input", `call ${i + 1}: ${message}`);
    assert.match(message, names[i]);
  }
});

test("concurrent questions get their own answers", async () => {
  const answers = await page.evaluate(async () => {
    const names = ["Ada", "Bela", "Carl", "Dora", "Emil"];
    const asked = Array.from({ length: 25 }, (_, i) => names[i % names.length]);
    const results = asked.map((name) => globalThis.qa.ask("What is her name?", `Her name is ${name}.`));
    return (await Promise.all(results)).map(({ answers }, i) => [answers[0].text, asked[i]]);
  });
  for (const [text, name] of answers) assert.ok(text.includes(name), `${text}, not ${name}`);
});

test("progress never decreases, for a download and then from the cache", async () => {
  const loads = await page.evaluate(async () => {
    const { TextClassification, cache } = globalThis.mobilebert;
    await cache.clear();
    const loads = [];
    for (let i = 0; i < 2; i++) {
      const seen = [];
      const onProgress = (progress) => seen.push(progress);
      const model = await TextClassification.load(globalThis.sentimentAt, { device: "wasm", onProgress });
      const { labels } = await model.classify("A wonderful film.");
      await model.dispose();
      loads.push({ seen, labels, kept: await cache.list() });
    }
    return loads;
  });
  for (const { seen } of loads) {
    const bytes = seen.filter(({ phase }) => phase === "download" || phase === "cache");
    for (const [i, { loaded, total }] of bytes.entries()) {
      assert.ok(loaded >= (bytes[i - 1]?.loaded ?? 0) && loaded <= total);
      assert.equal(total, bytes[0].total, "the total changed");
    }
    assert.equal(bytes.at(-1).loaded, bytes.at(-1).total);
  }
  assert.ok(loads[0].seen.some(({ phase }) => phase === "download"));
  assert.ok(
    loads[1].seen.every(({ phase }) => phase !== "download"),
    "the second load was not from the cache",
  );
  assert.deepEqual(loads[0].labels, loads[1].labels);
  assert.equal(loads[1].kept.length, 1);
  assert.ok(loads[1].kept[0].files.some(({ name }) => name === "model.safetensors"));
});

test("a cached model that lost a file, or part of one, is downloaded again", async () => {
  const labels = await page.evaluate(async () => {
    const { TextClassification } = globalThis.mobilebert;
    const load = async () => {
      const model = await TextClassification.load(globalThis.sentimentAt, { device: "wasm" });
      const { labels } = await model.classify("A wonderful film.");
      await model.dispose();
      return labels[0];
    };
    const first = await load();
    const store = await caches.open((await caches.keys())[0]);
    const keys = await store.keys();
    const weights = keys.findLast(({ url }) => url.includes("model.safetensors"));
    const kept = await store.match(weights);
    const half = (await kept.arrayBuffer()).slice(0, 100_000);
    await store.put(weights, new Response(half, { headers: kept.headers }));
    const second = await load();
    const config = (await store.keys()).find(({ url }) => url.includes("config.json"));
    await store.delete(config);
    return [first, second, await load()];
  });
  assert.deepEqual(labels[1], labels[0]);
  assert.deepEqual(labels[2], labels[0]);
});

test("a pipeline gives a list to the model at once, with the results of each text alone", async () => {
  const { list, alone, calls } = await page.evaluate(async () => {
    const { postMessage } = Worker.prototype;
    const calls = [];
    Worker.prototype.postMessage = function (message, ...rest) {
      if (message.call) calls.push(message.call.name);
      postMessage.call(this, message, ...rest);
    };
    const classify = await globalThis.mobilebert.pipeline("text-classification", globalThis.sentimentAt, {
      device: "wasm",
    });
    const texts = ["A wonderful film.", { text: "A dull mess.", text_pair: "Nobody liked it." }, "word ".repeat(900)];
    const alone = [];
    for (const text of texts) alone.push(await classify(text, { top_k: null }));
    calls.length = 0;
    const list = [await classify(texts, { top_k: null }), await classify(texts), await classify([])];
    await classify.dispose();
    Worker.prototype.postMessage = postMessage;
    return { list, alone, calls };
  });
  assert.deepEqual(calls, ["classify", "classify"]);
  const [all, best, none] = list;
  assert.deepEqual(none, []);
  assert.deepEqual(
    best,
    all.map(([first]) => first),
  );
  for (const [i, scores] of all.entries()) {
    assert.deepEqual(
      scores.map(({ label }) => label),
      alone[i].map(({ label }) => label),
    );
    for (const [j, { score }] of scores.entries()) assert.ok(Math.abs(score - alone[i][j].score) < 1e-4);
  }
});

test("selected files without a worker give the same answer as a URL with one", async () => {
  const answers = await page.evaluate(async () => {
    const { QuestionAnswering } = globalThis.mobilebert;
    const files = {};
    for (const name of ["config.json", "tokenizer.json", "model.safetensors"]) {
      files[name] = await (await fetch(globalThis.answersAt + name)).blob();
    }
    const local = await QuestionAnswering.load(files, { device: "wasm", worker: false });
    const question = "When did it begin?";
    const context = "The fair begins on Friday and ends on Sunday.";
    const here = await local.ask(question, context);
    const there = await globalThis.qa.ask(question, context);
    await local.dispose();
    return [here.answers, there.answers];
  });
  assert.deepEqual(answers[0], answers[1]);
});

test("pairs and lists of texts are classified independently", async () => {
  const [list, alone] = await page.evaluate(async () => {
    const model = await globalThis.mobilebert.TextClassification.load(globalThis.sentimentAt, { device: "wasm" });
    const texts = ["A wonderful film.", ["A dull mess.", "Nobody liked it."], "word ".repeat(2000)];
    const list = await model.classify(texts);
    const alone = [];
    for (const text of texts) alone.push(await model.classify(text));
    await model.dispose();
    return [list, alone];
  });
  assert.deepEqual(
    list.map(({ truncated }) => truncated),
    [false, false, true],
  );
  for (const [i, { labels }] of list.entries()) {
    const sum = labels.reduce((sum, { probability }) => sum + probability, 0);
    assert.ok(Math.abs(sum - 1) < 1e-5);
    for (const [j, { label, probability }] of labels.entries()) {
      assert.equal(label, alone[i].labels[j].label);
      assert.ok(Math.abs(probability - alone[i].labels[j].probability) < 1e-4);
    }
  }
});
