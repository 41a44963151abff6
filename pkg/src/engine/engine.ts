import { MobileBertError, toError } from "../errors.js";
import { fileSystem } from "../node.js";
import type { Device, DeviceKind, Memory } from "../types.js";
import { isTrap, setRefusedBytes, trapError } from "./trap.js";

/** Texts of the files that the wasm module needs before the weights. */
export interface EngineFiles {
  config: string;
  /** The small files that exist, by name. */
  small: Record<string, string>;
  /** The index of a sharded checkpoint. */
  index?: string;
  task?: string;
}

/** Options of the wasm module's `Loader`. */
export interface EngineOptions {
  device: "auto" | DeviceKind;
  dtype?: string;
  schedule?: string;
  /** Ask the GPU for timestamps. */
  profiling?: boolean;
}

/** Called with partial results; returns whether to continue. */
export type EnginePartial = (partial: unknown) => boolean | undefined | Promise<boolean | undefined>;

/** A loaded model in the wasm module. Allows one call at a time. */
export interface EngineModel {
  device(): Device;
  task(): string;
  labels(): string[];
  ask(question: string, context: string, options: object, onPartial?: EnginePartial): Promise<unknown>;
  classify(texts: unknown[], options: object): Promise<unknown>;
  zeroShot(text: string, labels: unknown[], options: object, onProgress?: EnginePartial): Promise<unknown>;
  rank(query: string, documents: unknown[], options: object, onProgress?: EnginePartial): Promise<unknown>;
  labelTokens(text: string, options: object): Promise<unknown>;
  fillMask(text: string, options: object): Promise<unknown>;
  encode(texts: unknown[], options: object): Promise<unknown>;
  memory(): Memory;
  free(): void;
}

/** Loads weights, which must be pushed in file order. */
export interface EngineLoader {
  device(): Device;
  push(chunk: Uint8Array): void | Promise<void>;
  beginFile(name: string): void;
  finish(): Promise<EngineModel>;
  free(): void;
}

interface Engine {
  default(input: { module_or_path: Response | BufferSource }): Promise<unknown>;
  Loader: { create(files: EngineFiles, options: EngineOptions): Promise<EngineLoader> };
  /** Size in bytes of the last failed allocation, or 0 if one has succeeded since. */
  refusedBytes(): number;
}

/** The location or the bytes of the wasm module. */
export interface EngineSource {
  wasmUrl: string | undefined;
  wasmBytes: ArrayBuffer | Uint8Array | undefined;
}

const MODULE = "mobilebert_bg.wasm";
let started: Promise<Engine> | undefined;

/** Loads and starts the wasm module once; retries after a failed start. */
export function startEngine(source: EngineSource): Promise<Engine> {
  started ??= start(source).catch((error) => {
    started = undefined;
    throw error;
  });
  return started;
}

async function start(source: EngineSource): Promise<Engine> {
  const input = (source.wasmBytes as BufferSource | undefined) ?? (await fetchModule(source.wasmUrl));
  const engine = (await import("../../wasm/mobilebert.js")) as unknown as Engine;
  setRefusedBytes(() => engine.refusedBytes());
  try {
    await engine.default({ module_or_path: input });
  } catch (error) {
    throw startError(error);
  }
  return engine;
}

async function fetchModule(given: string | undefined): Promise<Response | BufferSource> {
  // Relative to the bundle in `dist`, not to this file.
  const url = given ? new URL(given) : new URL("../wasm/mobilebert_bg.wasm", import.meta.url);
  const hint = "serve the package's wasm folder next to its dist folder, or pass `wasmUrl`";
  if (url.protocol === "file:") {
    const { readFile } = await fileSystem();
    return await readFile(url).catch((error) => {
      throw new MobileBertError("not-found", `${MODULE}: ${error.message}; ${hint}`, { file: MODULE });
    });
  }
  let response: Response;
  try {
    response = await fetch(url);
  } catch (error) {
    throw new MobileBertError("network", `${MODULE}: could not fetch ${url} (${error}); ${hint}`, {
      file: MODULE,
    });
  }
  const { status } = response;
  if (!response.ok) {
    const code = status === 404 ? "not-found" : "network";
    throw new MobileBertError(code, `${MODULE}: ${url} responded with ${status}; ${hint}`, { file: MODULE, status });
  }
  if ((response.headers.get("content-type") ?? "").startsWith("text/html")) {
    throw new MobileBertError("not-found", `${MODULE}: ${url} is an HTML page; ${hint}`, { file: MODULE });
  }
  return response;
}

function startError(error: unknown): MobileBertError {
  const reason = error instanceof Error ? error.message : String(error);
  if (/Content.Security.Policy|unsafe-eval|CSP/i.test(reason)) {
    const hint = "the page's Content-Security-Policy needs script-src 'wasm-unsafe-eval'";
    return new MobileBertError("unsupported", `${hint} (${reason})`);
  }
  if (error instanceof WebAssembly.CompileError) {
    return new MobileBertError("unsupported", `this browser does not support WebAssembly SIMD (${reason}); update it`);
  }
  return isTrap(error) ? trapError(error) : toError(error);
}
