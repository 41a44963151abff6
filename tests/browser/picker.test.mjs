/** The model picker: what it offers, what it remembers, and what happens when a model can't be had. */
import assert from "node:assert/strict";
import { rename } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { chromium, newPage } from "./support/browsers.mjs";
import { text, waitForText } from "./support/elements.mjs";
import { ask, openReady, paste } from "./support/index-page.mjs";
import { SMALL_MODELS, serveSmallModels } from "./support/small-models.mjs";

const site = serveSmallModels({
  "other-answers": {},
  "small-emotions": { task: "text-classification", labels: ["happy", "sad", "angry"] },
  "small-inference": { task: "text-classification", labels: ["contradiction", "neutral", "entailment"] },
});

let browser;
before(async () => {
  browser = await chromium();
});
after(() => browser?.close());

/** A new browser context with empty storage, on the page with the small models. */
async function visitor(prepare = async () => {}, query = SMALL_MODELS) {
  const context = await browser.createBrowserContext();
  const { page, faults } = await newPage(context, { width: 360, height: 740 });
  await prepare(page);
  await openReady(page, site.address(), query);
  return { page, faults, context, leave: () => context.close() };
}

/** Picks a model of this site by the name it is offered under. */
async function pick(page, name) {
  await page.evaluate((name) => {
    if (document.querySelector("#choose").hidden) document.querySelector("#choose-open").click();
    const offered = [...document.querySelectorAll("#choose button.model")];
    offered.find((button) => button.querySelector("span").textContent.startsWith(name)).click();
  }, name);
}

/** Counts the models that the page loads. Workers that help load theirs from the cache and don't count. */
async function countLoads(page) {
  await page.evaluateOnNewDocument(() => {
    globalThis.loads = 0;
    const post = Worker.prototype.postMessage;
    Worker.prototype.postMessage = function (message, ...more) {
      if (message.kind === "load" && !message.request.help) globalThis.loads++;
      return post.call(this, message, ...more);
    };
  });
}

const loadsOf = (page) => page.evaluate(() => globalThis.loads);

/** The names of the models in use, as marked in the panel. */
const marked = (page) =>
  page.$$eval("#choose button.model[aria-current] span", (found) => found.map(({ textContent }) => textContent));

test("published models are offered with their size, their score and its source, and nothing is fetched for that", async () => {
  const requests = [];
  const { page, leave } = await visitor(async (page) => page.on("request", (request) => requests.push(request.url())));
  await page.click("#choose-open");
  const offered = await page.$$eval("#choose-answers li, #choose-sentiment li", (rows) =>
    rows.map((row) => ({
      id: row.querySelector("span").textContent,
      about: row.querySelector("small").textContent,
      source: row.querySelector("a").href,
      described: row.querySelector("a").getAttribute("aria-label"),
    })),
  );
  assert.ok(offered.length >= 3);
  for (const { id, about, source, described } of offered) {
    assert.match(about, /^\d+\.\d MB · /);
    assert.equal(source, `https://huggingface.co/${id}`);
    assert.ok(described.includes(id));
  }
  const squad = offered.find(({ id }) => id === "csarron/mobilebert-uncased-squad-v2");
  assert.match(squad.about, /^98\.5 MB · F1 79 on SQuAD 2\.0/);
  assert.deepEqual(
    requests.filter((url) => !url.startsWith(site.address())),
    [],
  );
  await leave();
});

test("the models in use are marked, and a picked one shows its progress in the panel until it is ready", async () => {
  const { page, leave } = await visitor();
  await page.click("#choose-open");
  assert.deepEqual(await marked(page), ["small-answers (answers)", "small-sentiment (sentiment)"]);
  await page.evaluate(() => {
    globalThis.seen = [];
    const note = () => {
      if (!document.querySelector("#choose-progress").hidden) {
        globalThis.seen.push([
          document.querySelector("#choose-doing").textContent,
          document.querySelector("#choose-act").textContent,
        ]);
      }
    };
    new MutationObserver(note).observe(document.querySelector("#choose"), { childList: true, subtree: true });
  });
  await pick(page, "other-answers");
  await waitForText(page, "#model-names", /other-answers for answers/);
  assert.match(await text(page, "#choose-text"), /^Currently using other-answers/);
  const seen = await page.evaluate(() => globalThis.seen);
  assert.ok(
    seen.some(([doing, act]) => /other-answers/.test(doing) && act === "Stop loading other-answers"),
    JSON.stringify(seen),
  );
  assert.deepEqual(await marked(page), ["small-sentiment (sentiment)", "other-answers (answers)"]);
  await leave();
});

describe("a picked model", () => {
  let one;
  before(async () => {
    one = await visitor(undefined, "?device=wasm");
    await pick(one.page, "other-answers");
    await waitForText(one.page, "#model-names", /other-answers for answers/);
  });
  after(() => one?.leave());

  test("is used again on the next visit, also in another tab", async () => {
    const { page } = await newPage(one.context);
    for (const tab of [one.page, page]) {
      await openReady(tab, site.address(), "?device=wasm");
      assert.match(await text(tab, "#model-names"), /other-answers for answers/);
      assert.notEqual((await ask(tab, "Who built it?")).state, "stopped");
    }
    await page.close();
  });

  test("yields to one in the page's address", async () => {
    await openReady(one.page, site.address(), SMALL_MODELS);
    assert.match(await text(one.page, "#model-names"), /small-answers for answers/);
  });

  test("isn't downloaded again unasked when the browser has removed it", async () => {
    await one.page.evaluate(() => caches.delete("mobilebert-models"));
    const fetched = [];
    one.page.on("request", (request) => fetched.push(request.url()));
    await openReady(one.page, site.address(), "?device=wasm");
    assert.match(await text(one.page, "#loading-text"), /^Ready\. other-answers is no longer stored in this browser/);
    assert.doesNotMatch(await text(one.page, "#model-names"), /other-answers/);
    assert.deepEqual(
      fetched.filter((url) => url.includes("other-answers")),
      [],
    );
  });

  test("is given up with a message if it doesn't load anymore", async () => {
    await pick(one.page, "other-answers");
    await waitForText(one.page, "#model-names", /other-answers for answers/);
    const at = await one.page.evaluate(async () => {
      const store = await caches.open("mobilebert-models");
      for (const request of await store.keys()) {
        if (!request.url.includes("other-answers") || !request.url.includes("safetensors")) continue;
        const part = await (await store.match(request)).clone();
        await store.put(request, new Response("broken", { headers: part.headers }));
        return request.url;
      }
    });
    assert.ok(at, "no part of the model was found in the cache");
    const folder = site.folder("other-answers");
    await rename(folder, `${folder}-away`);
    try {
      await openReady(one.page, site.address(), "?device=wasm");
      assert.match(
        await text(one.page, "#loading-text"),
        /^Ready\. other-answers could not be loaded, so .+ is used instead\.$/,
      );
      await openReady(one.page, site.address(), "?device=wasm");
      assert.doesNotMatch(await text(one.page, "#loading-text"), /other-answers/);
    } finally {
      await rename(`${folder}-away`, folder);
    }
  });
});

test("with storage forbidden, a model can be picked, and nothing is remembered", async () => {
  const { page, faults, leave } = await visitor((page) =>
    page.evaluateOnNewDocument(() => {
      Object.defineProperty(globalThis, "localStorage", {
        get() {
          throw new DOMException("The operation is insecure.", "SecurityError");
        },
      });
    }),
  );
  await pick(page, "other-answers");
  await waitForText(page, "#model-names", /other-answers for answers/);
  assert.notEqual((await ask(page, "Who built it?")).state, "stopped");
  assert.deepEqual(faults, []);
  await leave();
});

test("what another program has stored under the same name does no harm", async () => {
  for (const stored of ["{", "null", "[7]", '{"answers":{"label":7}}', '{"answers":{"label":"x","source":"//["}}']) {
    const { page, faults, leave } = await visitor(
      (page) => page.evaluateOnNewDocument((stored) => localStorage.setItem("mobilebert-models:/", stored), stored),
      "?device=wasm",
    );
    assert.match(await text(page, "#model-names"), /for answers/);
    assert.deepEqual(faults, []);
    await leave();
  }
});

test("without room to store a picked model it works, and the page says so", async () => {
  const { page, leave } = await visitor();
  const session = await page.createCDPSession();
  const { origin } = new URL(site.address());
  await session.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: 1000 });
  await pick(page, "other-answers");
  await waitForText(page, "#model-names", /other-answers for answers/);
  await waitForText(page, "#loading-text", /has no room to store/);
  assert.notEqual((await ask(page, "Who built it?")).state, "stopped");
  await leave();
});

test("offline, a model that isn't stored is refused in words, and the current one stays", async () => {
  const { page, leave } = await visitor();
  await page.setOfflineMode(true);
  await pick(page, "other-answers");
  await waitForText(
    page,
    "#choose-text",
    /^You are offline, and other-answers isn't stored in this browser\. Nothing has changed\.$/,
  );
  assert.notEqual((await ask(page, "Who built it?")).state, "stopped");
  assert.match(await text(page, "#model-names"), /small-answers for answers/);
  await leave();
});

test("a model that can't be loaded offers to go back to the one before", async () => {
  const { page, leave } = await visitor();
  await page.click("#choose-open");
  await page.type("#hub-id", "./nothing-here/");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => !document.querySelector("#problem").hidden);
  assert.equal(await text(page, "#choose-act"), "Go back to small-answers");
  await page.focus("#choose-act");
  await page.keyboard.press("Enter");
  await waitForText(page, "#model-names", /small-answers for answers/);
  // The button is gone, and screen readers hear what happened.
  assert.equal(await page.evaluate(() => document.activeElement.id), "choose-title");
  assert.equal(await page.$eval("#choose-text", (message) => message.role), "status");
  await leave();
});

test("a sentiment model that couldn't be loaded can be tried again, while the one before is used", async () => {
  const { page, leave } = await visitor();
  const folder = site.folder("small-emotions");
  await rename(folder, `${folder}-away`);
  try {
    await pick(page, "small-emotions");
    await page.waitForFunction(() => !document.querySelector("#problem").hidden);
    assert.match(await text(page, "#choose-text"), /^small-emotions could not be loaded\. Choose another model:$/);
    await waitForText(page, "#model-names", /small-sentiment for sentiment/);
  } finally {
    await rename(`${folder}-away`, folder);
  }
  await page.click("#problem-retry");
  await waitForText(page, "#model-names", /small-emotions for labels/);
  assert.match(await text(page, "#choose-text"), /^Currently using small-emotions/);
  await leave();
});

test("a sentiment model whose load is stopped gives way to the one before", async () => {
  const { page, leave } = await visitor();
  await page.evaluate(() => {
    globalThis.holding = true;
    const post = Worker.prototype.postMessage;
    Worker.prototype.postMessage = function (message, ...rest) {
      if (!globalThis.holding || message.kind !== "load") post.call(this, message, ...rest);
    };
  });
  await pick(page, "small-emotions");
  await paste(page, "#mood", "Not bad at all.");
  await waitForText(page, "#mood-text", /^The model is still loading\.$/);
  assert.equal(await text(page, "#choose-act"), "Stop loading small-emotions");
  await page.evaluate(() => {
    globalThis.holding = false;
    document.querySelector("#choose-act").click();
  });
  await waitForText(page, "#model-names", /small-sentiment for sentiment/);
  await page.waitForFunction(() => document.querySelector("#mood-timing").textContent !== "");
  assert.match(await text(page, "#choose-text"), /^Loading small-emotions was stopped\./);
  await leave();
});

test("without a model, nothing says that it is loading", async () => {
  const { page, leave } = await visitor();
  assert.notEqual((await ask(page, "Who built it?")).state, "stopped");
  await page.evaluate(() => document.querySelector("#inside-toggle").click());
  await page.evaluate(() => document.querySelector("#choose-open").click());
  await page.type("#hub-id", "./nothing-here/");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => !document.querySelector("#problem").hidden);
  await page.evaluate(() => document.querySelector("#inside-attention").click());
  await waitForText(page, "#inside-word", /^No model is loaded\.$/);
  const folder = site.folder("small-sentiment");
  await rename(folder, `${folder}-away`);
  try {
    await page.evaluate(() => caches.delete("mobilebert-models"));
    await page.goto(site.address() + SMALL_MODELS);
    await waitForText(page, "#loading-text", /small-sentiment could not be loaded/);
    await paste(page, "#mood", "Not bad at all.");
    await page.waitForFunction(() => !/still/.test(document.querySelector("#mood-text").textContent));
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.equal(await text(page, "#mood-text"), "small-sentiment could not be loaded.");
  } finally {
    await rename(`${folder}-away`, folder);
  }
  await leave();
});

test("a revision of a model on the Hub is remembered, and loaded from this browser", async () => {
  const offline = await chromium({ flags: ["--host-resolver-rules=MAP huggingface.co ~NOTFOUND"] });
  const { page } = await newPage(offline);
  await openReady(page, site.address(), "?device=wasm&model=other-answers&model=small-sentiment");
  await page.evaluate(async () => {
    const store = await caches.open("mobilebert-models");
    const model = "https://huggingface.co/owner/name/resolve/v1/";
    for (const request of await store.keys()) {
      const [, name] = request.url.split("/models/other-answers/");
      if (name === undefined) continue;
      const found = await store.match(request);
      const isRecord = name.endsWith("record.json");
      const moved = isRecord ? new Response(JSON.stringify({ ...(await found.json()), model })) : found;
      await store.put(model + name, moved);
    }
    const remembered = { answers: { label: "owner/name@v1", source: "owner/name@v1" } };
    localStorage.setItem("mobilebert-models:/", JSON.stringify(remembered));
  });
  await openReady(page, site.address(), "?device=wasm");
  assert.match(await text(page, "#model-names"), /owner\/name@v1 for answers/);
  assert.equal(
    await page.$eval("#model-names a[href*=huggingface]", (link) => link.href),
    "https://huggingface.co/owner/name",
  );
  await offline.close();
});

test("a classifier whose task the page doesn't know is handed over to the second card, which loads it once", async () => {
  const unknown = new URL("models/small-sentiment/?unknown", site.address());
  const { page, leave } = await visitor(countLoads, `?device=wasm&model=${encodeURIComponent(unknown)}`);
  assert.match(await text(page, "#model-names"), /small-sentiment\/ for sentiment/);
  assert.equal(await loadsOf(page), 3, "one that was tried for answers, and one for each use");
  await leave();
});

describe("the second card", () => {
  let page;
  let leave;
  before(async () => {
    ({ page, leave } = await visitor(countLoads));
    await paste(page, "#mood", "I would watch it again.");
  });
  after(() => leave?.());

  const visible = (selector) => page.$eval(selector, (element) => element.checkVisibility());
  const labels = () => page.$$eval("#labels-list .what", (found) => found.map(({ textContent }) => textContent));

  test("shows a classifier's own labels with bars, for the sentence typed before", async () => {
    await pick(page, "small-emotions");
    await waitForText(page, "#labels-line", /\d %/);
    assert.deepEqual(
      [await visible("#labels-card"), await visible("#mood-card"), await visible("#own-labels")],
      [true, false, false],
    );
    assert.equal(await text(page, "#labels-title"), "Labels of small-emotions");
    assert.equal(await page.$eval("#labels-text", (field) => field.value), "I would watch it again.");
    assert.deepEqual((await labels()).toSorted(), ["angry", "happy", "sad"]);
    assert.match(await text(page, "#model-names"), /small-emotions for labels/);
  });

  test("has a field for labels of one's own if the model does inference, and follows the typing", async () => {
    const before = await loadsOf(page);
    await pick(page, "small-inference");
    await waitForText(page, "#labels-title", /^Your own labels$/);
    await waitForText(page, "#labels-line", /\d %/);
    assert.equal((await loadsOf(page)) - before, 1, "the model is loaded once");
    await paste(page, "#own-labels", "the cat, a dog; the cat,  ");
    await page.waitForFunction(() => document.querySelectorAll("#labels-list li").length === 2);
    assert.deepEqual((await labels()).toSorted(), ["a dog", "the cat"]);
    await paste(page, "#own-labels", "one");
    await waitForText(page, "#labels-line", /^Type at least two labels, with commas between them\.$/);
    await paste(page, "#own-labels", Array.from({ length: 30 }, (_, i) => `label ${i}`).join());
    await waitForText(page, "#labels-line", /^Type at most 20 labels; there are 30\.$/);
  });

  test("is the sentiment card again with a sentiment model", async () => {
    await pick(page, "small-sentiment");
    await waitForText(page, "#model-names", /small-sentiment for sentiment/);
    assert.deepEqual([await visible("#labels-card"), await visible("#mood-card")], [false, true]);
    assert.equal(await page.$eval("#mood", (field) => field.value), "I would watch it again.");
  });
});
