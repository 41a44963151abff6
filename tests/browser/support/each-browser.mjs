import { after, before, describe } from "node:test";
import { chromium, firefox } from "./browsers.mjs";

/** Defines the same tests for Chromium and for Firefox; `define` gets a function that returns the running browser. */
export function describeInEachBrowser(define, options) {
  for (const [name, launch] of [
    ["Chromium", chromium],
    ["Firefox", firefox],
  ]) {
    describe(name, () => {
      let browser;
      before(async () => {
        browser = await launch(options);
      });
      after(() => browser?.close());
      define(() => browser, name);
    });
  }
}
