/**
 * Parameters in the page's URL: `?variant=` and `?model=` (lists, or repeated), `?sequence=` (a list), `?runs=`,
 * `?device=`, `?schedule=` (`all` compares them), `?threads=` (a list), `?mode=sustained`, `?minutes=`, `?profile`.
 */
/** More workers than any phone has cores only take memory. */
const MAX_THREADS = 16;

const query = new URLSearchParams(location.search);

/** @param {string} name */
const list = (name) =>
  query
    .getAll(name)
    .flatMap((value) => value.split(","))
    .filter((value) => value !== "");

/**
 * A number in the URL, clamped to a range.
 * @param {string} name
 * @param {number} fallback
 * @param {number} min
 * @param {number} max
 */
function number(name, fallback, min, max) {
  const given = Number(query.get(name) ?? fallback);
  return Number.isFinite(given) ? Math.min(max, Math.max(min, given)) : fallback;
}

/** Names of variants. */
export const variants = list("variant");

/** Names, URLs or Hugging Face ids of models. */
export const models = query.getAll("model").filter((name) => name !== "");

/** Requested sequence lengths. */
export const sequences = list("sequence")
  .map(Number)
  .filter((length) => Number.isInteger(length) && length > 0);

/** Requested numbers of CPU threads. */
export const threads = list("threads")
  .map(Number)
  .filter((count) => Number.isInteger(count) && count > 0 && count <= MAX_THREADS);

/** Maximum number of runs per row. */
export const runs = Math.round(number("runs", 20, 1, 1000));

/** Duration of the sustained mode in minutes. */
export const minutes = number("minutes", 10, 0.01, 120);

/** True if the sustained mode is requested. */
export const sustained = query.get("mode") === "sustained";

/** The requested device. */
export const device = query.get("device") ?? "auto";

const given = query.get("schedule") ?? undefined;

/** True to compare all schedules of the engine. */
export const allSchedules = given === "all";

/** The grouping of operations into kernels. */
export const schedule = allSchedules ? undefined : given;

/** True to time each kernel. */
export const profile = query.has("profile") && query.get("profile") !== "0";
