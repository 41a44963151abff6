import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { env, pipeline as peerPipeline } from "@huggingface/transformers";
import { pipeline as ownPipeline } from "../../pkg/dist/index.js";
import { assertSame } from "./compare.mjs";

const models = join(import.meta.dirname, "../fixtures/transformers-js");
env.localModelPath = models;
env.allowRemoteModels = false;

/** Loads both libraries' pipelines for a task with the same weights. */
function both(task, model = task) {
  const loaded = {};
  before(async () => {
    loaded.own = await ownPipeline(task, join(models, model), { device: "cpu", dtype: "fp32" });
    loaded.peer = await peerPipeline(task, model, { device: "cpu", dtype: "fp32" });
  });
  after(async () => {
    await loaded.own?.dispose();
    await loaded.peer?.dispose();
  });
  return loaded;
}

/** Makes each call to both pipelines and compares the results. */
async function compare({ own, peer }, calls, of = (result) => result) {
  for (const call of calls) {
    const [ownResult, peerResult] = [await own(...call), await peer(...call)];
    assertSame(of(ownResult), of(peerResult), JSON.stringify(call).slice(0, 120));
  }
}

const withoutWord = ({ word, ...rest }) => rest;
const texts = ["the goats opened anything", "Naive, naive light: a week", "LITRES \u00e0 week."];
/** Texts with the same number of tokens, so that a batch needs no padding. */
const sameLength = ["goats opened anything light", "Naive naive week light", "litres Anything opened goats"];
const long = "the week goats light naive ".repeat(40);

for (const task of ["text-classification", "sentiment-analysis"]) {
  describe(task, () => {
    const loaded = both(task, "text-classification");
    test("labels and scores match for one or several texts, and for one, some or all labels", () =>
      compare(loaded, [
        [texts[0]],
        [sameLength],
        [[texts[1]]],
        ...[1, 2, 9, null].flatMap((top_k) => [
          [texts[1], { top_k }],
          [sameLength, { top_k }],
        ]),
      ]));

    test("intentional: pairs as in Python, an abort signal, and settings of the tokenizer that change nothing", async () => {
      const [text, text_pair] = texts;
      const options = { top_k: null, truncation: true, padding: "max_length" };
      const pair = await loaded.own({ text, text_pair }, options);
      const alone = await loaded.own(text, options);
      assert.equal(pair.length, alone.length);
      assert.notDeepEqual(pair, alone);
      assert.deepEqual(await loaded.own([{ text, text_pair }, text], options), [pair, alone]);
      assert.deepEqual(await loaded.own({ text }, options), alone);
      await assert.rejects(loaded.own({ text_pair }), /texts/);
      await assert.rejects(loaded.own(text, { signal: AbortSignal.abort() }), { code: "aborted" });
    });

    test("intentional: a text's scores don't depend on other texts in the call; padding changes theirs", async () => {
      const { own, peer } = loaded;
      const alone = (await Promise.all(texts.map((text) => peer(text)))).flat();
      assertSame(await own(texts), alone, "ours, in a batch");
      const padded = await peer(texts);
      assert.throws(() => assertSame(padded, alone, "theirs"), assert.AssertionError);
    });
  });
}

describe("text-classification, several labels at once", () => {
  const loaded = both("text-classification", "several-labels");
  test("scores are independent per label", async () => {
    await compare(loaded, [
      [texts[0], { top_k: null }],
      [texts, { top_k: null }],
    ]);
    const sum = (await loaded.own(texts[0], { top_k: null })).reduce((sum, { score }) => sum + score, 0);
    assert.ok(Math.abs(sum - 1) > 0.01, "the scores sum to one, so the test can't detect a softmax");
  });
});

describe("zero-shot-classification", () => {
  const loaded = both("zero-shot-classification");
  const labels = ["light", "church room", "week", "\u00e9t\u00e9, anything", "light"];
  test("sequences, labels and scores match for one or several texts and labels, templates, and several labels at once", () =>
    compare(
      loaded,
      [labels, labels.slice(0, 2), [labels[0]], labels[0], labels[3]].flatMap((labels) => [
        [texts[0], labels],
        [texts, labels],
        [[texts[1]], labels, { multi_label: true }],
        [texts[2], labels, { hypothesis_template: "{} opened", multi_label: false }],
      ]),
    ));

  test("intentional: a long text loses its end, and no label its own; theirs truncates both", async () => {
    const hypothesis_template = "the goats opened {} without light.";
    const call = [long, labels.slice(0, 3), { hypothesis_template }];
    const [own, peer] = [await loaded.own(...call), await loaded.peer(...call)];
    assert.deepEqual(own.labels.toSorted(), peer.labels.toSorted());
    assert.throws(() => assertSame(own, peer, "truncated"), assert.AssertionError);
  });

  test("intentional: a template without a place and an empty list of labels are errors", async () => {
    await assert.rejects(loaded.own(texts[0], labels, { hypothesis_template: "week" }), /hypothesis_template/);
    await assert.rejects(loaded.own(texts[0], []), /labels/);
  });
});

for (const task of ["token-classification", "ner"]) {
  describe(task, () => {
    const loaded = both(task, "token-classification");
    test("entities, scores, indices and tokens match", () =>
      compare(loaded, [
        [texts[0]],
        [texts],
        [texts[1], { ignore_labels: [] }],
        [texts, { ignore_labels: ["B-LOC", "I-PER"] }],
        [texts[0], { aggregation_strategy: "none" }],
      ]));

    test("intentional: texts of any length are labeled; theirs end at the model's maximum length", async () => {
      const [own, peer] = [await loaded.own(long), await loaded.peer(long)];
      // The model's maximum length is 64 tokens, including [CLS] and, in ours, [SEP].
      assert.equal(peer.length, 63);
      assert.equal(own.length, 200);
      assert.equal(long.slice(own[199].start, own[199].end), "naive");
      assert.ok(own.every(({ index }, i) => index === i + 1));
    });

    test("intentional: unknown words are labeled, too", async () => {
      const [own, peer] = [await loaded.own("goats \u2603 week"), await loaded.peer("goats \u2603 week")];
      assert.deepEqual([own.length, peer.length], [3, 2]);
      assert.deepEqual([own[1].word, own[1].start, own[1].end], ["[UNK]", 6, 7]);
      assertSame([own[0], own[2]], peer, "known words");
    });

    test("intentional: Python's other ways to merge tokens are accepted, and keep words whole", async () => {
      for (const aggregation_strategy of ["first", "average", "max"]) {
        const groups = await loaded.own("lamps weeks", { aggregation_strategy, ignore_labels: [] });
        assert.ok(groups.length > 0);
        for (const { entity_group, start, end } of groups) {
          assert.ok(["O", "PER", "LOC"].includes(entity_group));
          assert.ok([0, 6].includes(start) && [5, 11].includes(end), `${start} ${end}`);
        }
      }
    });

    test("intentional: merged entities are slices of the text", async () => {
      const call = [texts[2], { aggregation_strategy: "simple" }];
      const [own, peer] = [await loaded.own(...call), await loaded.peer(...call)];
      assertSame(own.map(withoutWord), peer.map(withoutWord), "groups");
      for (const { word, start, end } of own) assert.equal(texts[2].slice(start, end), word);
      assert.ok(
        own.some(({ word }, i) => word !== peer[i].word),
        "the words are equal, so the test can't detect a difference",
      );
    });
  });
}

describe("fill-mask", () => {
  const loaded = both("fill-mask");
  test("tokens, ids, scores and sequences match", () =>
    compare(loaded, [
      ["the goats [MASK], naive."],
      ["the goats [MASK], naive.", { top_k: 2 }],
      [["goats [MASK] light week", "naive [MASK] week Light"], { top_k: 3 }],
    ]));

  test("intentional: the first of several masks is filled and the others stay, as in Python", async () => {
    const text = "The [MASK] opened [MASK]";
    const [own, peer] = [await loaded.own(text), await loaded.peer(text)];
    const without = own.map((filling) => ({ ...filling, sequence: filling.sequence.replace(" [MASK]", "") }));
    assertSame(without, peer, text);
    assert.ok(own.every(({ sequence }) => sequence.includes("[MASK]")));
  });

  test("intentional: Python's `targets` limit what may fill the mask", async () => {
    const text = "the goats [MASK], naive.";
    const all = await loaded.own(text, { top_k: 1000 });
    const found = await loaded.own(text, { targets: ["goats", "lamp", "week"] });
    // Values of `tests/fixtures/pipelines/generate.py`.
    assert.deepEqual(
      found.map(({ token_str }) => token_str),
      ["week", "goats", "lamp"],
    );
    for (const filling of found)
      assertSame(
        filling,
        all.find(({ token }) => token === filling.token),
        text,
      );
    assert.deepEqual(await loaded.own(text, { targets: "week" }), found.slice(0, 1));
    await assert.rejects(loaded.own(text, { targets: ["week", "\u2603"] }), /targets.*no token for "\u2603"/);
  });

  test("a text without a mask is an error", async () => {
    await assert.rejects(loaded.own("the goats"), /\[MASK\]/);
    await assert.rejects(loaded.peer("the goats"), /\[MASK\]/);
  });
});

for (const task of ["feature-extraction", "embeddings"]) {
  describe(task, () => {
    const loaded = both(task, "feature-extraction");
    const parts = (tensor) => {
      const { type, dims, size, data } = tensor;
      return { type, dims, size, data: Array.from(data), list: tensor.tolist() };
    };
    test("types, shapes and values of tensors match", () =>
      compare(
        loaded,
        [
          [texts[0]],
          [[texts[1]]],
          [texts[2], { normalize: true }],
          ...[{ pooling: "mean" }, { pooling: "cls" }, { pooling: "first_token", normalize: true }].flatMap(
            (options) => [
              [texts[0], options],
              [texts, options],
            ],
          ),
          ...["last_token", "eos"].flatMap((pooling) => [
            [texts[0], { pooling }],
            [sameLength, { pooling, normalize: true }],
          ]),
        ],
        parts,
      ));

    test("tensors are indexed, iterated and sliced in the same way", async () => {
      const [own, peer] = [await loaded.own(sameLength), await loaded.peer(sameLength)];
      const views = (tensor) => [
        tensor[0],
        tensor[2][1],
        tensor[-1][0][3],
        ...tensor,
        ...[...tensor[1]].slice(0, 3),
        tensor.slice(1),
        tensor.slice(null, 0),
        tensor.slice(null, -1, [2, 5]),
        tensor.slice([1, 3], [0, -1]),
        tensor.slice([0, null], [null, 2], [1, 100]),
        tensor.slice(0, 1, 2),
      ];
      const [ownViews, peerViews] = [views(own), views(peer)];
      for (const [i, view] of ownViews.entries()) {
        // transformers.js can't convert a tensor without dimensions.
        const plain = (tensor) => ({ ...parts({ ...tensor, tolist: () => [] }), dims: tensor.dims });
        const of = ({ type, dims, size, data, tolist }) => ({ type, dims, size, data, tolist });
        assertSame(plain(of(view)), plain(of(peerViews[i])), `view ${i}`);
        if (view.dims.length > 0) assertSame(view.tolist(), peerViews[i].tolist(), `view ${i}`);
      }
      assertSame([...own[0][0]], [...peer[0][0]], "numbers");
      assert.equal(own[0][0][0].item(), own.data[0]);
      assert.throws(() => own.item(), /item/);
      assert.throws(() => own[3], /out of bounds/);
      assert.throws(() => peer[3], /out of bounds/);
      own[0].data[0] = 7;
      assert.equal(own.data[0], 7, "a view shares memory");
      assert.equal(own.length, undefined);
    });

    test("intentional: without pooling, shorter texts are padded with zeros, not with outputs for padding tokens", async () => {
      const [own, peer] = [await loaded.own(texts), await loaded.peer(texts)];
      assert.deepEqual(own.dims, peer.dims);
      const [ownRows, peerRows] = [own.tolist(), peer.tolist()];
      let filled = 0;
      for (const [i, text] of texts.entries()) {
        const [, pieces] = (await loaded.own(text)).dims;
        assertSame(ownRows[i].slice(0, pieces), peerRows[i].slice(0, pieces), text);
        const rest = ownRows[i].slice(pieces).flat();
        filled += rest.length;
        assert.ok(rest.every((value) => value === 0));
      }
      assert.ok(filled > 0, "no text was shorter, so the test can't detect padding");
    });
  });
}

describe("question-answering", () => {
  const loaded = both("question-answering");
  const question = "what opened ?";
  // In lower case and with whole words, both return the same texts.
  const contexts = ["light week naive goats anything litres", "goats opened anything"];

  /** Their scores are normalized over pairs of start and end, ours over spans, but the ratios are the same. */
  const relative = (answers) => answers.map(({ answer, score }) => ({ answer, score: score / answers[0].score }));

  test("answers, their order and the shapes of results match, for one or several questions and answers", async () => {
    for (const context of contexts) {
      const call = [question, context, { top_k: 5 }];
      const [own, peer] = [await loaded.own(...call), await loaded.peer(...call)];
      assertSame(relative(own), relative(peer), context);
    }
    const shape = (result) => JSON.parse(JSON.stringify(result, (key, value) => (key === "score" ? 0 : value)));
    await compare(
      loaded,
      [
        [question, contexts[0]],
        [[question, "naive ?"], contexts],
        [[question, "naive ?"], contexts, { top_k: 2 }],
        [[question], [contexts[0]], { top_k: 1 }],
      ],
      shape,
    );
  });

  test("intentional: answers are slices of the context; theirs are assembled from tokens", async () => {
    const context = "Light (WEEK) Na\u00efve, goats\u2026  anything: LITRES";
    const own = await loaded.own(question, context, { top_k: 5 });
    for (const { answer, start, end } of own) assert.equal(context.slice(start, end), answer);
    const peer = await loaded.peer(question, context, { top_k: 5 });
    for (const { answer, start } of peer) {
      assert.equal(start, undefined);
      assert.equal(answer, answer.toLowerCase());
    }
    assert.ok(own.some(({ answer }) => answer !== answer.toLowerCase()));
  });

  test("intentional: text beyond the model's maximum length is read, too", async () => {
    const context = `${"the week goats light naive. ".repeat(40)} litres`;
    const own = await loaded.own(question, context, { top_k: 2000 });
    const peer = await loaded.peer(question, context, { top_k: 2000 });
    assert.ok(own.some(({ end }) => end === context.length));
    assert.ok(!peer.some(({ answer }) => answer.includes("litres")));
  });

  test("intentional: Python's `align_to_words` extends answers to whole words; by default, they end where tokens do", async () => {
    const context = "Naive lamps: light re-opened; anything 87litres.";
    const words = /^(?:[\p{L}\p{N}]+|[^\p{L}\p{N}])/u;
    const isWhole = ({ start, end }) =>
      [start, end].every((at) => !/[\p{L}\p{N}]{2}/u.test(context.slice(Math.max(0, at - 1), at + 1))) &&
      words.test(context.slice(start));
    const options = { top_k: 10, max_answer_len: 4 };
    const parts = await loaded.own(question, context, options);
    const whole = await loaded.own(question, context, { ...options, align_to_words: true });
    assert.ok(parts.some((answer) => !isWhole(answer)));
    assert.ok(whole.every(isWhole));
    // Values of `tests/fixtures/pipelines/generate.py`.
    assert.deepEqual([parts[0].answer, whole[0].answer], ["r", "87litres"]);
  });

  test("intentional: Python's limits of the question, the answer and the windows are accepted", async () => {
    const context = "light week naive goats anything litres ".repeat(20);
    const short = await loaded.own(question, context, { top_k: 50, max_answer_len: 2 });
    assert.ok(short.every(({ answer }) => answer.trim().split(" ").length <= 2));
    const one = await loaded.own("goats opened anything", context, {
      max_question_len: 1,
      max_seq_len: 32,
      doc_stride: 8,
    });
    assert.deepEqual(one, await loaded.own("goats", context, { max_seq_len: 32, doc_stride: 8 }));
    await assert.rejects(loaded.own(question, context, { doc_stride: 0 }), /doc_stride.*integer from 1/);
  });

  test('intentional: `handle_impossible_answer` includes "no answer", as in Python', async () => {
    const all = await loaded.own(question, contexts[0], { top_k: 1000, handle_impossible_answer: true });
    const none = all.filter(({ answer }) => answer === "");
    assert.deepEqual(none, [{ answer: "", score: none[0]?.score, start: 0, end: 0 }]);
    assert.ok(none[0].score > 0 && none[0].score < 1);
    const spans = await loaded.own(question, contexts[0], { top_k: 1000 });
    assert.ok(spans.every(({ answer }) => answer !== ""));
  });
});

test("unknown options and tasks are reported, not ignored", async () => {
  const fill = await ownPipeline("fill-mask", join(models, "fill-mask"));
  await assert.rejects(fill("a [MASK]", { topk: 3 }), /`topk`: unknown option; use one of top_k/);
  await fill.dispose();
  await assert.rejects(ownPipeline("translation", models), /translation is not one of question-answering/);
  await assert.rejects(ownPipeline("toString", models), /not one of question-answering/);
});

test("the comparison can fail", () => {
  const peer = [{ label: "a", score: 0.5 }];
  assertSame([{ label: "a", score: 0.50001, start: 3 }], peer, "close");
  for (const own of [
    [],
    [{ label: "b", score: 0.5 }],
    [{ label: "a", score: 0.501 }],
    [{ label: "a", score: "0.5" }],
    [{ label: "a" }],
    [{ label: "a", score: 0.5, more: 1 }],
    { 0: peer[0], length: 1 },
  ]) {
    assert.throws(() => assertSame(own, peer, "different"), assert.AssertionError, JSON.stringify(own));
  }
});
