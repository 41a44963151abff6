import { endOfBench, openBench, startBench } from "../bench-page.mjs";
import { press } from "../index-page.mjs";

const LONG_RUN = "?variant=tiny&sequence=64&runs=1000&device=wasm";

async function measured(page, address, query) {
  await openBench(page, address, query);
  await startBench(page);
  const result = await endOfBench(page);
  if (result.problem || !result.json) throw new Error(`nothing was measured: ${result.problem}`);
}

/** Opens a link to a result in a page without the result. */
async function openLink(page, link) {
  await page.goto("about:blank");
  await page.goto(link);
  await page.waitForFunction(() => document.documentElement.dataset.ready === "true");
  await page.waitForFunction(() => !document.querySelector("#shared").hidden);
}

async function running(page, address) {
  await openBench(page, address, LONG_RUN);
  await startBench(page);
  await page.waitForFunction(() => /run \d+ of/.test(document.querySelector("#doing").textContent));
}

/** States of the latency page. `networks` is the query that selects what to measure. */
export const bench = {
  "bench-setup": { enter: (page, { address, networks }) => openBench(page, address, networks) },
  "bench-running": { bench: true, enter: (page, { address }) => running(page, address) },
  "bench-stopped": {
    bench: true,
    async enter(page, { address }) {
      await running(page, address);
      await page.evaluate(() => document.querySelector("#stop").click());
      await endOfBench(page);
    },
  },
  bench: { bench: true, enter: (page, { address, networks }) => measured(page, address, networks) },
  "bench-sustained": {
    bench: true,
    enter: (page, { address }) =>
      measured(page, address, "?variant=tiny&sequence=16&mode=sustained&minutes=0.02&device=wasm"),
  },
  "bench-operators": {
    bench: true,
    shows: "#operators-part",
    enter: (page, { address }) =>
      measured(
        page,
        address,
        "?variant=mobilebert,no-norm-gelu,layer-norm-relu,without-opt&sequence=128&runs=3&device=wasm",
      ),
  },
  "bench-schedules": {
    bench: true,
    enter: (page, { address }) =>
      measured(page, address, "?variant=tiny&sequence=16,32&runs=3&device=wasm&schedule=all"),
  },
  "bench-compare": {
    bench: true,
    shows: "#compare-part",
    async enter(page, { address }) {
      await measured(page, address, "?variant=mobilebert,tiny&sequence=16,32&runs=2&device=wasm");
      await press(page, "#compare-part summary");
      await page.evaluate(() => {
        const other = JSON.parse(document.querySelector("#json").value);
        for (const { warm } of other.models) for (const row of warm) row.median_ms *= 1.4;
        document.querySelector("#compare-with").value = JSON.stringify(other);
      });
      await press(page, "#compare-form button");
      await page.waitForFunction(() => !document.querySelector("#compare-region").hidden);
    },
  },
  "bench-model": {
    bench: true,
    enter: (page, { address }) => measured(page, address, "?model=state-listed&sequence=16&runs=2&device=wasm"),
  },
  "bench-shared": {
    bench: true,
    async enter(page, { address, networks }) {
      await measured(page, address, networks);
      await press(page, "#copy-link");
      await page.waitForFunction(() => document.querySelector("#link").value !== "");
      await openLink(page, await page.$eval("#link", (field) => field.value));
    },
  },
  "bench-link-cut": { bench: true, enter: (page, { address }) => openLink(page, `${address}bench.html#result=7VtZ`) },
  "bench-void": {
    bench: true,
    async enter(page, { address, networks }) {
      await openBench(page, address, networks);
      await page.evaluate(() => {
        // Hide the tab after the first row and before the last.
        new MutationObserver((_, observer) => {
          if (document.querySelectorAll("#warm .spark").length === 0) return;
          observer.disconnect();
          Object.defineProperty(document, "hidden", { value: true });
          document.dispatchEvent(new Event("visibilitychange"));
        }).observe(document.querySelector("#warm"), { childList: true, subtree: true });
      });
      await startBench(page);
      const result = await endOfBench(page);
      if (!result.void) throw new Error("the result is not void");
    },
  },
  "bench-no-webgpu": {
    bench: true,
    async enter(page, { address }) {
      await openBench(page, address, "?variant=tiny&sequence=16&runs=1&device=webgpu");
      await startBench(page);
      const { problem } = await endOfBench(page);
      if (!problem?.includes("unsupported")) throw new Error(`no error, or a different one: ${problem}`);
    },
  },
};
