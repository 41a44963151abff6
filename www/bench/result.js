/**
 * The result of a measurement, in the shape that `docs/bench-result.schema.json` describes and `mobilebert bench` prints.
 *
 * @typedef {{ right: boolean, difference: number | null, allowed: number }} Check
 * @typedef {{ sequence: number, batch: number, runs: number, first_ms: number, min_ms: number, median_ms: number,
 *   p90_ms: number, runs_ms: number[], dispatches: number, check: Check | null, paper_ms: number | null }} Row
 * @typedef {{ module_ms: number | null, download_ms: number | null, generate_ms: number | null,
 *   verify_ms: number | null, upload_ms: number, compile_ms: number, first_ms: number, total_ms: number }} Cold
 * @typedef {{ second: number, runs: number, median_ms: number }} Point
 * @typedef {{ sequence: number, seconds: number, check: Check | null, points: Point[] }} Sustained
 * @typedef {{ kind: string, adapter: string | null, fallback: boolean, reason: string }} Device
 * @typedef {{ name: string, title: string, seed: number | null, architecture: string, parameters: number,
 *   device: Device, schedule: string, cold: Cold, warm: Row[], sustained: Sustained | null }} ModelResult
 * @typedef {{ charging: boolean, level: number }} Battery
 * @typedef {{ browser: string | null, platform: string, device_model: string | null, cores: number | null,
 *   battery: Battery | null }} System
 * @typedef {{ format: 1, tool: { name: string, version: string, kind: string }, made: number, system: System,
 *   mode: string, void: string | null, models: ModelResult[] }} Result
 */

/**
 * @template T
 * @typedef {(value: unknown, path: string) => T} Reader
 */

/** Why a text is no result. */
export class NotAResult extends Error {}

/** @param {unknown} value @param {string} path @param {string} wanted @returns {never} */
function refuse(value, path, wanted) {
  const shown = JSON.stringify(value)?.slice(0, 40);
  throw new NotAResult(`${path}: ${shown} is not ${wanted}`);
}

/** @type {Reader<number>} */
const number = (value, path) =>
  typeof value === "number" && Number.isFinite(value) ? value : refuse(value, path, "a number");
/** @type {Reader<boolean>} */
const truth = (value, path) => (typeof value === "boolean" ? value : refuse(value, path, "true or false"));
/** @type {Reader<string>} */
const text = (value, path) =>
  typeof value === "string" && value.length <= 500 ? value : refuse(value, path, "a short text");

/** @template T @param {Reader<T>} read @returns {Reader<T | null>} */
const orNull = (read) => (value, path) => (value === null ? null : read(value, path));

/** @template T @param {Reader<T>} read @param {number} most @returns {Reader<T[]>} */
const listOf = (read, most) => (value, path) =>
  Array.isArray(value) && value.length <= most
    ? value.map((item, index) => read(item, `${path}[${index}]`))
    : refuse(value, path, `a list of at most ${most}`);

/**
 * An object of exactly these fields; others are left out.
 * @template {Record<string, Reader<unknown>>} T
 * @param {T} fields
 * @returns {Reader<{ [K in keyof T]: ReturnType<T[K]> }>}
 */
const objectOf = (fields) => (value, path) => {
  if (typeof value !== "object" || value === null) refuse(value, path, "an object");
  const given = /** @type {Record<string, unknown>} */ (value);
  const read = Object.entries(fields).map(([name, reader]) => [name, reader(given[name], `${path}.${name}`)]);
  return Object.fromEntries(read);
};

const check = objectOf({ right: truth, difference: orNull(number), allowed: number });

const row = objectOf({
  sequence: number,
  batch: number,
  runs: number,
  first_ms: number,
  min_ms: number,
  median_ms: number,
  p90_ms: number,
  runs_ms: listOf(number, 1000),
  dispatches: number,
  check: orNull(check),
  paper_ms: orNull(number),
});

const cold = objectOf({
  module_ms: orNull(number),
  download_ms: orNull(number),
  generate_ms: orNull(number),
  verify_ms: orNull(number),
  upload_ms: number,
  compile_ms: number,
  first_ms: number,
  total_ms: number,
});

const sustained = objectOf({
  sequence: number,
  seconds: number,
  check: orNull(check),
  points: listOf(objectOf({ second: number, runs: number, median_ms: number }), 1000),
});

const model = objectOf({
  name: text,
  title: text,
  seed: orNull(number),
  architecture: text,
  parameters: number,
  device: objectOf({ kind: text, adapter: orNull(text), fallback: truth, reason: text }),
  schedule: text,
  cold,
  warm: listOf(row, 64),
  sustained: orNull(sustained),
});

const whole = objectOf({
  format: (value, path) => (value === 1 ? 1 : refuse(value, path, "format 1, which this page reads")),
  tool: objectOf({ name: text, version: text, kind: text }),
  made: number,
  system: objectOf({
    browser: orNull(text),
    platform: text,
    device_model: orNull(text),
    cores: orNull(number),
    battery: orNull(objectOf({ charging: truth, level: number })),
  }),
  mode: text,
  void: orNull(text),
  models: listOf(model, 32),
});

/**
 * Reads a result that came from anywhere: every field is checked, nothing else is kept.
 * @param {unknown} value
 * @returns {Result}
 */
export function readResult(value) {
  return /** @type {Result} */ (whole(value, "result"));
}
