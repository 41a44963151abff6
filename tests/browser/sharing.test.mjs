/** Sharing an answer, and opening a shared one. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Random } from "../../pkg/test/random.mjs";
import { chromium, newPage } from "./support/browsers.mjs";
import { text } from "./support/elements.mjs";
import { ask, openReady, paste } from "./support/index-page.mjs";
import { SMALL_MODELS, serveSmallModels } from "./support/small-models.mjs";

const site = serveSmallModels();
let browser;
before(async () => {
  browser = await chromium();
});
after(() => browser?.close());

const PASSAGE = "The ferry to Orrey leaves at noon. Its captain is Ines Kolar, who lives by the quay.";
const QUESTION = "Who is the captain?";
const value = (page, selector) => page.$eval(selector, (field) => field.value);
const visible = (page, selector) => page.$eval(selector, (element) => element.checkVisibility());

/** The fragment of a link to this value. */
async function fragmentOf(value) {
  const packed = new Blob([JSON.stringify(value)]).stream().pipeThrough(new CompressionStream("deflate-raw"));
  return `#answer=${Buffer.from(await new Response(packed).arrayBuffer()).toString("base64url")}`;
}

/** The content of a link to an answer. */
const CARD = {
  format: 1,
  question: QUESTION,
  answer: "Ines Kolar",
  sentence: "Its captain is Ines Kolar, who lives by the quay.",
  model: "some-model",
  device: "CPU · WebAssembly",
  milliseconds: 38,
  passage: null,
};

/** Goes to another fragment and waits until the dialog shows something. */
async function follow(page, fragment) {
  await page.evaluate((fragment) => {
    const dialog = document.querySelector("#shared");
    dialog.close();
    delete dialog.dataset.state;
    location.hash = fragment;
  }, fragment);
  await page.waitForFunction(() => document.querySelector("#shared").dataset.state !== undefined);
  return await shown(page);
}

function shown(page) {
  return page.evaluate(() => ({
    state: document.querySelector("#shared").dataset.state,
    title: document.querySelector("#shared-title").textContent,
    answer: document.querySelector("#shared-answer").textContent,
    source: document.querySelector("#shared-source").textContent,
    remark: document.querySelector("#shared-remark").textContent,
    elements: document.querySelectorAll("#shared *").length,
  }));
}

/** A new page that opens a link first. */
async function visitor(fragment, size) {
  const opened = await newPage(browser, size);
  await opened.page.goto(`${site.address()}${SMALL_MODELS}${fragment}`, { waitUntil: "domcontentloaded" });
  await opened.page.waitForFunction(() => document.querySelector("#shared").open);
  return opened;
}

describe("sharing an answer", () => {
  let page;
  let given;
  before(async () => {
    ({ page } = await newPage(browser, { width: 360, height: 740 }));
    await page.evaluateOnNewDocument(() => {
      navigator.share = async (what) => {
        globalThis.shared = what;
      };
    });
    await openReady(page, site.address(), SMALL_MODELS);
    await paste(page, "#passage", PASSAGE);
    given = await ask(page, QUESTION);
    // Not with the mouse, which misses while the page scrolls to the answer.
    await page.$eval("#share-open", (button) => button.click());
    await page.waitForFunction(() => document.querySelector("#share-link").value !== "");
  });
  after(() => page?.close());

  test("shows a card with question, answer, sentence, model and time", async () => {
    assert.equal(await text(page, "#card-question"), QUESTION);
    assert.equal(await text(page, "#card-answer"), given.line);
    assert.equal(await text(page, "#card-sentence"), given.sentence);
    assert.match(await text(page, "#card-source"), /^Found by small-answers in [\d.]+ m?s \(CPU · WebAssembly\)/);
  });

  test("leaves the passage out of the link unless it is asked for, and states the link's length", async () => {
    assert.equal(await page.$eval("#share-passage", (box) => box.checked), false);
    const read = async () => {
      const link = await value(page, "#share-link");
      const { page: other } = await newPage(browser);
      await other.goto(link.replace("#", `${SMALL_MODELS}#`), { waitUntil: "domcontentloaded" });
      await other.waitForFunction(() => document.querySelector("#shared").open);
      const found = { question: await value(other, "#question"), passage: await value(other, "#passage") };
      await other.close();
      return { ...found, length: link.length };
    };
    const without = await read();
    assert.equal(without.question, QUESTION);
    assert.doesNotMatch(without.passage, /ferry to Orrey/);
    assert.equal(await text(page, "#share-length"), `The link has ${without.length} characters, without the passage.`);
    await page.click("#share-passage");
    await page.waitForFunction(() => /with the whole/.test(document.querySelector("#share-length").textContent));
    const whole = await read();
    assert.deepEqual([whole.question, whole.passage], [QUESTION, PASSAGE]);
    assert.equal(await text(page, "#share-length"), `The link has ${whole.length} characters, with the whole passage.`);
  });

  test("hands the card to the system", async () => {
    await page.click("#share-send");
    await page.waitForFunction(() => globalThis.shared);
    const { text: sent, url } = await page.evaluate(() => globalThis.shared);
    assert.ok(sent.startsWith(`${QUESTION}\n${given.line}\n`), sent);
    assert.equal(url, await value(page, "#share-link"));
  });

  test("follows the alternative that is shown", async () => {
    const other = given.alternatives[1];
    await page.evaluate(() => document.querySelectorAll("#alternatives button")[1].click());
    await page.waitForFunction((other) => document.querySelector("#card-answer").textContent === other, {}, other);
  });

  test("closes with Escape, and the focus returns to its button", async () => {
    await page.focus("#share-copy");
    await page.keyboard.press("Escape");
    assert.equal(await visible(page, "#share-panel"), false);
    assert.equal(await page.evaluate(() => document.activeElement.id), "share-open");
  });

  test("says that a long passage doesn't fit a link", async () => {
    const random = new Random(3);
    const words = Array.from({ length: 4000 }, () => Math.floor(1e9 * random.next()).toString(36));
    await paste(page, "#passage", words.join(" "));
    await ask(page, QUESTION);
    await page.$eval("#share-open", (button) => button.click());
    await page.click("#share-passage");
    await page.waitForFunction(() => /too long/.test(document.querySelector("#share-length").textContent));
    assert.match(
      await text(page, "#share-length"),
      /it would have [\d,]{6,} characters, and many apps cut links off after 8,000/,
    );
    assert.ok((await value(page, "#share-link")).length < 8000);
    assert.equal(await page.$eval("#share-passage", (box) => box.checked), false);
  });

  test("cuts off a very long question, and says if the link is too long nevertheless", async () => {
    const random = new Random(4);
    const letter = () => String.fromCharCode(0x4e00 + Math.floor(20_000 * random.next()));
    await paste(page, "#passage", PASSAGE);
    await ask(page, Array.from({ length: 5000 }, letter).join(""));
    await page.waitForFunction(() => document.querySelector("#card-question").textContent.endsWith("…"));
    await page.waitForFunction(() => /many apps cut/.test(document.querySelector("#share-length").textContent));
    assert.match(
      await text(page, "#share-length"),
      /^The link has [\d,]+ characters, without the passage, but many apps cut links off after 8,000\.$/,
    );
    const link = await value(page, "#share-link");
    const { page: other } = await visitor(link.slice(link.indexOf("#")));
    assert.equal((await shown(other)).state, "shown");
    await other.close();
  });
});

test("the card and the bench page name a model without the secret parts of its URL", async () => {
  const { page } = await newPage(browser);
  const { host } = new URL(site.address());
  const model = encodeURIComponent(`http://${host}/models/small-answers/?sig=SECRET#PART`);
  await openReady(page, site.address(), `?device=wasm&model=${model}&model=small-sentiment`);
  await ask(page, "Who built it?");
  await page.$eval("#share-open", (button) => button.click());
  await page.waitForFunction(() => document.querySelector("#share-link").value !== "");
  assert.ok((await text(page, "#card-source")).startsWith(`Found by http://${host}/models/small-answers/ in `));
  await page.goto(`${site.address()}bench.html?model=${encodeURIComponent(`http://me:SECRET@${host}/models/a/`)}`);
  await page.waitForFunction(() => document.documentElement.dataset.ready === "true");
  const chosen = await page.$$eval("#models input:checked", (boxes) => boxes.map(({ value }) => value));
  assert.deepEqual(chosen, [`http://${host}/models/a/`]);
  await page.close();
});

describe("opening a link", () => {
  test("shows the answer and fills in the question and the passage", async () => {
    const { page, faults } = await visitor(await fragmentOf({ ...CARD, passage: PASSAGE }), {
      width: 360,
      height: 740,
    });
    const { answer, source, remark } = await shown(page);
    assert.deepEqual([answer, source.slice(0, 28)], ["Ines Kolar", "Found by some-model in 38 ms"]);
    assert.match(remark, /^This comes from a link; your device has not computed it\. The question and passage are/);
    assert.deepEqual([await value(page, "#question"), await value(page, "#passage")], [QUESTION, PASSAGE]);
    await page.keyboard.press("Escape");
    assert.equal(await visible(page, "#shared"), false);
    const { state } = await ask(page, QUESTION);
    assert.notEqual(state, "stopped");
    assert.deepEqual(faults, []);
    await page.close();
  });

  test("never replaces the visitor's own text, and what is replaced on request can be brought back", async () => {
    const { page } = await newPage(browser);
    await page.goto(`${site.address()}${SMALL_MODELS}`, { waitUntil: "domcontentloaded" });
    await page.waitForSelector("#samples button");
    await paste(page, "#passage", "My own text about a mill.");
    await paste(page, "#question", "Whose mill?");
    const { remark } = await follow(page, await fragmentOf({ ...CARD, passage: PASSAGE }));
    assert.match(remark, /You have texts of your own here; they are kept\.$/);
    const fields = async () => [await value(page, "#passage"), await value(page, "#question")];
    assert.deepEqual(await fields(), ["My own text about a mill.", "Whose mill?"]);
    await page.click("#shared-use");
    assert.deepEqual(await fields(), [PASSAGE, QUESTION]);
    await page.click("#passage-undo");
    assert.deepEqual(await fields(), ["My own text about a mill.", "Whose mill?"]);
    await page.close();
  });

  test("a link without a passage leaves the passage alone", async () => {
    const { page } = await visitor(await fragmentOf(CARD));
    assert.match((await shown(page)).remark, /doesn't include the passage\. The question is filled in\.$/);
    assert.equal(await value(page, "#question"), QUESTION);
    assert.match(await value(page, "#passage"), /^The lighthouse/);
    assert.equal(await text(page, "#passage-hint"), "The question is filled in from the link.");
    await page.close();
  });

  test("the texts of one link are replaced by those of the next", async () => {
    const { page } = await visitor(await fragmentOf({ ...CARD, passage: PASSAGE }));
    const next = { ...CARD, question: "Where does he live?", passage: "He lives by the quay." };
    const { remark } = await follow(page, await fragmentOf(next));
    assert.match(remark, /The question and passage are filled in\.$/);
    assert.deepEqual([await value(page, "#question"), await value(page, "#passage")], [next.question, next.passage]);
    await page.close();
  });
});

describe("a bad link is refused in words", () => {
  let page;
  let faults;
  let elements;
  before(async () => {
    ({ page, faults } = await newPage(browser));
    await page.goto(`${site.address()}${SMALL_MODELS}`, { waitUntil: "domcontentloaded" });
    await page.waitForSelector("#samples button");
    await paste(page, "#passage", "My own text.");
    ({ elements } = await follow(page, await fragmentOf(CARD)));
  });
  after(() => page?.close());

  const bad = {
    "an empty one": () => "#answer=",
    "one cut off": async () => (await fragmentOf(CARD)).slice(0, -20),
    "one with other characters": async () => `${await fragmentOf(CARD)}%%%`,
    "a number instead of the answer": () => fragmentOf({ ...CARD, answer: 7 }),
    "another version": () => fragmentOf({ ...CARD, format: 2 }),
    "a time that is not one": () => fragmentOf({ ...CARD, milliseconds: 1e99 }),
    null: () => fragmentOf(null),
    "a very long answer": () => fragmentOf({ ...CARD, answer: "a".repeat(1e5) }),
    "a small link that unpacks to 200 MB": () => fragmentOf({ ...CARD, passage: "a".repeat(2e8) }),
    "a huge link": () => `#answer=${"A".repeat(1e6)}`,
  };
  for (const [name, make] of Object.entries(bad)) {
    test(name, async () => {
      const { state, title, remark } = await follow(page, await make());
      assert.deepEqual([state, title], ["refused", "This link can't be opened"]);
      assert.match(
        remark,
        /^The link is (too long|incomplete or damaged|incomplete, damaged, or made by another version of this page)\. Ask for it again\./,
      );
    });
  }

  test("markup in a link is text", async () => {
    const html = "<img src=x onerror=alert(1)><script>alert(1)</script>";
    const made = { ...CARD, question: html, answer: html, sentence: html, model: html, device: html, passage: html };
    const found = await follow(page, await fragmentOf(made));
    assert.deepEqual([found.state, found.answer, found.elements], ["shown", html, elements]);
    await page.click("#shared-use");
    assert.equal(await page.$("#paper img"), null);
    await page.click("#passage-undo");
  });

  test("any change to a link gives a card or words, and nothing else", async () => {
    const whole = await fragmentOf({ ...CARD, passage: PASSAGE });
    const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_%<&\u00e9";
    const random = new Random(11);
    const below = (count) => Math.floor(count * random.next());
    const states = new Set();
    for (let i = 0; i < 300; i++) {
      const at = "#answer=".length + below(whole.length - 8);
      const put = letters[below(letters.length)];
      const mutated = [
        () => whole.slice(0, at),
        () => whole.slice(0, at) + put + whole.slice(at + 1),
        () => whole.slice(0, at) + put + whole.slice(at),
        () => whole.slice(0, at) + whole.slice(at + 1 + below(8)),
        () => whole + whole.slice(at),
      ][i % 5]();
      if (mutated === whole) continue;
      const { state, remark, elements: now } = await follow(page, `${mutated}`);
      states.add(state);
      assert.match(remark, /^(This comes from a link|The link is )/, mutated);
      assert.equal(now, elements);
    }
    assert.ok(states.has("refused"));
    assert.equal(await value(page, "#passage"), "My own text.");
    assert.deepEqual(faults, []);
  });
});
