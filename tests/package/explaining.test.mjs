import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { findModels } from "../browser/support/models.mjs";
import { install, temporaryFolder } from "./support/install.mjs";

const question = "Who keeps the lighthouse?";
// An unpaired surrogate, a pair of them, and an accent that the model doesn't see.
const context = "\ud83d 🗼 The cafe\u0301 belongs to Tobias. The lighthouse is kept by Ada Ferrow.";
const filler = "The harbor office opens at nine and closes at noon, and the boats leave in between. ";

let temporary;
let models;
let mobilebert;
before(async () => {
  models = await findModels();
  temporary = await temporaryFolder();
  mobilebert = (await install(temporary.folder)).exports;
});
after(() => temporary?.remove());

const coded =
  (code, field, message = /./) =>
  (error) => {
    assert.ok(error instanceof mobilebert.MobileBertError, String(error));
    assert.deepEqual([error.code, error.detail.field], [code, field], error.message);
    assert.match(error.message, message);
    return true;
  };

/** Everything but the times. */
const content = ({ timing, ...rest }) => rest;

for (const worker of [true, false]) {
  describe(worker ? "in a worker" : "without a worker", () => {
    let qa;
    before(async () => {
      qa = await mobilebert.QuestionAnswering.load(models.answers.folder, { worker });
    });
    after(() => qa?.dispose());

    test("an explanation has the words of both texts, and the answer's are the most probable ones", async () => {
      const { answers } = await qa.ask(question, context);
      assert.equal(answers[0].text, "Ada Ferrow");
      const { words, attention, windows, timing } = await qa.explain(question, context, { answer: answers[0] });
      assert.deepEqual([attention, windows], [undefined, 1]);
      const texts = { question, context };
      for (const { text, source, start, end } of words) {
        if (source !== "special") assert.equal(texts[source].slice(start, end), text);
      }
      const special = words.filter(({ source }) => source === "special").map(({ text }) => text);
      assert.deepEqual(special, ["[CLS]", "[SEP]", "[SEP]"]);
      const most = (name) => words.reduce((best, word) => (word[name] > best[name] ? word : best));
      assert.deepEqual([most("startProbability").text, most("endProbability").text], ["Ada", "Ferrow"]);
      for (const name of ["startProbability", "endProbability"]) {
        const sum = words.reduce((sum, word) => sum + word[name], 0);
        assert.ok(Math.abs(sum - 1) < 1e-9, `${name}: ${sum}`);
      }
      assert.ok(timing.total > 0 && timing.total >= timing.compute, JSON.stringify(timing));
    });

    test("attention has a row per word that adds up to 1, and differs between layers and heads", async () => {
      const { layers, heads } = await qa.explain(question, context);
      const seen = new Set();
      for (const [layer, head] of [
        [0, 0],
        [0, heads - 1],
        [layers - 1, 0],
      ]) {
        const { words, attention } = await qa.explain(question, context, { layer, head });
        assert.ok(attention instanceof Float32Array);
        assert.equal(attention.length, words.length ** 2);
        for (let at = 0; at < attention.length; at += words.length) {
          const sum = attention.subarray(at, at + words.length).reduce((sum, share) => sum + share, 0);
          assert.ok(Math.abs(sum - 1) < 1e-4, `layer ${layer}, head ${head}: ${sum}`);
        }
        seen.add(String(attention));
      }
      assert.equal(seen.size, 3);
    });

    test("it doesn't depend on the calls before it", async () => {
      const first = await qa.explain(question, context, { layer: 1, head: 2 });
      await qa.explain("Who owns the cafe?", context, { layer: 1, head: 2 });
      await qa.ask(question, context);
      assert.deepEqual(content(await qa.explain(question, context, { layer: 1, head: 2 })), content(first));
    });

    test("in a long text, it is that of the window with the answer", async () => {
      const long = `${filler.repeat(60)}The lighthouse is kept by Ada Ferrow. ${filler.repeat(10)}`;
      const { answers, windows } = await qa.ask(question, long);
      const found = await qa.explain(question, long, { answer: answers[0] });
      assert.equal(found.windows, windows);
      assert.ok(found.window > 2 && found.words.length < 400, `window ${found.window}`);
      const first = found.words.find(({ source, start }) => source === "context" && start === answers[0].start);
      assert.ok(first.startProbability > 0.2, JSON.stringify(first));
      assert.deepEqual(content(await qa.explain(question, long)), content(found));
      const stop = AbortSignal.timeout(1);
      await assert.rejects(qa.explain(question, long.repeat(3), { signal: stop }), coded("aborted"));
    });

    test("bad arguments are named, and the model stays usable", async () => {
      const { layers, heads } = await qa.explain(question, context);
      const wrong = [
        [{ layer: layers, head: 0 }, "layer", /this model has 0 to/],
        [{ layer: 0, head: heads }, "head", /this model has 0 to/],
        [{ layer: 0 }, "head", /missing/],
        [{ head: 0 }, "layer", /missing/],
        [{ answer: { start: 3, end: 3 } }, "answer"],
        [{ answer: { start: 0, end: context.length + 1 } }, "answer"],
        [{ answer: { start: 2, end: 3 } }, "answer", /`ask` returned|at least one character/],
        [{ maxLength: 3 }, "maxLength"],
      ];
      for (const [options, field, message] of wrong) {
        await assert.rejects(qa.explain(question, context, options), coded("invalid-input", field, message));
      }
      await assert.rejects(qa.explain("", context), coded("invalid-input", "question"));
      await assert.rejects(qa.explain(question, " "), coded("invalid-input", "context"));
      await qa.explain(question, context, { layer: 0, head: 0 });
    });
  });
}

test("aborting and disposing end it", async () => {
  const qa = await mobilebert.QuestionAnswering.load(models.answers.folder);
  const aborted = { signal: AbortSignal.abort() };
  await assert.rejects(qa.explain(question, context, aborted), coded("aborted"));
  const running = qa.explain(question, filler.repeat(200));
  await qa.dispose();
  await assert.rejects(running, coded("disposed"));
  await assert.rejects(qa.explain(question, context), coded("disposed"));
});
