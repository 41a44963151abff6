import { failWith } from "../worker-messages.mjs";
import { replaceModelList } from "./loading.mjs";

/** There is no server at this address. */
const ELSEWHERE = "https://models.example/some-model/";

/** Waits for an error with this code. */
async function problem(page, code) {
  await page.waitForFunction(() => !document.querySelector("#problem").hidden);
  const shown = await page.$eval("#problem-code", (element) => element.textContent);
  if (shown !== code) throw new Error(`the error is ${shown}, not ${code}`);
}

/** A visit that ends in an error. */
const visit = (query, code) => ({
  async enter(page, { address }) {
    await page.goto(`${address}?${query}`);
    await problem(page, code);
  },
});

/** An error that is hard to cause; the worker's message is faked. */
const fakeError = (code, message) => ({
  async enter(page, { address }) {
    await failWith(page, { code, message, detail: {} });
    await page.goto(address);
    await problem(page, code);
  },
});

/** Error states. */
export const problems = {
  "offline-visit": {
    chosen: ELSEWHERE,
    async enter(page, { address }) {
      await page.evaluateOnNewDocument(() => {
        Object.defineProperty(Navigator.prototype, "onLine", { get: () => false });
      });
      await page.goto(`${address}?model=${ELSEWHERE}`);
      await problem(page, "network");
    },
  },
  "unreachable-model": {
    chosen: ELSEWHERE,
    async enter(page, { address }) {
      await replaceModelList(page, []);
      await page.goto(address);
      await page.waitForFunction(() => !document.querySelector("#choose").hidden);
      await page.type("#hub-id", ELSEWHERE);
      await page.keyboard.press("Enter");
      await problem(page, "network");
    },
  },
  "wrong-model": visit("model=./nothing-here/", "not-found"),
  "not-a-model": visit("model=state-page", "not-a-model"),
  "damaged-model": visit("model=state-damaged", "corrupt"),
  "changed-model": visit("model=state-changed", "integrity"),
  "no-webgpu": visit("device=webgpu", "unsupported"),
  "wrong-option": visit("dtype=q2", "invalid-input"),
  "out-of-memory": fakeError("out-of-memory", "not enough memory: the browser refused the wasm module 100000000 bytes"),
  "gpu-gone": fakeError("device-lost", "the GPU was lost (destroyed) and the model could not be loaded again"),
  fault: fakeError("internal", "unreachable (a bug in mobilebert; please report it)"),
};
