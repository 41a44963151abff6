import { after, before } from "node:test";
import { newPage } from "./browsers.mjs";
import { openReady } from "./index-page.mjs";
import { startServer } from "./server.mjs";
import { makeModels } from "./tiny-model.mjs";

/** The page's URL parameters that choose them, on the CPU. */
export const SMALL_MODELS = "?device=wasm&model=small-answers&model=small-sentiment";

/** Serves the page with two small models, and `others` as for `makeModels`, while the tests of a file run. */
export function serveSmallModels(others = {}) {
  let made;
  let server;
  before(async () => {
    // The page uses the first model of each kind by default.
    made = await makeModels({ "small-answers": {}, "small-sentiment": { task: "text-classification" }, ...others });
    server = await startServer(Object.values(made.folders));
  });
  after(async () => {
    await server?.stop();
    await made?.remove();
  });
  return {
    /** The server's address. */
    address: () => server.address,
    /** The folder of a model. */
    folder: (name) => made.folders[name],
    /** Opens the page in a browser and waits until both models are ready. */
    async open(browser, size) {
      const { page } = await newPage(browser, size);
      await openReady(page, server.address, SMALL_MODELS);
      return page;
    },
  };
}
