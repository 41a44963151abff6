import { endOfBench, openBench, startBench } from "../bench-page.mjs";

/** States of sharing. */
export const sharing = {
  "bench-picture": {
    bench: true,
    async enter(page, { address }) {
      await openBench(page, address, "?variant=mobilebert,tiny&sequence=16,128&runs=2&device=wasm");
      await startBench(page);
      await endOfBench(page);
      await page.evaluate(() => document.querySelector("#draw").click());
      await page.waitForFunction(() => !document.querySelector("#picture-part").hidden);
    },
    shows: "#picture-part",
  },
};
