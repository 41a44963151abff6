import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { chromium, firefox, newPage } from "./support/browsers.mjs";
import { startServer } from "./support/server.mjs";
import { makeModels } from "./support/tiny-model.mjs";

const PROBABILITY = 1e-3;

const filler = "Nothing of note was written down on that day, and the weather stayed as it was. ";
const QUESTIONS = [
  [
    "What is the capital of France?",
    "🇫🇷 cafe\u0301 \u05e9\u05dc\u05d5\u05dd. The capital of France is Paris 🗼, not Lyon.",
  ],
  ["Who opened the bridge?", `${filler.repeat(2)}The bridge was opened by the mayor, Ines Kolar. ${filler}`],
  ["How many moons does it have?", "The library opens at nine and closes at noon on Saturdays."],
];
const TEXTS = ["a charming and often affecting journey", "it never quite comes together, and then it stops"];

/** Small random models are fast on software GPUs; page.test.mjs uses real models. */
const SIZE = { hidden: 64, intermediate: 128, positions: 128 };

let made;
let server;
let expected;

before(async () => {
  made = await makeModels({ answers: SIZE, sentiment: { ...SIZE, task: "text-classification" } });
  server = await startServer(Object.values(made.folders));
  expected = await inBrowser(() => chromium(), "wasm");
});

after(async () => {
  await server?.stop();
  await made?.remove();
});

/** All results of the models in one browser on one device. */
async function inBrowser(launch, device) {
  const browser = await launch();
  try {
    const { page } = await newPage(browser);
    await page.goto(`${server.address}style.css`);
    return await page.evaluate(
      async ({ device, questions, texts }) => {
        const { QuestionAnswering, TextClassification } = await import("/pkg/dist/index.js");
        const qa = await QuestionAnswering.load("/models/answers/", { device });
        const results = { device: qa.device.kind, answers: [], explained: [], labels: [] };
        for (const [question, context] of questions) {
          const { answers, noAnswer } = await qa.ask(question, context, { topK: 3 });
          const shown = answers.map(({ text, start, end, probability }) => ({ text, start, end, probability }));
          results.answers.push({ answers: shown, noAnswer: noAnswer.probability });
          const { words, attention } = await qa.explain(question, context, { answer: answers[0], layer: 1, head: 1 });
          results.explained.push({ words, attentionProbability: [...attention] });
        }
        await qa.dispose();
        const sentiment = await TextClassification.load("/models/sentiment/", { device });
        for (const text of texts) results.labels.push((await sentiment.classify(text)).labels);
        await sentiment.dispose();
        return results;
      },
      { device, questions: QUESTIONS, texts: TEXTS },
    );
  } finally {
    await browser.close();
  }
}

/** Returns the first difference between two results, or undefined if they agree. */
function difference(found, expected, path = "result") {
  if (typeof expected === "number" && /probability|noAnswer/i.test(path)) {
    return Math.abs(found - expected) <= PROBABILITY ? undefined : `${path}: ${found}, not ${expected}`;
  }
  if (typeof expected !== "object" || expected === null) {
    return found === expected ? undefined : `${path}: ${found}, not ${expected}`;
  }
  const keys = new Set([...Object.keys(expected), ...Object.keys(found ?? {})]);
  for (const key of keys) {
    const deeper = difference(found?.[key], expected[key], `${path}.${key}`);
    if (deeper) return deeper;
  }
}

test("the comparison detects a shifted answer, a missing one, a changed probability and other attention", () => {
  const change = (edit) => {
    const copy = structuredClone(expected);
    edit(copy);
    return difference(copy, expected);
  };
  assert.equal(
    change(() => {}),
    undefined,
  );
  assert.match(
    change((results) => results.answers[0].answers[0].start++),
    /start/,
  );
  assert.match(
    change((results) => results.answers[1].answers.pop()),
    /undefined/,
  );
  assert.match(
    change((results) => (results.labels[1][0].probability += 0.0011)),
    /probability/,
  );
  assert.match(
    change((results) => (results.explained[1].attentionProbability[5] += 0.0011)),
    /attention/,
  );
  assert.equal(
    change((results) => (results.answers[2].noAnswer += 0.0009)),
    undefined,
  );
});

for (const [name, launch, device] of [
  ["Chromium on WebGPU", () => chromium({ webgpu: true }), "webgpu"],
  ["Firefox on the CPU", firefox, "wasm"],
  ["Firefox on WebGPU", firefox, "webgpu"],
]) {
  test(`${name} gives the same answers and offsets as Chromium on the CPU`, async () => {
    const found = await inBrowser(launch, device);
    assert.equal(found.device, device);
    assert.equal(difference({ ...found, device: expected.device }, expected), undefined);
  });
}

/** Labels of the included model, whose layers a GPU can compute in one kernel each. */
async function chained(launch, device, schedule) {
  const browser = await launch();
  try {
    const { page } = await newPage(browser);
    await page.goto(`${server.address}style.css`);
    return await page.evaluate(
      async ({ options, texts }) => {
        const { TextClassification } = await import("/pkg/dist/index.js");
        const sentiment = await TextClassification.load("/models/mobilebert-sst2/", options);
        const labels = [];
        for (const text of texts) labels.push((await sentiment.classify(text)).labels);
        await sentiment.dispose();
        return labels;
      },
      { options: { device, schedule }, texts: TEXTS },
    );
  } finally {
    await browser.close();
  }
}

test("one kernel per layer gives the same labels as the CPU", async () => {
  const onCpu = await chained(() => chromium(), "wasm");
  for (const launch of [() => chromium({ webgpu: true }), firefox]) {
    const found = await chained(launch, "webgpu", "chain");
    assert.equal(difference(found, onCpu), undefined);
  }
});
