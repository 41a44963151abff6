import { MobileBertError } from "../errors.js";
import * as store from "../files/cache.js";
import { ProgressTotal } from "../files/progress.js";
import type { Place } from "../files/source.js";
import { type EngineModel, engineModule, simdFor, startEngine } from "./engine.js";
import { build, cacheKey, loadModel, openCached } from "./load.js";
import type { Help, LoadRequest } from "./request.js";

/** The request with which a helper loads the model of this worker; fails if it would have to be downloaded again. */
export async function requestForHelper(request: LoadRequest): Promise<LoadRequest> {
  const cached = isRemote(request.place) ? versionOf(await cachedRecord(request)) : undefined;
  const help = { module: engineModule(), cached };
  // The same instructions, so that it doesn't matter which worker computes a result.
  const { set: simd } = await simdFor(request.simd);
  return { ...request, wasmBytes: undefined, wasmUrl: undefined, device: "wasm", simd, help };
}

/** Loads the model that another worker has loaded, without the network. */
export async function loadForHelper(request: LoadRequest, help: Help, signal: AbortSignal): Promise<EngineModel> {
  const engine = await startEngine({ module: help.module as WebAssembly.Module });
  const progress = new ProgressTotal(() => {});
  if (help.cached === undefined) return await loadModel(request, progress, () => {}, signal);
  const record = await cachedRecord(request);
  if (versionOf(record) !== help.cached) throw notCached();
  const open = openCached(record.model, record);
  return await build({ request, engine, open, phase: "cache", progress, signal });
}

/** Returns whether reading the files takes requests over the network. */
function isRemote(place: Place): boolean {
  return place.kind === "directory" && /^https?:/.test(place.base);
}

async function cachedRecord(request: LoadRequest): Promise<store.CacheRecord> {
  const base = cacheKey(request);
  const record = base && (await store.findRecord(base).catch(() => undefined));
  if (!record) throw notCached();
  return record;
}

function versionOf({ stored, version }: store.CacheRecord): string {
  return `${stored} ${version}`;
}

function notCached(): MobileBertError {
  return new MobileBertError("unsupported", "the model's files are not cached, and each worker needs them");
}
