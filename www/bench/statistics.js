/** Measured values, rounded and in words. */

/** Rounds to two decimals, because timers are coarser. @param {number} milliseconds */
export function rounded(milliseconds) {
  return Math.round(milliseconds * 100) / 100;
}

/** Formats milliseconds without the unit. @param {number} value */
export function milliseconds(value) {
  return value < 10 ? value.toFixed(1) : Math.round(value).toLocaleString("en");
}

/** Formats a duration in words. @param {number} seconds */
export function duration(seconds) {
  return seconds < 90 ? `${Math.round(seconds)} seconds` : `${Math.round(seconds / 60)} minutes`;
}

/** Formats a share, which exceeds 100 % where caches are faster than a measured limit. @param {number} value */
export function ratio(value) {
  return `${milliseconds(100 * value)} %`;
}
