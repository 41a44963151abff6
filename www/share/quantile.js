/**
 * A quantile by nearest rank, as in the command line.
 * @param {number[]} values at least one
 * @param {number} share 0.5 for the median, 0.9 for p90
 */
export function quantile(values, share) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.round((sorted.length - 1) * share)] ?? Number.NaN;
}
