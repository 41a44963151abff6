/** Readers of untrusted JSON: each checks a value and returns it, or says what is wrong with it. */

/**
 * @template T
 * @typedef {(value: unknown, path: string) => T} Reader
 */

/** Says why a link or a text can't be read. */
export class Unreadable extends Error {}

/** @param {unknown} value @param {string} path @param {string} expected @returns {never} */
export function reject(value, path, expected) {
  const shown = JSON.stringify(value)?.slice(0, 40);
  throw new Unreadable(`${path}: ${shown} is not ${expected}`);
}

/**
 * A number in a range: values that no measurement gives would break the charts.
 * @param {number} min
 * @param {number} max
 * @returns {Reader<number>}
 */
export const from = (min, max) => (value, path) =>
  typeof value === "number" && value >= min && value <= max
    ? value
    : reject(value, path, `a number from ${min} to ${max}`);
/** @param {number} min @param {number} max @returns {Reader<number>} */
export const integer = (min, max) => (value, path) => {
  const read = from(min, max)(value, path);
  return Number.isInteger(read) ? read : reject(value, path, "an integer");
};
/** @type {Reader<boolean>} */
export const boolean = (value, path) => (typeof value === "boolean" ? value : reject(value, path, "true or false"));
/** @param {number} longest characters @returns {Reader<string>} */
export const textUpTo = (longest) => (value, path) =>
  typeof value === "string" && value.length <= longest ? value : reject(value, path, "a short string");

/** @template T @param {Reader<T>} read @returns {Reader<T | null>} */
export const orNull = (read) => (value, path) => (value === null ? null : read(value, path));

/**
 * A field that older results don't have.
 * @template T, U
 * @param {Reader<T>} read
 * @param {U} otherwise
 * @returns {Reader<T | U>}
 */
export const added = (read, otherwise) => (value, path) => (value === undefined ? otherwise : read(value, path));

/** @template T @param {Reader<T>} read @param {number} max @returns {Reader<T[]>} */
export const listOf = (read, max) => (value, path) =>
  Array.isArray(value) && value.length <= max
    ? value.map((item, index) => read(item, `${path}[${index}]`))
    : reject(value, path, `a list of at most ${max}`);

/**
 * An object with these fields; others are dropped.
 * @template {Record<string, Reader<unknown>>} T
 * @param {T} fields
 * @returns {Reader<{ [K in keyof T]: ReturnType<T[K]> }>}
 */
export const objectOf = (fields) => (value, path) => {
  if (typeof value !== "object" || value === null) reject(value, path, "an object");
  const given = /** @type {Record<string, unknown>} */ (value);
  const read = Object.entries(fields).map(([name, reader]) => [name, reader(given[name], `${path}.${name}`)]);
  return Object.fromEntries(read);
};
