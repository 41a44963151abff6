import { type ErrorCode, type ErrorDetail, MobileBertError, messageOf, toError } from "../errors.js";
import { join } from "../files/streams.js";
import { chunksWithTimeout, fetchWithTimeout, timeouts } from "../files/timeouts.js";
import { fileSystem } from "../node.js";
import { isTrap, trapError } from "./trap.js";

/** The location or the bytes of the wasm module. */
export interface EngineSource {
  wasmUrl?: string | undefined;
  wasmBytes?: ArrayBuffer | Uint8Array | undefined;
  /** The module as compiled by another worker. */
  module?: WebAssembly.Module | undefined;
}

const MODULE = "mobilebert_bg.wasm";
const REMEDY =
  "Bundlers such as esbuild and Rollup don't copy it: copy node_modules/mobilebert/wasm/mobilebert_bg.wasm to the page's host, and pass its URL as `wasmUrl`";

/** Returns the bytes of the wasm module, or a response with them, which `stop` ends. */
export async function readModule(
  { wasmUrl, wasmBytes }: EngineSource,
  stop: AbortController,
): Promise<Response | BufferSource> {
  if (wasmBytes) return wasmBytes as BufferSource;
  const url = wasmUrl ? new URL(wasmUrl) : bundledModule();
  if (url.protocol === "file:") {
    const { readFile } = await fileSystem();
    return await readFile(url).catch((error) => {
      throw unavailable("not-found", error.message);
    });
  }
  let response: Response;
  try {
    response = await fetchWithTimeout(url.href, {}, new AbortController().signal, timeouts.response, stop);
  } catch (error) {
    throw unavailable("network", `could not fetch ${url} (${error}), check the network and the host's CORS headers`);
  }
  const { status } = response;
  if (!response.ok) {
    throw unavailable(status === 404 ? "not-found" : "network", `${url} responded with ${status}`, { status });
  }
  if ((response.headers.get("content-type") ?? "").startsWith("text/html")) {
    throw unavailable("not-found", `${url} is an HTML page`);
  }
  return response;
}

/** Compiles the module, as it arrives if the host sends the right type. Stops a download that fails or stalls. */
export async function compile(
  input: Response | BufferSource | WebAssembly.Module,
  stop: AbortController,
): Promise<WebAssembly.Module> {
  if (input instanceof WebAssembly.Module) return input;
  if (!(input instanceof Response)) return await WebAssembly.compile(input);
  const type = input.headers.get("content-type") ?? "";
  // Reading a copy shows whether the download fails or stalls. Browsers cache compiled code only for their own responses.
  const { body } = input.clone();
  const compiling = type.startsWith("application/wasm") ? WebAssembly.compileStreaming(input) : undefined;
  compiling?.catch(() => {});
  let bytes: Uint8Array;
  try {
    bytes = await join(chunksWithTimeout(body as ReadableStream<Uint8Array>, stop.signal));
  } catch (error) {
    // Firefox would compile nothing else while it waits for the rest.
    stop.abort();
    throw unavailable("network", `the download failed (${error})`);
  }
  return await (compiling ?? WebAssembly.compile(bytes as BufferSource));
}

function bundledModule(): URL {
  try {
    // Relative to the bundle in `dist`, not to this file.
    return new URL("../wasm/mobilebert_bg.wasm", import.meta.url);
  } catch {
    throw unavailable("not-found", "this bundle isn't an ES module, so it doesn't know its own URL");
  }
}

/** The error for a module that didn't compile or start. */
export function startError(error: unknown): MobileBertError {
  const reason = messageOf(error);
  if (/Content.Security.Policy|unsafe-eval|CSP/i.test(reason)) {
    const hint = "the page's Content-Security-Policy needs script-src 'wasm-unsafe-eval'";
    return new MobileBertError("unsupported", `${hint} (${reason})`);
  }
  if (error instanceof WebAssembly.CompileError && !WebAssembly.validate(SIMD)) {
    return new MobileBertError("unsupported", `this browser does not support WebAssembly SIMD (${reason}); update it`);
  }
  if (error instanceof WebAssembly.CompileError || error instanceof WebAssembly.LinkError) {
    return unavailable("unsupported", `damaged, or from another version of the package (${reason})`);
  }
  return isTrap(error) ? trapError(error) : toError(error);
}

function unavailable(code: ErrorCode, problem: string, detail: ErrorDetail = {}): MobileBertError {
  return new MobileBertError(code, `${MODULE}: ${problem}. ${REMEDY}`, { file: MODULE, field: "wasmUrl", ...detail });
}

/** A module with a function that returns a vector. */
const SIMD = Uint8Array.of(
  ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11],
);
