/** Runs a plan: each network in its own worker, first cold, then warm at each length. */
import { Benchmark } from "../pkg/dist/bench.js";
import { quantile } from "../share/quantile.js";
import { PAPER_SEQUENCE } from "./operators.js";
import { rounded } from "./statistics.js";

/**
 * @typedef {import("../pkg/dist/bench.js").BenchmarkSource} BenchmarkSource
 * @typedef {import("../pkg/dist/bench.js").Expected} Expected
 * @typedef {import("../pkg/dist/bench.js").StartProgress} StartProgress
 * @typedef {import("./result.js").Check} Check
 * @typedef {import("./result.js").ModelResult} ModelResult
 * @typedef {import("./result.js").Row} Row
 * @typedef {{ name: string, title: string, source: BenchmarkSource, bytes?: number, paperMs: number | null,
 *   expected: (sequence: number) => Expected | undefined }} Subject
 * @typedef {{ subjects: Subject[], sequences: number[], runs: number, minutes: number | null,
 *   device: string, threads: number[], schedule: string | undefined, allSchedules: boolean, profile: boolean }} Plan
 * @typedef {{ schedule: string | undefined, threads: number }} Configuration
 * @typedef {{ starting(subject: Subject, progress: StartProgress): void, running(subject: Subject, sequence: number,
 *   runs: number[], share: number): void, version(version: string): void, changed(models: ModelResult[]): void,
 *   tooLong(subject: Subject, longest: number, lengths: number[]): void,
 *   indivisible(subject: Subject, schedule: string): void, row(model: ModelResult, row: Row): void }} Listener
 * @typedef {{ plan: Plan, subject: Subject, benchmark: Benchmark, model: ModelResult, listener: Listener,
 *   changed: () => void }} Network A network that has started, and its result so far.
 */

/** Uncounted runs after the first one. */
const WARM_UP = 1;
/** A row with at least this many runs ends after this many milliseconds. */
const MIN_RUNS = 5;
const MAX_DURATION = 10_000;
/** Number of runs for the times of parts, and for the profile. */
const PROFILED_RUNS = 3;
/** Maximum number of points in a sustained plot. */
const MAX_POINTS = 120;

/**
 * @param {Plan} plan
 * @param {Listener} listener
 * @param {AbortSignal} signal
 */
export async function measure(plan, listener, signal) {
  /** @type {ModelResult[]} */
  const models = [];
  for (const subject of plan.subjects) {
    const measured = (/** @type {Configuration} */ configuration) =>
      measureOne({ plan, subject, configuration, models, listener, signal });
    const [threads = 1, ...moreThreads] = plan.threads;
    // The engine says which schedules it has, and which device it uses, once it has started.
    const started = await measured({ schedule: plan.schedule, threads });
    const counts = started.threads === null ? [] : moreThreads;
    for (const count of counts) await measured({ schedule: plan.schedule, threads: count });
    const others = plan.allSchedules ? started.schedules.filter((other) => other !== started.schedule) : [];
    for (const schedule of others)
      for (const count of [threads, ...counts]) await measured({ schedule, threads: count });
  }
}

/**
 * Measures a network in one configuration, and adds it to those measured so far.
 * @param {{ plan: Plan, subject: Subject, configuration: Configuration, models: ModelResult[], listener: Listener,
 *   signal: AbortSignal }} what
 */
async function measureOne({ plan, subject, configuration, models, listener, signal }) {
  const { device, profile, sequences, minutes } = plan;
  const { schedule, threads } = configuration;
  const benchmark = await Benchmark.start(subject.source, {
    device: /** @type {import("../pkg/dist/index.js").DeviceKind} */ (device),
    ...(schedule && { schedule }),
    threads,
    profiling: profile,
    onProgress: (progress) => listener.starting(subject, progress),
    signal,
  });
  try {
    const { started } = benchmark;
    listener.version(started.version);
    if (started.threads !== null && started.threads < threads) {
      listener.indivisible(subject, started.schedule);
      return started;
    }
    const model = describe(subject, benchmark);
    models.push(model);
    const tooLong = sequences.filter((length) => length > started.longest);
    if (tooLong.length > 0) listener.tooLong(subject, started.longest, tooLong);
    const network = { plan, subject, benchmark, model, listener, changed: () => listener.changed(models) };
    if (minutes === null) await warm(network);
    else await sustain(network, minutes);
    return started;
  } finally {
    benchmark.dispose();
  }
}

/** @param {Subject} subject @param {Benchmark} benchmark @returns {ModelResult} */
function describe(subject, { started }) {
  const { cold } = started;
  const orNull = (/** @type {number | null} */ value) => (value === null ? null : rounded(value));
  // The reason already describes `chosen` in words.
  const { adapter, chosen: _, ...device } = started.device;
  return {
    name: subject.name,
    title: subject.title,
    seed: "seed" in subject.source ? subject.source.seed : null,
    architecture: started.architecture,
    parameters: started.parameters,
    weight_bytes: started.weightBytes,
    device: { ...device, adapter: adapter || null },
    threads: started.threads,
    schedule: started.schedule,
    cold: {
      module_ms: rounded(cold.module),
      download_ms: orNull(cold.download),
      generate_ms: orNull(cold.generate),
      verify_ms: orNull(cold.verify),
      upload_ms: rounded(cold.upload),
      compile_ms: rounded(cold.compile),
      first_ms: 0,
      total_ms: 0,
    },
    warm: [],
    sustained: null,
    limits: null,
    profiles: null,
  };
}

/** Completes the cold start with the first run. @param {ModelResult} model @param {number} first */
function endColdStart({ cold }, first) {
  const { module_ms, download_ms, generate_ms, verify_ms, upload_ms, compile_ms } = cold;
  const parts = [module_ms, download_ms, generate_ms, verify_ms, upload_ms, compile_ms, first];
  cold.first_ms = rounded(first);
  cold.total_ms = rounded(parts.reduce((/** @type {number} */ sum, part) => sum + (part ?? 0), 0));
}

/**
 * Returns the check with the larger difference.
 * @param {Check | null} before
 * @param {Check | null} now
 */
function worse(before, now) {
  if (!before || !now) return before ?? now;
  const distance = (/** @type {Check} */ { difference }) => difference ?? Number.POSITIVE_INFINITY;
  return distance(now) > distance(before) ? now : before;
}

/** Measures every length that the network supports. @param {Network} network */
async function warm(network) {
  const { plan, benchmark, model, listener, changed } = network;
  for (const sequence of plan.sequences.filter((length) => length <= benchmark.started.longest)) {
    const row = await measureRow(network, sequence);
    model.warm.push(row);
    if (isProfiled(network)) await profile(benchmark, model, sequence);
    changed();
    listener.row(model, row);
  }
}

/** Returns whether the parts of runs are timed: a profile of the CPU is that of one thread. @param {Network} network */
function isProfiled({ plan, model }) {
  return plan.profile && (model.threads ?? 1) === 1;
}

/** @param {Network} network @param {number} sequence @returns {Promise<Row>} */
async function measureRow(network, sequence) {
  const { plan, subject, benchmark, model, listener, changed } = network;
  const expected = subject.expected(sequence);
  const first = await benchmark.run(sequence, expected);
  if (model.warm.length === 0) {
    endColdStart(model, first.milliseconds);
    changed();
  }
  let { check } = first;
  /** @type {number[]} */
  const runs = [];
  const started = performance.now();
  for (let i = 0; runs.length < plan.runs; i++) {
    const run = await benchmark.run(sequence, expected);
    check = worse(check, run.check);
    if (i < WARM_UP) continue;
    runs.push(rounded(run.milliseconds));
    const share = Math.max(runs.length / plan.runs, (performance.now() - started) / MAX_DURATION);
    listener.running(subject, sequence, runs, share);
    if (runs.length >= MIN_RUNS && performance.now() - started > MAX_DURATION) break;
  }
  return {
    sequence,
    batch: 1,
    runs: runs.length,
    first_ms: rounded(first.milliseconds),
    min_ms: quantile(runs, 0),
    median_ms: quantile(runs, 0.5),
    p90_ms: quantile(runs, 0.9),
    runs_ms: runs,
    dispatches: await benchmark.dispatches(sequence),
    activation_bytes: await benchmark.activationBytes(sequence),
    parts: isProfiled(network) ? await benchmark.parts(sequence, PROFILED_RUNS) : null,
    check,
    paper_ms: sequence === PAPER_SEQUENCE ? subject.paperMs : null,
  };
}

/** @param {Benchmark} benchmark @param {ModelResult} model @param {number} sequence */
async function profile(benchmark, model, sequence) {
  model.limits ??= await benchmark.limits();
  const profile = await benchmark.profile(sequence, PROFILED_RUNS);
  // Hundreds of steps would make the link too long.
  model.profiles = [...(model.profiles ?? []), { ...profile, steps: [] }];
}

/**
 * Runs the first length that the network supports repeatedly; adds a point every few seconds.
 * @param {Network} network
 * @param {number} minutes
 */
async function sustain({ plan, subject, benchmark, model, listener, changed }, minutes) {
  const sequence = plan.sequences.find((length) => length <= benchmark.started.longest);
  if (sequence === undefined) return;
  const expected = subject.expected(sequence);
  const first = await benchmark.run(sequence, expected);
  endColdStart(model, first.milliseconds);
  const length = 60_000 * minutes;
  const bucket = Math.max(length / MAX_POINTS, 1000 * Math.min(1, minutes));
  const sustained = {
    sequence,
    seconds: 0,
    check: first.check,
    points: /** @type {import("./result.js").Point[]} */ ([]),
  };
  model.sustained = sustained;
  const started = performance.now();
  let from = started;
  /** @type {number[]} */
  let runs = [];
  for (;;) {
    const run = await benchmark.run(sequence, expected);
    sustained.check = worse(sustained.check, run.check);
    runs.push(rounded(run.milliseconds));
    const now = performance.now();
    listener.running(subject, sequence, runs, (now - started) / length);
    const over = now - started >= length;
    if (now - from >= bucket || over) {
      sustained.seconds = Math.round((now - started) / 100) / 10;
      const second = Math.round(((from + now) / 2 - started) / 100) / 10;
      sustained.points.push({ second, runs: runs.length, median_ms: quantile(runs, 0.5) });
      from = now;
      runs = [];
      changed();
    }
    if (over) return;
  }
}
