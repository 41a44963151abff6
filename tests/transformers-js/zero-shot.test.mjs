import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { ZeroShotClassification } from "../../pkg/dist/index.js";
import { assertSame } from "./compare.mjs";

const fixtures = join(import.meta.dirname, "../fixtures");
const folder = join(fixtures, "transformers-js/zero-shot-classification");
const { zero_shot: cases } = JSON.parse(await readFile(join(fixtures, "sentence-transformers/expected.json")));
const coded = (code, message) => (error) => error.code === code && message.test(error.message);

for (const worker of [true, false]) {
  describe(`ZeroShotClassification, ${worker ? "in a worker" : "in this thread"}`, () => {
    let model;
    before(async () => {
      model = await ZeroShotClassification.load(folder, { worker });
    });
    after(() => model?.dispose());

    test("labels and scores are those of the pipeline in Python", async () => {
      for (const { text, labels, hypothesis_template: hypothesisTemplate, multi_label: multiLabel, result } of cases) {
        const found = await model.classify(text, labels, { hypothesisTemplate, multiLabel });
        assertSame(
          found.labels.map(({ label, score }) => [label, score]),
          result,
          `${text}: ${labels}`,
        );
      }
    });

    test("10,000 labels are scored", async () => {
      const labels = Array.from({ length: 10_000 }, (_, i) => `week ${i}`);
      const found = await model.classify("the goats", labels);
      assert.equal(new Set(found.labels.map(({ label }) => label)).size, 10_000);
      const sum = found.labels.reduce((sum, { score }) => sum + score, 0);
      assert.ok(Math.abs(sum - 1) < 1e-9, String(sum));
    });

    test("a call can be aborted in the middle, and the model stays usable", async () => {
      const labels = Array.from({ length: 100_000 }, (_, i) => `week ${i}`);
      const stop = new AbortController();
      const call = model.classify("the goats", labels, { signal: stop.signal });
      setTimeout(() => stop.abort(), 200);
      await assert.rejects(call, { code: "aborted" });
      assert.equal((await model.classify("the goats", ["week"])).labels.length, 1);
    });

    test("empty texts, unpaired surrogates, and labels of any kind are scored", async () => {
      const labels = ["", "\ud83d", "a, b; {}", "東京 😀", "week\n\u0000week"];
      const { labels: scored } = await model.classify("", labels);
      assert.equal(scored.length, labels.length);
      assert.ok(scored.every(({ score }) => score > 0 && score < 1));
      const { truncated } = await model.classify("\udc00 week ".repeat(10_000), ["week"]);
      assert.ok(truncated);
    });

    test("bad arguments are named", async () => {
      await assert.rejects(model.classify("week", []), coded("invalid-input", /labels/));
      await assert.rejects(model.classify("week", "week"), coded("invalid-input", /labels/));
      await assert.rejects(model.classify(["week"], ["week"]), coded("invalid-input", /text/));
      const hypothesisTemplate = "no place";
      await assert.rejects(
        model.classify("week", ["week"], { hypothesisTemplate }),
        coded("invalid-input", /hypothesisTemplate/),
      );
      await assert.rejects(model.classify("week", ["week ".repeat(99)]), coded("invalid-input", /label 0/));
    });
  });
}

test("a model without an entailment label fails to load, with its labels", async () => {
  const other = join(fixtures, "transformers-js/text-classification");
  await assert.rejects(ZeroShotClassification.load(other), coded("unsupported", /negative, neutral, positive/));
  const answers = join(fixtures, "transformers-js/question-answering");
  await assert.rejects(ZeroShotClassification.load(answers), coded("unsupported", /QuestionAnswering/));
});
