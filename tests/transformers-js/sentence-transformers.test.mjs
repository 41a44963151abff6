import assert from "node:assert/strict";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Encoder, pipeline, similarity, TextClassification, TextRanking } from "../../pkg/dist/index.js";
import { assertSame } from "./compare.mjs";

const folder = join(import.meta.dirname, "../fixtures/sentence-transformers");
const expected = JSON.parse(await readFile(join(folder, "expected.json")));
const { texts, query } = expected;

/** The results of Python's library for the directory as it is stored. */
const stored = expected.embeddings.find(({ modes, normalize }) => String(modes) === "cls" && normalize);
const vectorsOf = (list) => list.map((vector) => Array.from(vector));
const invalid = (message) => (error) => error.code === "invalid-input" && message.test(error.message);

describe("Encoder", () => {
  let encoder;
  before(async () => {
    encoder = await Encoder.load(join(folder, "sentence-encoder"));
  });
  after(() => encoder?.dispose());

  test("pooling, normalization and maximum length are those of the directory", async () => {
    assertSame(vectorsOf(await encoder.encode(texts)), stored.vectors, "vectors");
  });

  test("options take precedence over the directory", async () => {
    const modes = { mean_sqrt_len_tokens: "mean_sqrt_len" };
    for (const {
      modes: [mode, ...more],
      normalize,
      vectors,
    } of expected.embeddings) {
      if (more.length > 0) continue;
      const pooling = modes[mode] ?? mode;
      assertSame(vectorsOf(await encoder.encode(texts, { pooling, normalize })), vectors, mode);
    }
    const [tokens] = await encoder.encode([texts[3]], { pooling: "none", maxLength: 20 });
    assert.equal(tokens.length, 20);
    await assert.rejects(encoder.encode("a", { pooling: "median" }), invalid(/pooling/));
  });

  test("similarities are those of sentence-transformers, for texts and for vectors", async () => {
    const vectors = await encoder.encode(texts);
    for (const [i, row] of stored.similarity.entries()) {
      assertSame(
        vectors.map((vector) => similarity(vectors[i], vector)),
        row,
        texts[i],
      );
    }
    assertSame(await encoder.similarity(texts[0], texts[1]), stored.similarity[0][1], "texts");
    assertSame(await encoder.similarity(vectors[0], texts[1]), stored.similarity[0][1], "a vector and a text");
    assert.equal(similarity(new Float32Array(3), new Float32Array([1, 2, 3])), 0);
    assert.throws(() => similarity(new Float32Array(3), new Float32Array(2)), invalid(/2 dimensions/));
    assert.throws(() => similarity(new Float32Array([1]), new Float32Array([Number.NaN])), invalid(/NaN/));
  });

  test("a search finds the nearest texts, also in vectors that were kept, as an array or one matrix", async () => {
    const { documents, vectors } = await encoder.search(texts[1], texts, { topK: 2 });
    assert.equal(documents.length, 2);
    assert.equal(documents[0].index, 1);
    const order = stored.similarity[1].toSorted((a, b) => b - a);
    assertSame(
      documents.map(({ score }) => score),
      order.slice(0, 2),
      "scores",
    );
    const kept = await encoder.search(texts[1], vectors, { topK: 2 });
    assert.deepEqual(kept.documents, documents);
    assert.equal(kept.vectors, vectors);
    const matrix = new Float32Array(vectors.flatMap((vector) => [...vector]));
    assert.deepEqual((await encoder.search(texts[1], matrix, { topK: 2 })).documents, documents);
    assert.equal((await encoder.search(vectors[0], texts)).documents.length, texts.length);
  });

  test("a corpus that does not fit is named", async () => {
    const vectors = await encoder.encode(texts);
    await assert.rejects(encoder.search(query, [...vectors, new Float32Array(15)]), invalid(/corpus.*vector 4.*15/));
    await assert.rejects(encoder.search(query, new Float32Array(17)), invalid(/corpus.*17/));
    await assert.rejects(encoder.search(query, []), invalid(/corpus/));
    await assert.rejects(encoder.search(query, [texts[0], vectors[0]]), invalid(/corpus/));
    await assert.rejects(encoder.search(query, new Float32Array(16).fill(Number.NaN)), invalid(/NaN/));
  });

  test("a pipeline ignores these files, as in transformers.js", async () => {
    const extract = await pipeline("feature-extraction", join(folder, "sentence-encoder"));
    assert.deepEqual((await extract(texts[3])).dims, [1, 64, 16]);
    await extract.dispose();
  });

  test("a module that isn't supported is named, unless the pooling is chosen", async () => {
    const copy = await mkdtemp(join(tmpdir(), "mobilebert-dense-"));
    try {
      await cp(join(folder, "sentence-encoder"), copy, { recursive: true });
      const modules = JSON.parse(await readFile(join(copy, "modules.json")));
      modules.push({ idx: 3, name: "3", path: "3_Dense", type: "sentence_transformers.models.Dense" });
      await writeFile(join(copy, "modules.json"), JSON.stringify(modules));
      const dense = await Encoder.load(copy);
      await assert.rejects(dense.encode("a"), { code: "unsupported", message: /models\.Dense/ });
      assert.equal((await dense.encode("a", { pooling: "mean" }))[0].length, 16);
      await dense.dispose();
    } finally {
      await rm(copy, { recursive: true });
    }
  });
});

describe("TextRanking", () => {
  const { ranking } = expected.ranking.find(({ activation_fn }) => activation_fn.endsWith("Identity"));
  let ranker;
  before(async () => {
    ranker = await TextRanking.load(join(folder, "cross-encoder"));
  });
  after(() => ranker?.dispose());

  test("documents have the order and scores of `CrossEncoder.rank`", async () => {
    const { documents, truncated, timing } = await ranker.rank(query, texts);
    assertSame(
      documents.map(({ index, score }) => ({ corpus_id: index, score })),
      ranking,
      "all",
    );
    assert.ok(documents.every(({ logit, score }) => logit === score));
    assert.ok(truncated && timing.total > 0);
    assert.deepEqual((await ranker.rank(query, texts, { topK: 2 })).documents, documents.slice(0, 2));
  });

  test("a pipeline has the arguments and results of `CrossEncoder.rank`", async () => {
    const rank = await pipeline("text-ranking", join(folder, "cross-encoder"));
    assertSame(await rank(query, texts), ranking, "all");
    const two = ranking.slice(0, 2).map((one) => ({ ...one, text: texts[one.corpus_id] }));
    assertSame(await rank(query, texts, { top_k: 2, return_documents: true }), two, "two");
    await rank.dispose();
  });

  test("no documents and a model with several labels are errors", async () => {
    await assert.rejects(ranker.rank(query, []), invalid(/documents/));
    await assert.rejects(ranker.rank(query, query), invalid(/documents/));
    const labels = join(folder, "../transformers-js/text-classification");
    await assert.rejects(TextRanking.load(labels), { code: "unsupported", message: /3 outputs/ });
  });

  test("a call with many documents can be aborted in the middle, and the model stays usable", async () => {
    const many = Array.from({ length: 20_000 }, (_, i) => `week ${i}`);
    const stop = new AbortController();
    const ranking = ranker.rank(query, many, { signal: stop.signal });
    setTimeout(() => stop.abort(), 200);
    await assert.rejects(ranking, { code: "aborted" });
    assert.equal((await ranker.rank(query, texts)).documents.length, texts.length);
  });

  test("a disposed model ends a running call", async () => {
    const other = await TextRanking.load(join(folder, "cross-encoder"));
    const many = Array.from({ length: 20_000 }, (_, i) => `week ${i}`);
    const ranking = other.rank(query, many);
    setTimeout(() => other.dispose(), 200);
    await assert.rejects(ranking, { code: "disposed" });
  });

  test("the label of a cross-encoder has its logit and the score as its probability", async () => {
    const classifier = await TextClassification.load(join(folder, "cross-encoder"));
    const { labels } = await classifier.classify([query, texts[3]]);
    assertSame(labels, [{ label: "LABEL_0", probability: ranking[0].score, logit: ranking[0].score }], "labels");
    await classifier.dispose();
  });
});
