/**
 * Opens the page in a fresh Chromium, asks a question as soon as the model is loaded, and prints the time to the first
 * text, the time until the page is interactive, the time to the answer, and the longest main-thread task until then.
 * With `--throttled`, it is a second visit, with the models in the browser's cache, over 4 Mbit/s with a round trip of
 * 100 ms and with a main thread that is four times as slow; Chromium can't slow down a worker.
 * Usage: `cargo xtask long-tasks [--runs 5] [--throttled]`, on an idle machine.
 */
import { parseArgs } from "node:util";
import { chromium, newPage } from "../../tests/browser/support/browsers.mjs";
import { ask, openReady, paste } from "../../tests/browser/support/index-page.mjs";
import { startServer } from "../../tests/browser/support/server.mjs";

const { values } = parseArgs({
  options: { runs: { type: "string", default: "5" }, throttled: { type: "boolean", default: false } },
});
const runs = Number(values.runs);
if (!Number.isInteger(runs) || runs < 1) throw new Error(`--runs ${values.runs}: not a positive integer`);

/** Runs before the page's own scripts: records long tasks, and when the samples become interactive. */
function watch() {
  globalThis.seen = { long: [], interactive: undefined };
  new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries()) globalThis.seen.long.push({ startTime, duration });
  }).observe({ type: "longtask", buffered: true });
  const look = () => {
    if (globalThis.seen.interactive === undefined && document.querySelector("#samples button")) {
      globalThis.seen.interactive = performance.now();
    }
  };
  new MutationObserver(look).observe(document, { childList: true, subtree: true });
}

/**
 * Finds the longest task of the page's main thread in a trace, by wall time and by CPU time, in milliseconds: with few
 * cores, tasks also wait for other threads. The trace includes Chromium's own pages.
 */
function longestTask(trace, address) {
  const { traceEvents } = JSON.parse(Buffer.from(trace).toString());
  const loads = traceEvents.filter(({ name, args }) => name === "CommitLoad" && args.data?.url?.startsWith(address));
  const pages = new Set(loads.map(({ pid }) => pid));
  // Ignore tasks before the page's first byte, mostly the start of the process.
  const first = Math.min(...loads.map(({ ts }) => ts));
  const mains = new Set(
    traceEvents
      .filter(({ name, pid, args }) => name === "thread_name" && args.name === "CrRendererMain" && pages.has(pid))
      .map(({ pid, tid }) => `${pid}/${tid}`),
  );
  const tasks = traceEvents.filter(
    ({ name, pid, tid, ts, dur }) =>
      dur > 0 && ts >= first && /^(RunTask|ThreadControllerImpl::RunTask)$/.test(name) && mains.has(`${pid}/${tid}`),
  );
  if (tasks.length === 0) throw new Error("the trace contains no main-thread task");
  const longest = (key) => Math.max(...tasks.map((task) => task[key] ?? 0)) / 1000;
  return { longestTask: longest("dur"), longestTaskOnCpu: longest("tdur") };
}

const CONNECTION = { download: 4e6 / 8, upload: 4e6 / 8, latency: 100 };
const SLOWER = 4;

async function throttle(page) {
  await page.emulateNetworkConditions(CONNECTION);
  await page.emulateCPUThrottling(SLOWER);
}

async function measure(address) {
  // A new browser each time: nothing is cached or compiled.
  const browser = await chromium();
  try {
    const { page } = await newPage(browser, { width: 360, height: 740 });
    if (values.throttled) {
      await openReady(page, address);
      await throttle(page);
    }
    await page.evaluateOnNewDocument(watch);
    await page.tracing.start({ categories: ["toplevel", "devtools.timeline"] });
    await openReady(page, address);
    await ask(page, "When was the lighthouse first lit?");
    const answered = await page.evaluate(() => performance.now());
    await paste(page, "#mood", "I would watch it again tomorrow.");
    await page.waitForFunction(() => document.querySelector("#mood-timing").textContent !== "");
    const trace = await page.tracing.stop();
    const seen = await page.evaluate(() => ({
      ...globalThis.seen,
      firstText: performance.getEntriesByName("first-contentful-paint")[0]?.startTime,
    }));
    const { firstText, interactive, long } = seen;
    return { firstText, interactive, answered, ...longestTask(trace, address), longTasks: long };
  } finally {
    await browser.close();
  }
}

const server = await startServer();
const results = [];
try {
  const shown = (value) => `${value?.toFixed(1) ?? "?"} ms`.padStart(11);
  console.log("run  first text  interactive       answer  longest task  on the CPU  tasks over 50 ms");
  for (let run = 1; run <= runs; run++) {
    const result = await measure(server.address);
    results.push(result);
    const { firstText, interactive, answered, longestTask, longestTaskOnCpu, longTasks } = result;
    const over = longTasks.map(({ startTime, duration }) => `${duration.toFixed(0)} at ${startTime.toFixed(0)}`);
    console.log(
      `${String(run).padStart(3)} ${shown(firstText)}  ${shown(interactive)}  ${shown(answered)}   ${shown(longestTask)} ${shown(longestTaskOnCpu)}  ${over.join(", ") || "none"}`,
    );
  }
} finally {
  await server.stop();
}
const median = (key) => results.map((result) => result[key]).sort((a, b) => a - b)[results.length >> 1];
console.log(
  JSON.stringify({
    runs,
    firstText: median("firstText"),
    interactive: median("interactive"),
    answered: median("answered"),
    throttled: values.throttled,
    longestTask: Math.max(...results.map(({ longestTask }) => longestTask)),
    longestTaskOnCpu: Math.max(...results.map(({ longestTaskOnCpu }) => longestTaskOnCpu)),
    longTasks: results.reduce((sum, { longTasks }) => sum + longTasks.length, 0),
  }),
);
