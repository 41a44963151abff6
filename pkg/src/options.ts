import { invalidInput, type MobileBertError } from "./errors.js";
import type { CallOptions, LoadOptions } from "./types.js";

/** Returns what is wrong with a value, or `undefined` if nothing is. */
export type Check = (value: unknown) => string | undefined;

/** One check per option; the type makes sure that none is missing. */
export type Checks<Options> = { readonly [Name in keyof Required<Options>]: Check };

/**
 * Rejects unknown options and invalid values, by name. An option that is `undefined` counts as omitted. `foreign`
 * lists options of another library with advice on what to use instead; they are accepted if their value is falsy.
 */
export function checkOptions<Options extends object>(
  options: Options,
  checks: Checks<Options>,
  foreign: Readonly<Record<string, string>> = {},
): void {
  if (!isPlain(options)) throw invalidInput("options", `${shown(options)} is not an options object`);
  for (const [name, value] of Object.entries(options)) {
    const check = Object.hasOwn(checks, name) ? checks[name as keyof Options] : undefined;
    const problem = value === undefined ? undefined : check?.(value);
    if (problem !== undefined) throw invalidInput(name, problem);
    if (check) continue;
    const instead = Object.hasOwn(foreign, name) ? foreign[name] : undefined;
    if (instead === undefined) throw invalidInput(name, `unknown option; use one of ${Object.keys(checks).join(", ")}`);
    if (value) throw invalidInput(name, instead);
  }
}

/** The error for an argument that isn't one of the allowed values. */
export function notOneOf(field: string, given: unknown, allowed: readonly string[]): MobileBertError {
  return invalidInput(field, oneOf(...allowed)(given) ?? "");
}

/** The wasm module takes numbers as 32-bit integers. */
export const MAX_INTEGER = 2 ** 31 - 1;

const expected =
  (what: string, is: (value: unknown) => boolean): Check =>
  (value) =>
    is(value) ? undefined : `${shown(value)} is not ${what}`;

/** A positive integer. */
export const isCount = expected(`an integer from 1 to ${MAX_INTEGER}`, (value) => {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= MAX_INTEGER;
});

/** An integer from 0. */
export const isIndex = expected(`an integer from 0 to ${MAX_INTEGER}`, (value) => value === 0 || !isCount(value));

/** A span with two offsets, for example an answer. */
export const isSpan = expected("a span { start, end } of two integers from 0", (value) => {
  const { start, end } = Object(value) as { start?: unknown; end?: unknown };
  return !isIndex(start) && !isIndex(end);
});

/** A function. */
export const isFunction = expected("a function", (value) => typeof value === "function");

/** True or false. */
export const isBoolean = expected("true or false", (value) => typeof value === "boolean");

/** A string. */
export const isText = expected("a string", (value) => typeof value === "string");

/** A string that isn't empty. */
const isName = expected("a non-empty string", (value) => typeof value === "string" && value !== "");

/** An abort signal, from any realm. */
const isSignal = expected("an AbortSignal", (value) => {
  const { aborted, addEventListener } = Object(value) as Partial<AbortSignal>;
  return typeof aborted === "boolean" && typeof addEventListener === "function";
});

/** One URL or several. */
const isUrls: Check = (value) => {
  const urls = typeof value === "string" ? [value] : value;
  if (!isStrings(urls)) return `${shown(value)} is not a URL or an array of URLs`;
  // Without a host, what follows would be a path of the page or of the disk.
  return urls.length === 0 || urls.some((url) => !url.trim()) ? "empty; pass a URL, or omit it" : undefined;
};

/** A URL. */
const isUrl: Check = (value) => {
  if (typeof value === "string") return isUrls(value);
  return isA(value, "URL") ? undefined : `${shown(value)} is not a URL`;
};

/** Request headers; the platform's own `Headers` can't be sent to a worker. */
const isHeaders: Check = (value) => {
  if (!isPlain(value) || !isStrings(Object.values(value))) return `${shown(value)} is not a plain object of strings`;
  try {
    new Headers(value as Record<string, string>);
    return undefined;
  } catch {
    // Without the value, which may be secret.
    return "a name or value has a character that HTTP doesn't allow, such as a line break";
  }
};

/** Bytes in memory. */
const isBytes = expected("an ArrayBuffer or Uint8Array", (value) => {
  return isA(value, "ArrayBuffer", "Uint8Array");
});

/** An array of strings. */
export const areStrings = expected("an array of strings", isStrings);

/** A string or an array of strings. */
export const isStringOrStrings = expected("a string or an array of strings", (value) => {
  return typeof value === "string" || isStrings(value);
});

/** One of several strings. */
export const oneOf =
  (...allowed: string[]): Check =>
  (value) =>
    allowed.includes(value as string)
      ? undefined
      : `${typeof value === "string" ? value : shown(value)} is not one of ${allowed.join(", ")}`;

/** Accepts `null` in addition. */
export const orNull =
  (check: Check): Check =>
  (value) =>
    value === null ? undefined : check(value);

/** Options of every `load`. */
export const LOAD: Checks<LoadOptions> = {
  device: oneOf("auto", "webgpu", "wasm"),
  dtype: oneOf("f32", "f16", "q8", "q4"),
  schedule: isName,
  splitSpecialTokens: isBoolean,
  worker: isBoolean,
  threads: isCount,
  simd: oneOf("auto", "simd128", "relaxed", "relaxed-dot"),
  signal: isSignal,
  onProgress: isFunction,
  onWarning: isFunction,
  endpoint: isUrls,
  revision: isName,
  followBaseModel: isBoolean,
  headers: isHeaders,
  cache: isBoolean,
  wasmUrl: isUrl,
  wasmBytes: isBytes,
  workerUrl: isUrl,
};

/** Options of every call. */
export const CALL: Checks<CallOptions> = { signal: isSignal };

/** Replaces unpaired surrogates with U+FFFD, which has the same length, so that offsets stay valid. */
export function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, "\ufffd");
}

/** An array of strings, without holes, which `every` would skip. */
export function isStrings(value: unknown): value is readonly string[] {
  return Array.isArray(value) && Array.from(value).every((one) => typeof one === "string");
}

/** An object literal, from any realm; an instance of a class was probably meant as something else. */
function isPlain(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** Returns whether a value belongs to one of these built-in classes of any realm, such as another frame's. */
export function isA(value: unknown, ...classes: string[]): boolean {
  return classes.includes(Object.prototype.toString.call(value).slice(8, -1));
}

/** A short description of a value. */
export function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  if (typeof value === "function") return "a function";
  if (Array.isArray(value)) return "an array";
  if (typeof value === "object" && value !== null) return "an object";
  return String(value);
}
