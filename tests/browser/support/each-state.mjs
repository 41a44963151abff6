import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { chromium, newPage } from "./browsers.mjs";
import { startStates } from "./state-models.mjs";
import { startRefusingProxy, throughProxy, watch } from "./witness.mjs";

/** A small measurement. */
const NETWORKS = "?variant=tiny&sequence=8,16&runs=2&device=wasm";

/** Starts browsers that send all requests elsewhere to a proxy, while the tests of a file run. */
export function watchedBrowsers() {
  let served;
  let proxy;
  const browsers = {};
  before(async () => {
    served = await startStates({ tiny: true, networks: NETWORKS });
    proxy = await startRefusingProxy();
    const flags = throughProxy(proxy, served.where.address);
    browsers.plain = await chromium({ flags });
    browsers.gpu = await chromium({ webgpu: true, flags });
  });
  after(async () => {
    for (const browser of Object.values(browsers)) await browser.close();
    proxy?.stop();
    await served?.stop();
  });

  /** Opens a page for a state; returns it with its requests. `close` closes it. */
  async function open({ gpu, chosen } = {}, size = undefined) {
    const context = await (gpu ? browsers.gpu : browsers.plain).createBrowserContext();
    const { page, faults } = await newPage(context, size);
    const requests = watch(page, proxy, served.where.address, chosen);
    return { page, faults, ...requests, close: () => context.close() };
  }
  return { open, where: () => served.where };
}

/**
 * Enters each of the states once, in a new page of the given size, and checks its requests. `define` defines other tests of
 * a state; it gets a function that returns the page. `prepare` gets the page before the state is entered.
 */
export function describeEachState(states, { browsers, size, prepare = () => {} }, define = () => {}) {
  for (const [name, state] of Object.entries(states)) {
    describe(`the state ${name}`, () => {
      let opened;
      let elsewhere;
      before(async () => {
        opened = await browsers.open(state, size);
        await prepare(opened.page);
        await state.enter(opened.page, browsers.where());
        elsewhere = opened.elsewhere();
      });
      after(() => opened?.close());

      test("all requests go to the page's own origin or the chosen model", () => {
        const { seen } = opened;
        assert.deepEqual(elsewhere, []);
        assert.ok(
          seen.some((url) => url.endsWith("/main.js")),
          "the page's own script was not requested: this test detects nothing",
        );
        if (state.chosen)
          assert.ok(
            seen.some((url) => url.startsWith(state.chosen)),
            "the chosen model was not requested",
          );
      });
      define(() => opened.page);
    });
  }
}
