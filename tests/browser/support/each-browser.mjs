import { after, before, describe } from "node:test";
import { chromium, firefox } from "./browsers.mjs";

/** Defines the same tests for Chromium and for Firefox; `define` gets a function that returns the running browser. */
export function describeInEachBrowser(title, define) {
  for (const [name, launch] of [
    ["Chromium", () => chromium()],
    ["Firefox", firefox],
  ]) {
    describe(`${title} in ${name}`, () => {
      let browser;
      before(async () => {
        browser = await launch();
      });
      after(() => browser?.close());
      define(() => browser);
    });
  }
}
