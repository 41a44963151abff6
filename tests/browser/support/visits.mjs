/** Visits to a page that loads a model on a GPU with faults. */

import assert from "node:assert/strict";
import { newPage } from "./browsers.mjs";
import { loseGpuInNextRun } from "./losing.mjs";

/** Runs in the page, before anything else. */
function faults() {
  /** Makes the software adapter look like a real GPU. */
  globalThis.pretendHardware = () => {
    Object.defineProperty(GPUAdapterInfo.prototype, "isFallbackAdapter", { get: () => false });
  };

  /** Makes a driver that computes wrong exponentials in one kernel. */
  globalThis.miscompile = (kernel) => {
    const original = GPUDevice.prototype.createShaderModule;
    GPUDevice.prototype.createShaderModule = function (descriptor) {
      const isWrong = descriptor.label === kernel;
      const code = isWrong ? descriptor.code.replaceAll("exp(", "exp2(") : descriptor.code;
      if (isWrong && code === descriptor.code) throw new Error(`nothing was changed in ${kernel}`);
      return original.call(this, { ...descriptor, code });
    };
  };

  /** Makes a GPU that doesn't answer the next call of a method, and waiting for that short. */
  globalThis.hang = (owner = GPUBuffer, method = "mapAsync") => {
    const { setTimeout } = globalThis;
    const original = owner.prototype[method];
    let state = "ready";
    owner.prototype[method] = function (...given) {
      if (state !== "ready") return original.apply(this, given);
      state = "hanging";
      return new Promise(() => {});
    };
    globalThis.setTimeout = (callback, time, ...given) => {
      const isLimit = state === "hanging" && time >= 60_000;
      const end = () => {
        state = "over";
        callback(...given);
      };
      return isLimit ? setTimeout(end, 3_000) : setTimeout(callback, time, ...given);
    };
  };

  /** Makes a GPU without memory for the next buffer whose label begins like this. */
  globalThis.fill = (label) => {
    const { createBuffer, pushErrorScope, popErrorScope } = GPUDevice.prototype;
    const filters = [];
    let isFull = false;
    GPUDevice.prototype.createBuffer = function (descriptor) {
      isFull ||= descriptor.label?.startsWith(label);
      return createBuffer.call(this, descriptor);
    };
    GPUDevice.prototype.pushErrorScope = function (filter) {
      filters.push(filter);
      pushErrorScope.call(this, filter);
    };
    GPUDevice.prototype.popErrorScope = async function () {
      const fails = filters.pop() === "out-of-memory" && isFull;
      if (fails) isFull = false;
      const error = await popErrorScope.call(this);
      return fails ? new GPUOutOfMemoryError("no memory") : error;
    };
  };
}

/**
 * Opens a page after running `fault`, an expression over the functions above. The model is loaded in the page itself, so
 * that it sees the changes. Nothing is remembered yet.
 */
export async function openWith(browser, address, fault = "") {
  const { page } = await newPage(browser);
  await page.evaluateOnNewDocument(`(${faults})(); globalThis.lose = ${loseGpuInNextRun}; ${fault}`);
  await page.goto(`${address}style.css`);
  await page.evaluate(async () => {
    globalThis.mobilebert = await import("/pkg/dist/index.js");
    await globalThis.mobilebert.cache.clear();
  });
  return page;
}

/** Loads a model, asks, and returns the device and the answer. `during`, an expression, is run between the two. */
export async function visit(page, device, name = "answers", options = {}, during = "") {
  const load = async (name, options) => {
    globalThis.model = await globalThis.mobilebert.QuestionAnswering.load(`/models/${name}/`, options);
  };
  await page.evaluate(load, name, { ...options, device, worker: false });
  await page.evaluate(during);
  return await page.evaluate(async () => {
    const { model } = globalThis;
    const { answers } = await model.ask("What is it?", "It is the end of the day.");
    const found = { device: model.device, text: answers[0].text, score: answers[0].score };
    await model.dispose();
    return found;
  });
}

/** Changes what is remembered; returns the number of records. */
export async function rewriteChoices(page, change) {
  const read = async () => {
    const store = await caches.open("mobilebert-models");
    const keys = (await store.keys()).map(({ url }) => url).filter((url) => url.includes("/choices/"));
    return await Promise.all(keys.map(async (url) => [url, await (await store.match(url)).text()]));
  };
  const write = async (records) => {
    const store = await caches.open("mobilebert-models");
    for (const [url, record] of records) await store.put(url, new Response(record));
  };
  const records = await page.evaluate(read);
  await page.evaluate(
    write,
    records.map(([url, record]) => [url, change(record)]),
  );
  return records.length;
}

/** Checks that the answer is that of the CPU. */
export async function assertRight(page, { text, score }, name) {
  const expected = await visit(page, "wasm", name);
  assert.equal(text, expected.text);
  assert.ok(Math.abs(score - expected.score) < 1e-2, `${score}, ${expected.score}`);
}
