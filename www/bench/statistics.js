/** Figures of many runs. */

/**
 * The value at a share of the sorted values, by the nearest rank; the command line takes the same.
 * @param {number[]} values at least one
 * @param {number} share 0.5 for the median, 0.9 for p90
 */
export function quantile(values, share) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.round((sorted.length - 1) * share)] ?? Number.NaN;
}

/** Two decimals: timers are coarser. @param {number} milliseconds */
export function rounded(milliseconds) {
  return Math.round(milliseconds * 100) / 100;
}

/** Milliseconds without their unit. @param {number} value */
export function milliseconds(value) {
  return value < 10 ? value.toFixed(1) : Math.round(value).toLocaleString("en");
}
