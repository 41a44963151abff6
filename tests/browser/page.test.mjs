import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { chromium, firefox, newPage } from "./support/browsers.mjs";
import { ask, openReady, paste } from "./support/index-page.mjs";
import { startServer } from "./support/server.mjs";

const configurations = [
  { name: "Chromium, WebGPU on SwiftShader", launch: () => chromium({ webgpu: true }), device: "webgpu" },
  { name: "Chromium, CPU", launch: () => chromium(), device: "wasm" },
  { name: "Firefox, WebGPU on lavapipe", launch: firefox, device: "webgpu" },
  { name: "Firefox, CPU", launch: firefox, device: "wasm" },
];

/** Short, because software GPUs are slow. */
const PASSAGE =
  "The lighthouse on Skarn Point was first lit on 4 October 1871. It stands 38 metres tall. For its first sixty years the lamp burned rapeseed oil.";

/** The results of each configuration, to be compared at the end. */
const given = new Map();
let server;
before(async () => {
  server = await startServer();
});
after(() => server?.stop());

for (const { name, launch, device } of configurations) {
  describe(name, () => {
    let browser;
    let page;
    let faults;
    before(async () => {
      browser = await launch();
      ({ page, faults } = await newPage(browser));
      await openReady(page, server.address, `?device=${device}`);
    });
    after(() => browser?.close());

    test("shows the device and why it was chosen", async () => {
      const shown = await page.$eval("#device-name", (element) => element.textContent);
      assert.match(shown, device === "webgpu" ? /^WebGPU · ./ : /^CPU/);
      const reason = await page.$eval("#device-reason", (element) => element.textContent);
      assert.ok(reason.length > 10, `no reason given: "${reason}"`);
    });

    test("answers questions about a passage and highlights the answer in it", async () => {
      const questions = {
        "When was the lighthouse first lit?": "4 October 1871",
        "How tall is the tower?": "38 metres",
        "What did the lamp burn at first?": "rapeseed oil",
      };
      const answers = [];
      await paste(page, "#passage", PASSAGE);
      for (const [question, expected] of Object.entries(questions)) {
        const found = await ask(page, question);
        assert.equal(found.state, "found");
        assert.ok(found.line.includes(expected), `"${question}" gave "${found.line}"`);
        assert.equal(found.marked, found.line);
        assert.ok(found.sentence.includes(found.line));
        assert.match(found.timing, /to tokenize, .* to compute, .* to search/);
        answers.push(found);
      }
      given.set(name, { ...given.get(name), answers });
    });

    test("updates the sentiment of a sentence", async () => {
      const shares = [];
      for (const sentence of ["A wonderful film, warm and funny.", "A dull and lifeless mess."]) {
        await paste(page, "#mood", sentence);
        await page.waitForFunction(() => document.querySelector("#mood-timing").textContent !== "");
        await page.waitForFunction(
          (before) => document.querySelector("#mood-text").textContent !== before,
          {},
          shares.at(-1)?.text ?? "",
        );
        const text = await page.$eval("#mood-text", (element) => element.textContent);
        const share = await page.$eval("#mood-mark", (element) => Number(element.style.getPropertyValue("--share")));
        shares.push({ text, share });
      }
      assert.ok(shares[0].share > 0.9, `praise: ${JSON.stringify(shares[0])}`);
      assert.ok(shares[1].share < 0.1, `blame: ${JSON.stringify(shares[1])}`);
      given.set(name, { ...given.get(name), shares });
    });

    test("never parses a passage as HTML", async () => {
      const attack = '<img src=x onerror="window.attacked = 1"><script>window.attacked = 2</script>';
      await paste(page, "#passage", `The secret word is ${attack} and everybody in the village knows it.`);
      const found = await ask(page, `What is the secret word? ${attack}`);
      assert.ok(found.state !== "stopped", found.line);
      await page.$$eval("#alternatives button", (buttons) => {
        for (const button of buttons) button.click();
      });
      const seen = await page.evaluate(() => ({
        attacked: globalThis.attacked,
        images: document.querySelectorAll("img, main script").length,
        marks: document.querySelector("#passage-marks").textContent.trimEnd(),
        passage: document.querySelector("#passage").value,
      }));
      assert.equal(seen.attacked, undefined);
      assert.equal(seen.images, 0);
      assert.ok(seen.marks !== "" && seen.passage.startsWith(seen.marks), seen.marks);
    });

    test("logs no errors", () => assert.deepEqual(faults, []));
  });
}

test("all browsers and devices give the same answers", () => {
  assert.equal(given.size, configurations.length, "a configuration gave no answers");
  const [[firstName, first], ...others] = given;
  const percent = (text) => Number.parseFloat(text.replace("< 1", "0").replace("> 99", "100"));
  for (const [name, { answers, shares }] of others) {
    for (const [i, answer] of answers.entries()) {
      const where = `${name} against ${firstName}, question ${i + 1}`;
      assert.equal(answer.line, first.answers[i].line, where);
      assert.deepEqual(answer.alternatives, first.answers[i].alternatives, where);
      for (const [j, share] of answer.shares.entries()) {
        // The page rounds to whole percent.
        const distance = Math.abs(percent(share) - percent(first.answers[i].shares[j]));
        assert.ok(distance <= 1, `${where}: ${share} and ${first.answers[i].shares[j]}`);
      }
    }
    for (const [i, { share }] of shares.entries()) assert.ok(Math.abs(share - first.shares[i].share) <= 1e-3, name);
  }
});
