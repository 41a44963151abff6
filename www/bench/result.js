import { added, boolean, from, integer, listOf, objectOf, orNull, reject, textUpTo } from "../share/readers.js";

/**
 * @template T
 * @typedef {import("../share/readers.js").Reader<T>} Reader
 */

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
 *   weight_bytes: number, device: Device, threads: number | null, schedule: string, cold: Cold, warm: Row[],
 *   sustained: Sustained | null, limits: Limits | null, profiles: Profile[] | null }} ModelResult
 * @typedef {{ charging: boolean, level: number }} Battery
 * @typedef {{ browser: string | null, platform: string, device_model: string | null, cores: number | null,
 *   battery: Battery | null }} System
 * @typedef {{ format: 1, tool: { name: string, version: string, kind: string }, made: number, system: System,
 *   mode: string, void: string | null, adapter: null, models: ModelResult[] }} Result
 */

/** Up to one day. */
const milliseconds = from(0, 86_400_000);
const count = integer(0, 1e9);
const bytes = integer(0, 1e12);
const rate = from(0, 1e9);
const tokens = integer(1, 1e6);
const text = textUpTo(500);

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

const limits = objectOf({
  copy_gb_s: rate,
  multiply_add_gflop_s: rate,
  byte_dot_gop_s: added(orNull(rate), null),
  clock: text,
});

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
  device: objectOf({ kind: text, adapter: orNull(text), fallback: boolean, reason: textUpTo(1000) }),
  threads: added(orNull(integer(1, 65_536)), null),
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
