import type { Call } from "./protocol.js";
import type { Timing } from "./types.js";

/** Texts of a list that are computed in one go, at most; between two goes a call can be stopped. */
const TEXTS = 8;
/** UTF-16 units of them together, at most, but for a text that alone is longer. */
const UNITS = 4096;

/** A call on a list of texts as calls on its parts; any other as it is. No text's result depends on the others. */
export function slices(call: Call): Call[] {
  const [texts, ...rest] = call.args;
  if (!Array.isArray(texts)) return [call];
  const parts: unknown[][] = [];
  let units = 0;
  for (const text of texts) {
    const length = typeof text === "string" ? text.length : (text as string[]).join("").length;
    const last = parts.at(-1);
    if (last && last.length < TEXTS && units + length <= UNITS) {
      last.push(text);
      units += length;
    } else {
      parts.push([text]);
      units = length;
    }
  }
  return parts.map((part) => ({ ...call, args: [part, ...rest] }));
}

/** The results of a call's slices as the call's own. */
export function joined(results: unknown[]): unknown {
  if (results.length === 1) return results[0];
  const all = (results as { timing?: Timing }[][]).flat();
  const timings = (results as { timing?: Timing }[][])
    .map((part) => part[0]?.timing)
    .filter((one) => one !== undefined);
  // Each text bears the times of the whole call, as it does in a call of one slice.
  if (timings.length > 0) for (const one of all) one.timing = sum(timings);
  return all;
}

function sum(timings: Timing[]): Timing {
  const total: Timing = { tokenize: 0, compute: 0, search: 0, total: 0 };
  for (const timing of timings) {
    for (const part of Object.keys(total) as (keyof Timing)[]) total[part] += timing[part];
  }
  return total;
}
