/**
 * What the address asks for: `?variant=` and `?model=` (lists, or repeated), `?sequence=` (a list), `?runs=`,
 * `?device=`, `?schedule=`, `?mode=sustained`, `?minutes=`, `?profile`.
 */
const query = new URLSearchParams(location.search);

/** @param {string} name */
const list = (name) =>
  query
    .getAll(name)
    .flatMap((value) => value.split(","))
    .filter((value) => value !== "");

/**
 * A number of the address, held between bounds.
 * @param {string} name
 * @param {number} usual
 * @param {number} least
 * @param {number} most
 */
function number(name, usual, least, most) {
  const given = Number(query.get(name) ?? usual);
  return Number.isFinite(given) ? Math.min(most, Math.max(least, given)) : usual;
}

/** Names of variants. */
export const variants = list("variant");

/** Names, addresses or Hub ids of models. */
export const models = query.getAll("model").filter((name) => name !== "");

/** Sequence lengths that were asked for. */
export const sequences = list("sequence")
  .map(Number)
  .filter((length) => Number.isInteger(length) && length > 0);

/** Runs of each row at most. */
export const runs = Math.round(number("runs", 20, 1, 1000));

/** Minutes of the sustained mode. */
export const minutes = number("minutes", 10, 0.01, 120);

/** Whether that mode is asked for. */
export const sustained = query.get("mode") === "sustained";

/** The device that is asked for. */
export const device = query.get("device") ?? "auto";

/** How operations are grouped into kernels. */
export const schedule = query.get("schedule") ?? undefined;

/** Whether kernels are timed one by one. */
export const profile = query.has("profile") && query.get("profile") !== "0";
