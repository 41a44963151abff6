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

/**
 * A probability in whole percent: no model is precise enough for decimals to mean anything, nor ever certain.
 * @param {number} probability
 */
export function percent(probability) {
  const value = 100 * probability;
  if (value < 1) return "< 1 %";
  if (value >= 99.5) return "> 99 %";
  return `${Math.round(value)} %`;
}

/** @param {number} count @param {string} noun */
export function plural(count, noun) {
  // Small numbers need no separators; the first call of `toLocaleString` is slow.
  const shown = count < 1000 ? String(count) : count.toLocaleString("en");
  return `${shown} ${noun}${count === 1 ? "" : "s"}`;
}
