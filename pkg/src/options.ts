import * as check from "./check.js";
import type { CallOptions, LoadOptions } from "./types.js";

/** What every load takes. */
export const LOAD: check.Checks<LoadOptions> = {
  device: check.oneOf("auto", "webgpu", "wasm"),
  dtype: check.oneOf("f32", "f16", "q8", "q4"),
  schedule: check.isName,
  worker: check.isBoolean,
  signal: check.isSignal,
  onProgress: check.isFunction,
  onWarning: check.isFunction,
  endpoint: check.isAddresses,
  revision: check.isName,
  headers: check.isHeaders,
  cache: check.isBoolean,
  wasmUrl: check.isAddress,
  wasmBytes: check.isBytes,
  workerUrl: check.isAddress,
};

/** What every call takes. */
export const CALL: check.Checks<CallOptions> = { signal: check.isSignal };
