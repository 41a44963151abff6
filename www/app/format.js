/** Formats numbers for people. */

/** @param {number} milliseconds */
export function time(milliseconds) {
  if (milliseconds < 10) return `${milliseconds.toFixed(1)} ms`;
  if (milliseconds < 10_000) return `${Math.round(milliseconds)} ms`;
  return `${(milliseconds / 1000).toFixed(1)} s`;
}

/** @param {number} count */
export function megabytes(count) {
  return (count / 1e6).toFixed(1);
}

/** @param {number} probability */
export function percent(probability) {
  const value = 100 * probability;
  if (value > 0 && value < 0.1) return "<0.1%";
  return `${value.toFixed(value > 99.9 && value < 100 ? 2 : 1)}%`;
}

/** @param {number[]} values */
export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}

/** @param {number} count @param {string} noun */
export function plural(count, noun) {
  // Small numbers need no separators; the first call of `toLocaleString` is slow.
  const shown = count < 1000 ? String(count) : count.toLocaleString("en");
  return `${shown} ${noun}${count === 1 ? "" : "s"}`;
}
