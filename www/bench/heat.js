/** Says in words how a sustained run changed over time. Heat is the usual cause, but no browser shows a temperature. */

import { quantile } from "../share/quantile.js";
import { duration, milliseconds } from "./statistics.js";

/** @typedef {import("./result.js").Sustained} Sustained */

/** Seconds: a shorter run says nothing about heat. */
const LEAST = 60;
/** A smaller change is noise. */
const NOTICEABLE = 1.1;
/** A device that becomes this much slower is throttling. */
const STRONG = 1.5;

/** @param {Sustained} sustained @returns {string} empty without figures */
export function heat({ seconds, points }) {
  if (points.length === 0) return "";
  const share = Math.max(1, Math.round(points.length / 10));
  const middle = (/** @type {typeof points} */ some) =>
    quantile(
      some.map(({ median_ms }) => median_ms),
      0.5,
    );
  const [first, last] = [middle(points.slice(0, share)), middle(points.slice(-share))];
  const figures = `${milliseconds(first)} ms at first, ${milliseconds(last)} ms at the end`;
  if (seconds < LEAST) return `${figures}. A run of less than a minute doesn't show how heat affects it.`;
  if (!(first > 0)) return `${figures}.`;
  const ratio = last / first;
  const long = duration(seconds);
  if (ratio < 1 / NOTICEABLE)
    return `${figures}. It became faster: something else was probably running at first, or the device was saving power.`;
  if (ratio < NOTICEABLE) return `${figures}. It stayed as fast for ${long}: heat didn't slow it down.`;
  // The point from which on it stayed slower.
  const slow = points.findLastIndex(({ median_ms }) => median_ms < NOTICEABLE * first) + 1;
  const since = duration(points[slow]?.second ?? seconds);
  const much = ratio < STRONG ? `${Math.round(100 * (ratio - 1))} % slower` : `${ratio.toFixed(1)} times as slow`;
  const why = ratio < STRONG ? "Warm devices do that" : "The device probably limits itself because it is hot";
  return `${figures}. From ${since} on, it was slower, and ${much} at the end. ${why}; let it cool down and measure again to be sure.`;
}
