/**
 * The result of a measurement, as described by `docs/bench-result.schema.json` and printed by `mobilebert bench`.
 *
 * @typedef {{ right: boolean, difference: number | null, allowed: number }} Check
 * @typedef {{ sequence: number, batch: number, runs: number, first_ms: number, min_ms: number, median_ms: number,
 *   p90_ms: number, runs_ms: number[], dispatches: number, activation_bytes: number, parts: Parts | null,
 *   check: Check | null, paper_ms: number | null }} Row
 * @typedef {import("../pkg/dist/bench.js").RunParts} Parts
 * @typedef {import("../pkg/dist/bench.js").AdapterLimits} Limits
 * @typedef {import("../pkg/dist/bench.js").KernelProfile} Profile
 * @typedef {{ module_ms: number | null, download_ms: number | null, generate_ms: number | null,
 *   verify_ms: number | null, upload_ms: number, compile_ms: number, first_ms: number, total_ms: number }} Cold
 * @typedef {{ second: number, runs: number, median_ms: number }} Point
 * @typedef {{ sequence: number, seconds: number, check: Check | null, points: Point[] }} Sustained
 * @typedef {{ kind: string, adapter: string | null, fallback: boolean, reason: string }} Device
 * @typedef {{ name: string, title: string, seed: number | null, architecture: string, parameters: number,
 *   weight_bytes: number, device: Device, schedule: string, cold: Cold, warm: Row[], sustained: Sustained | null,
 *   limits: Limits | null, profiles: Profile[] | null }} ModelResult
 * @typedef {{ charging: boolean, level: number }} Battery
 * @typedef {{ browser: string | null, platform: string, device_model: string | null, cores: number | null,
 *   battery: Battery | null }} System
 * @typedef {{ format: 1, tool: { name: string, version: string, kind: string }, made: number, system: System,
 *   mode: string, void: string | null, adapter: null, models: ModelResult[] }} Result
 */

/**
 * @template T
 * @typedef {(value: unknown, path: string) => T} Reader
 */

/** Says why a text isn't a result. */
export class NotAResult extends Error {}

/** @param {unknown} value @param {string} path @param {string} expected @returns {never} */
function reject(value, path, expected) {
  const shown = JSON.stringify(value)?.slice(0, 40);
  throw new NotAResult(`${path}: ${shown} is not ${expected}`);
}

/**
 * A number in a range: values that no measurement gives would break the charts.
 * @param {number} min
 * @param {number} max
 * @returns {Reader<number>}
 */
const from = (min, max) => (value, path) =>
  typeof value === "number" && value >= min && value <= max
    ? value
    : reject(value, path, `a number from ${min} to ${max}`);
/** @param {number} min @param {number} max @returns {Reader<number>} */
const integer = (min, max) => (value, path) => {
  const read = from(min, max)(value, path);
  return Number.isInteger(read) ? read : reject(value, path, "an integer");
};
/** Up to one day. */
const milliseconds = from(0, 86_400_000);
const count = integer(0, 1e9);
const bytes = integer(0, 1e12);
const rate = from(0, 1e9);
const tokens = integer(1, 1e6);
/** @type {Reader<boolean>} */
const boolean = (value, path) => (typeof value === "boolean" ? value : reject(value, path, "true or false"));
/** @type {Reader<string>} */
const text = (value, path) =>
  typeof value === "string" && value.length <= 500 ? value : reject(value, path, "a short string");

/** @template T @param {Reader<T>} read @returns {Reader<T | null>} */
const orNull = (read) => (value, path) => (value === null ? null : read(value, path));

/**
 * A field that older results don't have.
 * @template T, U
 * @param {Reader<T>} read
 * @param {U} otherwise
 * @returns {Reader<T | U>}
 */
const added = (read, otherwise) => (value, path) => (value === undefined ? otherwise : read(value, path));

/** @template T @param {Reader<T>} read @param {number} max @returns {Reader<T[]>} */
const listOf = (read, max) => (value, path) =>
  Array.isArray(value) && value.length <= max
    ? value.map((item, index) => read(item, `${path}[${index}]`))
    : reject(value, path, `a list of at most ${max}`);

/**
 * An object with these fields; others are dropped.
 * @template {Record<string, Reader<unknown>>} T
 * @param {T} fields
 * @returns {Reader<{ [K in keyof T]: ReturnType<T[K]> }>}
 */
const objectOf = (fields) => (value, path) => {
  if (typeof value !== "object" || value === null) reject(value, path, "an object");
  const given = /** @type {Record<string, unknown>} */ (value);
  const read = Object.entries(fields).map(([name, reader]) => [name, reader(given[name], `${path}.${name}`)]);
  return Object.fromEntries(read);
};

const givenCheck = objectOf({ right: boolean, difference: orNull(from(0, Number.MAX_VALUE)), allowed: from(0, 1) });
/** Recomputes whether a check was right, rather than trusting the link. @type {Reader<Check>} */
const check = (value, path) => {
  const { difference, allowed } = givenCheck(value, path);
  return { right: difference !== null && difference <= allowed, difference, allowed };
};

const row = objectOf({
  sequence: tokens,
  batch: integer(1, 1e6),
  runs: count,
  first_ms: milliseconds,
  min_ms: milliseconds,
  median_ms: milliseconds,
  p90_ms: milliseconds,
  runs_ms: listOf(milliseconds, 1000),
  dispatches: count,
  activation_bytes: added(bytes, 0),
  parts: added(
    orNull(objectOf({ encode_ms: milliseconds, gpu_ms: milliseconds, readback_ms: milliseconds, clock: text })),
    null,
  ),
  check: orNull(check),
  paper_ms: orNull(milliseconds),
});

const cold = objectOf({
  module_ms: orNull(milliseconds),
  download_ms: orNull(milliseconds),
  generate_ms: orNull(milliseconds),
  verify_ms: orNull(milliseconds),
  upload_ms: milliseconds,
  compile_ms: milliseconds,
  first_ms: milliseconds,
  total_ms: milliseconds,
});

/** Up to one day. */
const seconds = from(0, 86_400);
const sustained = objectOf({
  sequence: tokens,
  seconds,
  check: orNull(check),
  points: listOf(objectOf({ second: seconds, runs: count, median_ms: milliseconds }), 1000),
});

const limits = objectOf({ copy_gb_s: rate, multiply_add_gflop_s: rate, clock: text });

const profile = objectOf({
  sequence: tokens,
  batch: integer(1, 1e6),
  runs: count,
  clock: text,
  note: text,
  total_ms: milliseconds,
  run_ms: milliseconds,
  kernels: listOf(
    objectOf({
      kernel: text,
      dispatches: count,
      ms: milliseconds,
      share: from(0, 1),
      gflop_s: rate,
      gb_s: rate,
      of_limit: orNull(objectOf({ limit: text, share: rate })),
    }),
    64,
  ),
  steps: listOf(objectOf({ label: text, kernel: text, ms: milliseconds }), 10_000),
});

const model = objectOf({
  name: text,
  title: text,
  seed: orNull(integer(0, Number.MAX_SAFE_INTEGER)),
  architecture: text,
  parameters: integer(0, 1e12),
  weight_bytes: added(bytes, 0),
  device: objectOf({ kind: text, adapter: orNull(text), fallback: boolean, reason: text }),
  schedule: text,
  cold,
  warm: listOf(row, 64),
  sustained: orNull(sustained),
  limits: added(orNull(limits), null),
  profiles: added(orNull(listOf(profile, 64)), null),
});

const result = objectOf({
  format: (value, path) => (value === 1 ? 1 : reject(value, path, "format 1, the one this page reads")),
  tool: objectOf({ name: text, version: text, kind: text }),
  // Seconds from 2020 to 2200.
  made: integer(1_577_836_800, 7_258_118_400),
  system: objectOf({
    browser: orNull(text),
    platform: text,
    device_model: orNull(text),
    cores: orNull(integer(1, 65_536)),
    battery: orNull(objectOf({ charging: boolean, level: from(0, 1) })),
  }),
  mode: text,
  void: orNull(text),
  // Only measured by the command line, and not shown here.
  adapter: () => null,
  models: listOf(model, 32),
});

/**
 * Reads an untrusted result: every field is checked, and unknown ones are dropped.
 * @param {unknown} value
 * @returns {Result}
 */
export function readResult(value) {
  const read = /** @type {Result} */ (result(value, "result"));
  // Only a measurement that was void from the start has no models.
  if (read.models.length === 0 && read.void === null) reject([], "result.models", "a non-empty list");
  return read;
}
