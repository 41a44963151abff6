import { MobileBertError, toError } from "./errors.js";
import { fileSystem } from "./node.js";
import { explained, explainTraps, isTrap } from "./trap.js";
import type { Device, DeviceKind, Memory } from "./types.js";

/** What `load` hands to the wasm module before the weights. */
export interface EngineFiles {
  config: string;
  tokenizerJson?: string;
  tokenizerConfig?: string;
  vocab?: string;
  /** Text of the index of a sharded checkpoint. */
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

/** Called with results so far; the answer says whether to go on. */
export type EnginePartial = (partial: unknown) => boolean | undefined | Promise<boolean | undefined>;

/** A loaded network behind the wasm boundary. One call at a time. */
export interface EngineModel {
  device(): Device;
  task(): string;
  labels(): string[];
  ask(question: string, context: string, options: object, onPartial?: EnginePartial): Promise<unknown>;
  classify(texts: unknown[], options: object): Promise<unknown>;
  labelTokens(text: string, options: object): Promise<unknown>;
  fillMask(text: string, options: object): Promise<unknown>;
  encode(texts: unknown[], options: object): Promise<unknown>;
  memory(): Memory;
  free(): void;
}

/** Takes weights in the order of their files. */
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
  /** Bytes of the allocation that was refused last, if none succeeded since. */
  refusedBytes(): number;
}

/** Where the wasm module comes from. */
export interface EngineSource {
  wasmUrl: string | undefined;
  wasmBytes: ArrayBuffer | Uint8Array | undefined;
}

const MODULE = "mobilebert_bg.wasm";
let started: Promise<Engine> | undefined;

/** Loads and starts the wasm module once; a start that failed may be tried again. */
export function startEngine(source: EngineSource): Promise<Engine> {
  started ??= start(source).catch((error) => {
    started = undefined;
    throw error;
  });
  return started;
}

async function start(source: EngineSource): Promise<Engine> {
  const input = (source.wasmBytes as BufferSource | undefined) ?? (await fetchModule(source.wasmUrl));
  const engine = (await import("../wasm/mobilebert.js")) as unknown as Engine;
  explainTraps(() => engine.refusedBytes());
  try {
    await engine.default({ module_or_path: input });
  } catch (error) {
    throw startError(error);
  }
  return engine;
}

async function fetchModule(given: string | undefined): Promise<Response | BufferSource> {
  const url = given ? new URL(given) : new URL("../wasm/mobilebert_bg.wasm", import.meta.url);
  const hint = "serve the package's wasm folder beside its dist folder, or give `wasmUrl`";
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
    throw new MobileBertError("network", `${MODULE}: ${url} could not be fetched (${error}); ${hint}`, {
      file: MODULE,
    });
  }
  const { status } = response;
  if (!response.ok) {
    const code = status === 404 ? "not-found" : "network";
    throw new MobileBertError(code, `${MODULE}: ${url} answered ${status}; ${hint}`, { file: MODULE, status });
  }
  if ((response.headers.get("content-type") ?? "").startsWith("text/html")) {
    throw new MobileBertError("not-found", `${MODULE}: ${url} is an HTML page; ${hint}`, { file: MODULE });
  }
  return response;
}

function startError(error: unknown): MobileBertError {
  const said = error instanceof Error ? error.message : String(error);
  if (/Content.Security.Policy|unsafe-eval|CSP/i.test(said)) {
    const hint = "the page's Content-Security-Policy needs script-src 'wasm-unsafe-eval'";
    return new MobileBertError("unsupported", `${hint} (${said})`);
  }
  if (error instanceof WebAssembly.CompileError) {
    return new MobileBertError("unsupported", `this browser cannot run WebAssembly with SIMD (${said}); update it`);
  }
  return isTrap(error) ? explained(error) : toError(error);
}
