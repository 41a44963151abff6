import { openReady } from "../index-page.mjs";
import { holdAt } from "../worker-messages.mjs";

/** Waits until the status line matches. */
function line(page, pattern) {
  return page.waitForFunction(
    (source) => new RegExp(source).test(document.querySelector("#loading-text").textContent),
    { polling: "mutation" },
    pattern.source,
  );
}

/** Holds a load in a phase. */
async function hold(page, address, phase, words) {
  await holdAt(page, phase);
  await page.goto(address, { waitUntil: "domcontentloaded" });
  await line(page, words);
}

/** Replaces the site's list of models; with `undefined` the request never ends. */
export async function replaceModelList(page, models) {
  await page.evaluateOnNewDocument((models) => {
    const original = globalThis.fetch;
    globalThis.fetch = (input, ...rest) => {
      if (!String(input).endsWith("models.json")) return original(input, ...rest);
      return models ? Promise.resolve(Response.json(models)) : new Promise(() => {});
    };
  }, models);
}

/** States of loading a model. */
export const loading = {
  first: {
    async enter(page, { address }) {
      // Hold back the list of models to show the initial state.
      await replaceModelList(page, undefined);
      await page.goto(address, { waitUntil: "domcontentloaded" });
      await page.waitForSelector("#samples button");
    },
  },
  loading: { enter: (page, { address }) => hold(page, address, "download", /^Loading .* of/) },
  "loading-cached": {
    async enter(page, { address }) {
      await openReady(page, address);
      await hold(page, address, "cache", /^Reading .+ from this browser's cache/);
    },
  },
  "loading-checked": {
    // Only models with `files.json` are verified.
    enter: (page, { address }) => hold(page, `${address}?model=state-listed`, "verify", /^Verifying/),
  },
  "loading-compile": { enter: (page, { address }) => hold(page, address, "compile", /^Preparing the device for .+/) },
  "loading-upload": { enter: (page, { address }) => hold(page, address, "upload", /^Uploading .+ to the device/) },
  cached: {
    async enter(page, { address }) {
      await openReady(page, address);
      await openReady(page, address);
      await line(page, /^Ready. Loaded from this browser's cache/);
    },
  },
  unkept: {
    async enter(page, { address }) {
      const session = await page.createCDPSession();
      const { origin } = new URL(address);
      await session.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: 1000 });
      await openReady(page, address);
      await line(page, /has no room to store/);
    },
  },
  "no-model": {
    async enter(page, { address }) {
      await replaceModelList(page, []);
      await page.goto(address, { waitUntil: "domcontentloaded" });
      await page.waitForFunction(() => !document.querySelector("#choose").hidden);
    },
  },
  "own-folder": {
    async enter(page, { address, files }) {
      await replaceModelList(page, []);
      await page.goto(address, { waitUntil: "domcontentloaded" });
      await page.waitForFunction(() => !document.querySelector("#choose").hidden);
      await (await page.$("#folder")).uploadFile(...files);
      await line(page, /^Ready, using the files you selected/);
    },
  },
};
