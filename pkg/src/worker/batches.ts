import type { Timing } from "../types.js";
import type { Call } from "./protocol.js";

/** Maximum number of texts per batch; a call can be aborted between batches. */
const MAX_TEXTS = 8;
/** Maximum number of UTF-16 units per batch, unless a single text is longer. */
const MAX_UNITS = 4096;

/** Splits a call on a list of texts into batches; returns other calls as they are. Results are independent. */
export function batches(call: Call): Call[] {
  const [texts, ...rest] = call.args;
  if (!Array.isArray(texts)) return [call];
  const split: unknown[][] = [];
  let units = 0;
  for (const text of texts) {
    const length = typeof text === "string" ? text.length : (text as string[]).join("").length;
    const last = split.at(-1);
    if (last && last.length < MAX_TEXTS && units + length <= MAX_UNITS) {
      last.push(text);
      units += length;
    } else {
      split.push([text]);
      units = length;
    }
  }
  return split.map((batch) => ({ ...call, args: [batch, ...rest] }));
}

/** Merges the results of a call's batches. */
export function merged(results: unknown[]): unknown {
  if (results.length === 1) return results[0];
  const all = (results as { timing?: Timing }[][]).flat();
  const timings = (results as { timing?: Timing }[][])
    .map((part) => part[0]?.timing)
    .filter((one) => one !== undefined);
  // Each text has the timing of the whole call, as in a call with a single batch.
  if (timings.length > 0) for (const one of all) one.timing = sum(timings);
  return all;
}

function sum(timings: Timing[]): Timing {
  const total: Timing = { tokenize: 0, compute: 0, postprocess: 0, total: 0 };
  for (const timing of timings) {
    for (const part of Object.keys(total) as (keyof Timing)[]) total[part] += timing[part];
  }
  return total;
}
