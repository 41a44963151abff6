import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { newPage } from "./support/browsers.mjs";
import { describeInEachBrowser } from "./support/each-browser.mjs";
import { findModels } from "./support/models.mjs";
import { startServer } from "./support/server.mjs";
import { makeModels } from "./support/tiny-model.mjs";

let made;
let server;
let model;
before(async () => {
  model = `/models/${(await findModels()).answers.name}/`;
  made = await makeModels({ floats: { hidden: 64, intermediate: 128, positions: 256 } });
  server = await startServer([made.folders.floats]);
});
after(async () => {
  await server?.stop();
  await made?.remove();
});

const text = "The bridge was opened by the mayor, Ines Kolar. Nothing else was written down on that day.";
const question = "Who opened the bridge?";

/** Opcodes of relaxed SIMD that take three vectors and return one. */
const MULTIPLY_ADD = [0xfd, 0x85, 0x02];
const NEGATIVE_MULTIPLY_ADD = [0xfd, 0x86, 0x02];
const DOT = [0xfd, 0x93, 0x02];

describeInEachBrowser("relaxed SIMD", (browser) => {
  let page;

  beforeEach(async () => {
    page = (await newPage(browser())).page;
    await page.goto(`${server.address}style.css`);
  });

  /** Loads the model in the page's own thread and asks; an error's code, field and message if it fails. */
  async function ask(options = {}, name = model) {
    return await page.evaluate(
      async (name, options, question, text) => {
        const { QuestionAnswering } = await import("/pkg/dist/index.js");
        try {
          const qa = await QuestionAnswering.load(name, { device: "wasm", worker: false, ...options });
          const { answers } = await qa.ask(question, text);
          const { simd } = qa.device;
          await qa.dispose();
          return { simd, answers };
        } catch ({ code, detail, message }) {
          return { code, field: detail.field, message };
        }
      },
      name,
      options,
      question,
      text,
    );
  }

  /** Has the page's browser compute one opcode's results for another, where the second module has it. */
  async function replace(opcode, other) {
    await page.evaluate(
      (opcode, other) => {
        const { instantiate } = WebAssembly;
        WebAssembly.instantiate = (module, imports) => {
          if (module instanceof WebAssembly.Module) return instantiate(module, imports);
          const bytes = new Uint8Array(module);
          for (let i = 0; i < bytes.length; i++) {
            if (opcode.every((byte, place) => bytes[i + place] === byte)) bytes.set(other, i);
          }
          return instantiate(bytes, imports);
        };
      },
      opcode,
      other,
    );
  }

  test("is used where the browser has it, and the device says so", async () => {
    const { simd, answers } = await ask();
    assert.match(simd.set, /^relaxed/);
    assert.match(simd.reason, /fused multiply-adds/);
    assert.match(answers[0].text, /Ines Kolar/);
  });

  for (const [dtype, allowed, name] of [
    ["f32", 1e-4],
    ["q8", 5e-3],
    // The project's own model has been quantized, and can't be stored in these.
    ["f16", 1e-4, "/models/floats/"],
    ["q4", 1e-4, "/models/floats/"],
  ]) {
    test(`finds the same answers in ${dtype}, whatever the instructions`, async () => {
      const expected = await ask({ dtype, simd: "simd128" }, name);
      assert.deepEqual(expected.simd, { set: "simd128", reason: "they were asked for" });
      for (const set of ["relaxed", "relaxed-dot"]) {
        const { simd, answers } = await ask({ dtype, simd: set }, name);
        assert.equal(simd.set, set);
        assert.deepEqual(
          answers.map(({ text }) => text),
          expected.answers.map(({ text }) => text),
        );
        for (const [place, { probability }] of answers.entries()) {
          assert.ok(Math.abs(probability - expected.answers[place].probability) < allowed, `${set}: ${place}`);
        }
      }
    });
  }

  test("is left out where the browser doesn't have it", async () => {
    await page.evaluate(() => {
      WebAssembly.validate = () => false;
    });
    const { simd, answers } = await ask();
    assert.deepEqual(simd, { set: "simd128", reason: "no relaxed SIMD: it is not supported here" });
    assert.match(answers[0].text, /Ines Kolar/);
    const { code, field, message } = await ask({ simd: "relaxed" });
    assert.deepEqual([code, field], ["unsupported", "simd"]);
    assert.match(message, /not supported here/);
  });

  /** Has the first calls of the loop with multiply-adds take as long as in a browser that imitates them. */
  async function slowDown(calls) {
    await page.evaluate((calls) => {
      const { instantiate } = WebAssembly;
      WebAssembly.instantiate = async (module, imports) => {
        if (module instanceof WebAssembly.Module) return await instantiate(module, imports);
        const { instance } = await instantiate(module, imports);
        const { fused } = instance.exports;
        let called = 0;
        const slow = (steps) => fused(called++ < calls ? 40 * steps : steps);
        return { instance: { exports: { ...instance.exports, fused: slow } } };
      };
    }, calls);
  }

  test("is left out where the browser imitates it", async () => {
    await slowDown(Number.POSITIVE_INFINITY);
    const { simd, answers } = await ask();
    assert.deepEqual(simd, { set: "simd128", reason: "relaxed SIMD is slower here" });
    assert.match(answers[0].text, /Ines Kolar/);
  });

  test("is used where the browser is late to optimize what measures it", async () => {
    await slowDown(3);
    const { simd } = await ask();
    assert.match(simd.set, /^relaxed/);
  });

  test("is left out where products of bytes are wrong", async () => {
    await replace(DOT, MULTIPLY_ADD);
    const { simd, answers } = await ask();
    assert.deepEqual(simd, { set: "simd128", reason: "no relaxed SIMD: its products of bytes are wrong here" });
    assert.match(answers[0].text, /Ines Kolar/);
  });

  test("is left out where products of floats are wrong", async () => {
    await replace(MULTIPLY_ADD, NEGATIVE_MULTIPLY_ADD);
    const { simd, answers } = await ask();
    assert.equal(simd.set, "simd128");
    assert.match(simd.reason, /wrong here/);
    assert.match(answers[0].text, /Ines Kolar/);
  });

  test("is left out where the wasm file has lost it", async () => {
    await page.evaluate(() => {
      WebAssembly.Module.customSections = () => [];
    });
    const { simd } = await ask();
    assert.deepEqual(simd, { set: "simd128", reason: "no relaxed SIMD: the wasm file was stripped of it" });
  });
});
