import { invalidInput, type MobileBertError } from "./errors.js";

/** Says what is wrong with a value, or nothing. */
export type Check = (value: unknown) => string | undefined;

/** A check for each option there is; the type sees to it that none is forgotten. */
export type Checks<Options> = { readonly [Name in keyof Required<Options>]: Check };

/**
 * Refuses options that do not exist, by name, and values that make no sense. `undefined` is an option left out.
 * `foreign` are another library's options, with what to do instead; where they ask for nothing (`null`, `false`) they
 * may stand.
 */
export function checkOptions<Options extends object>(
  options: Options,
  checks: Checks<Options>,
  foreign: Readonly<Record<string, string>> = {},
): void {
  if (!isPlain(options)) throw invalidInput("options", `${shown(options)} is no object of options`);
  for (const [name, value] of Object.entries(options)) {
    const check = Object.hasOwn(checks, name) ? checks[name as keyof Options] : undefined;
    const problem = value === undefined ? undefined : check?.(value);
    if (problem !== undefined) throw invalidInput(name, problem);
    if (check) continue;
    const instead = Object.hasOwn(foreign, name) ? foreign[name] : undefined;
    if (instead === undefined) throw invalidInput(name, `no such option; there are ${Object.keys(checks).join(", ")}`);
    if (value) throw invalidInput(name, instead);
  }
}

/** The error of an argument that is none of the allowed. */
export function notOneOf(field: string, given: unknown, allowed: readonly string[]): MobileBertError {
  return invalidInput(field, oneOf(...allowed)(given) ?? "");
}

/** What is passed as a number must fit the module's 32 bits. */
const MOST = 2 ** 31 - 1;

const expected =
  (what: string, is: (value: unknown) => boolean): Check =>
  (value) =>
    is(value) ? undefined : `${shown(value)} is not ${what}`;

/** A number of things. */
export const isCount = expected(`a whole number from 1 to ${MOST}`, (value) => {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= MOST;
});

/** A function. */
export const isFunction = expected("a function", (value) => typeof value === "function");

/** True or false. */
export const isBoolean = expected("true or false", (value) => typeof value === "boolean");

/** Text that is not empty. */
export const isName = expected("a string that says something", (value) => typeof value === "string" && value !== "");

/** A signal, of whichever page or worker. */
export const isSignal = expected("an AbortSignal", (value) => {
  const { aborted, addEventListener } = Object(value) as Partial<AbortSignal>;
  return typeof aborted === "boolean" && typeof addEventListener === "function";
});

/** An address. */
export const isAddress = expected("an address", (value) => typeof value === "string" || value instanceof URL);

/** One address or several. */
export const isAddresses = expected("an address or a list of them", (value) => {
  return typeof value === "string" || isStrings(value);
});

/** Request headers; the platform's own `Headers` do not cross into a worker. */
export const isHeaders = expected("a plain object of strings", (value) => {
  return isPlain(value) && Object.values(value).every((one) => typeof one === "string");
});

/** Bytes in memory. */
export const isBytes = expected("an ArrayBuffer or Uint8Array", (value) => {
  return value instanceof ArrayBuffer || value instanceof Uint8Array;
});

/** A list of strings. */
export const areStrings = expected("a list of strings", isStrings);

/** One of a few words. */
export const oneOf =
  (...allowed: string[]): Check =>
  (value) =>
    allowed.includes(value as string)
      ? undefined
      : `${typeof value === "string" ? value : shown(value)} is none of ${allowed.join(", ")}`;

/** The same, or `null`. */
export const orNull =
  (check: Check): Check =>
  (value) =>
    value === null ? undefined : check(value);

function isStrings(value: unknown): boolean {
  return Array.isArray(value) && value.every((one) => typeof one === "string");
}

/** An object written as `{…}`, of whichever page or worker: one that has a class was meant as something else. */
function isPlain(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  const above = Object.getPrototypeOf(value);
  return above === null || Object.getPrototypeOf(above) === null;
}

/** A value in few words. */
export function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  if (typeof value === "function") return "a function";
  if (Array.isArray(value)) return "an array";
  if (typeof value === "object" && value !== null) return "an object";
  return String(value);
}
