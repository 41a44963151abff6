/** The latency page: the form, one measurement at a time, its result, and shared results. */
import { byId } from "../app/elements.js";
import { hideProblem, lacksGpu, showProblem } from "../app/problem.js";
import { canShareMemory } from "../pkg/dist/bench.js";
import { MobileBertError } from "../pkg/dist/index.js";
import { quantile } from "../share/quantile.js";
import { Unreadable } from "../share/readers.js";
import { offerComparison } from "./compare.js";
import { Following } from "./following.js";
import { measure } from "./measure.js";
import { TotalProgress } from "./progress.js";
import { prepare } from "./setup.js";
import { isShared, resultIn } from "./share.js";
import { offerSharing } from "./sharing.js";
import { milliseconds } from "./statistics.js";
import { describeSystem } from "./system.js";
import { checkText, show } from "./view.js";

/**
 * @typedef {import("./measure.js").Plan} Plan
 * @typedef {import("./result.js").Result} Result
 */

const form = byId("form", HTMLFormElement);
const start = byId("start", HTMLButtonElement);
const stop = byId("stop", HTMLButtonElement);
const loading = byId("loading", HTMLElement);
const bar = byId("bar", HTMLProgressElement);
const doing = byId("doing", HTMLElement);
const status = byId("status", HTMLElement);

const HIDDEN = "the tab was hidden during the measurement, and browsers slow down hidden tabs";

/** The shown result. @type {Result | undefined} */
let result;
/** The last result measured by this page; opening a link doesn't replace it. @type {Result | undefined} */
let own;
/** @type {AbortController | undefined} */
let running;
/** The plan that is being measured. @type {Plan | undefined} */
let measuring;

await followFragment();
addEventListener("hashchange", followFragment);
const plan = await prepare().catch((error) => {
  showProblem(error, () => location.reload());
  document.documentElement.dataset.ready = "failed";
  throw error;
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  run(plan());
});
stop.addEventListener("click", () => running?.abort());
document.addEventListener("visibilitychange", () => {
  if (!document.hidden || !running || !result) return;
  result.void = HIDDEN;
  running.abort();
});
document.documentElement.dataset.ready = "true";
// After a reload, the service worker isolates the page, so that threads can share memory.
if (!canShareMemory()) navigator.serviceWorker?.register("sw.js", { updateViaCache: "none" }).catch(() => {});

/** @param {Plan} plan */
async function run(plan) {
  if (running) return;
  hideProblem();
  if (plan.subjects.length === 0 || plan.sequences.length === 0 || plan.threads.length === 0) {
    status.textContent = "Choose at least one network, one number of tokens and one number of threads.";
    return;
  }
  running = new AbortController();
  const { signal } = running;
  const following = new Following();
  switchTo(true);
  status.textContent = "";
  measuring = plan;
  own = await emptyResult(plan);
  result = own;
  skipped.clear();
  update();
  const awake = await navigator.wakeLock?.request("screen").catch(() => undefined);
  try {
    if (document.hidden) result.void = HIDDEN;
    else await measure(plan, listener(plan, following), signal);
    status.textContent = result.void ? "" : ending(result);
  } catch (thrown) {
    const error = known(thrown);
    if (!(error instanceof MobileBertError && error.code === "aborted")) report(error, plan);
    status.textContent = result.void || !signal.aborted ? "" : "Stopped. Finished rows are shown below.";
  } finally {
    running = undefined;
    measuring = undefined;
    await awake?.release().catch(() => {});
    switchTo(false);
    update();
    following.end(result);
  }
}

/** @param {unknown} error @param {Plan} plan */
function report(error, plan) {
  const onCpu = lacksGpu(error, plan.device) ? () => run({ ...plan, device: "wasm" }) : undefined;
  showProblem(error, () => run(plan), onCpu);
}

/** Messages about what a network doesn't support. @type {Map<string, string>} */
const skipped = new Map();

/** @param {Result} result */
function ending({ models }) {
  const measured = models.some(({ warm, sustained }) => warm.length > 0 || sustained !== null);
  return [...(measured ? ["Done."] : []), ...skipped.values()].join(" ");
}

/** `bench.js` is a separate bundle with its own error class. @param {unknown} error */
function known(error) {
  const { code, message, detail } = /** @type {MobileBertError} */ (error);
  // Errors of the platform have no code, or a numeric one.
  if (!(error instanceof Error && typeof code === "string")) return error;
  return new MobileBertError(code, message, detail);
}

/** @param {Plan} plan @returns {Promise<Result>} */
async function emptyResult({ minutes }) {
  const system = await describeSystem();
  const mode = minutes === null ? "short" : "sustained";
  const tool = { name: "mobilebert", version: "", kind: "page" };
  return { format: 1, tool, made: Math.round(Date.now() / 1000), system, mode, void: null, adapter: null, models: [] };
}

/** @param {Plan} plan @param {Following} following @returns {import("./measure.js").Listener} */
function listener(plan, following) {
  const { runs, minutes } = plan;
  const progress = new TotalProgress(plan);
  const phases = {
    module: "Loading the wasm module for",
    compile: "Preparing the device for",
    download: "Downloading",
    generate: "Generating weights for",
    upload: "Uploading",
    threads: "Starting more threads for",
  };
  let last = 0;
  return {
    starting(subject, { phase, share }) {
      doing.textContent = `${phases[phase]} ${subject.title}`;
      bar.value = progress.starting(subject, share);
    },
    running(subject, sequence, done, share) {
      // Updating the page must not disturb the measurement.
      if (performance.now() - last < 250) return;
      last = performance.now();
      const now = `${milliseconds(quantile(done, 0.5))} ms`;
      doing.textContent = `${subject.title}, ${sequence} tokens: ${now}${minutes === null ? `, run ${done.length} of at most ${runs}` : ""}`;
      bar.value = progress.running(subject, sequence, share);
    },
    version(version) {
      if (result) result.tool.version = version;
    },
    changed(models) {
      if (!result) return;
      result.models = models;
      update();
      following.grown();
    },
    tooLong({ title }, longest, lengths) {
      const were = lengths.length === 1 ? "was" : "were";
      skipped.set(title, `${title} supports up to ${longest} tokens, so ${lengths.join(", ")} ${were} not measured.`);
    },
    indivisible({ title }, schedule) {
      const why = `Threads can't share a run of ${title} with schedule ${schedule}, so it was measured with one at most.`;
      skipped.set(`${title} ${schedule}`, why);
    },
    row({ title }, { sequence, median_ms, check }) {
      status.textContent = `${title}, ${sequence} tokens: ${milliseconds(median_ms)} ms, ${checkText(check)}.`;
    },
  };
}

/** @param {boolean} on */
function switchTo(on) {
  loading.dataset.state = on ? "loading" : "idle";
  start.disabled = on;
  stop.disabled = !on;
  for (const field of form.querySelectorAll("fieldset")) field.disabled = on;
  if (!on) doing.textContent = "";
  (on ? stop : start).focus({ preventScroll: true });
}

/** Updates the shown result, and what is offered for it. */
function update() {
  show(result, measuring);
  const usable = result !== undefined && (result.models.length > 0 || result.void !== null) && !running;
  offerSharing(result, usable);
  offerComparison(usable ? result : undefined);
}

/** Shows a result in the URL's fragment as someone else's; without one, shows the form and the own result. */
async function followFragment() {
  if (running) return;
  const shared = isShared(location.hash);
  byId("shared", HTMLElement).hidden = !shared;
  byId("setup", HTMLElement).hidden = shared;
  // This link must drop the fragment.
  byId("shared-own", HTMLAnchorElement).href = location.pathname + location.search;
  if (shared) await openShared(location.hash);
  else result = own;
  update();
}

/** @param {string} fragment */
async function openShared(fragment) {
  const text = byId("shared-text", HTMLElement);
  try {
    const read = await resultIn(fragment);
    // The fragment may have changed meanwhile.
    if (location.hash !== fragment) return;
    result = read;
    text.textContent = "These figures come from a link. This page did not measure them, so they may be wrong.";
  } catch (error) {
    if (location.hash !== fragment) return;
    result = undefined;
    text.textContent = `This result can't be shown: ${error instanceof Unreadable ? error.message : String(error)}.`;
  }
}
