import { untilAborted } from "../abort.js";
import { aborted, MobileBertError, messageOf, type PlainError, toError } from "../errors.js";
import * as store from "../files/cache.js";
import { findChoice, storeChoice } from "../files/choices.js";
import { chooseMirror, currentValidator, isRefused, type OpenFile, openFile } from "../files/fetch.js";
import { locateRepository, type Repository } from "../files/hub.js";
import { isWeights, type Opener, openAll, WEIGHTS } from "../files/model-files.js";
import type { ProgressTotal } from "../files/progress.js";
import type { Place } from "../files/source.js";
import { textOf } from "../files/streams.js";
import { timeouts } from "../files/timeouts.js";
import { MANIFEST, type Manifest, parseManifest, verified } from "../files/verify.js";
import { type EngineFiles, type EngineLoader, type EngineModel, simdFor, startEngine } from "./engine.js";
import { LoadTimer } from "./load-timer.js";
import { headTask, type LoadRequest } from "./request.js";
import { Trap, untilTrap } from "./trap.js";

/** Loads a model, from the cache if it is complete and up to date. */
export async function loadModel(
  wanted: LoadRequest,
  progress: ProgressTotal,
  onWarning: (warning: PlainError) => void,
  signal: AbortSignal,
  timer = new LoadTimer(),
): Promise<EngineModel> {
  // Compiling the module takes as long as the first requests: do both at once. Another load may wait for the same module,
  // which must not keep this one from ending.
  const engine = untilAborted(
    timer.module.time(() => startEngine(wanted)),
    signal,
  );
  engine.catch(() => {});
  const { place, repository } = await timer.fetch.time(async () =>
    locateRepository(await chooseMirror(wanted.place, signal), wanted.followBaseModel, signal),
  );
  const shared = { request: { ...wanted, place }, progress, signal, timer };
  // A model that was followed is cached under the id that the caller knows.
  const base = cacheKey(wanted);
  const version = await timer.fetch.time(() => modelVersion(place, repository, base, signal));
  let model: EngineModel | undefined;
  if (base && version.record) {
    try {
      const open = openCached(base, version.record, timer);
      model = await build({ ...shared, engine: await engine, open, phase: "cache" });
    } catch (error) {
      if (signal.aborted) throw aborted();
      // A cached file is missing or damaged: download everything again.
      if (!isDamaged(error)) throw error;
      await store.remove(base);
      progress.enter("download");
    }
  }
  for (let first = true; !model; first = false) {
    const from = first || place.kind === "files" ? place : { ...place, bypassHttpCache: true };
    const { manifest } = version;
    const files = new ModelDownload({ place: from, base, manifest, progress, signal, timer });
    try {
      model = await build({ ...shared, engine: await engine, open: files.open, manifest, phase: "download" });
      await files.commit(onWarning);
    } catch (error) {
      if (!isDamaged(error)) throw error;
      // Remove everything, unless nothing has arrived: a cached version is then still complete. If part of it was left by an
      // earlier load, the server may not be at fault: retry once.
      if (base && files.overwrites) await store.remove(base).catch(() => {});
      if (!first || !files.resumed) throw error;
    }
  }
  return model;
}

/** The URL under which a model is cached, if it should be: the same for all mirrors. */
export function cacheKey({ cache, place }: LoadRequest): string | undefined {
  // Unlike `typeof`, this doesn't fail in sandboxed frames.
  const cacheable = cache && "caches" in globalThis && place.kind === "directory" && /^https?:/.test(place.base);
  return cacheable ? place.base : undefined;
}

/** Returns whether an error means that a model's files are damaged. */
function isDamaged(error: unknown): boolean {
  return ["corrupt", "integrity", "not-a-model"].includes(toError(error).code);
}

/** A model to build from its files. */
interface Build {
  request: LoadRequest;
  engine: Awaited<ReturnType<typeof startEngine>>;
  open: Opener;
  /** The files that exist, if they are known. */
  manifest?: Manifest | undefined;
  /** The phase in which the files are read. */
  phase: "download" | "cache";
  progress: ProgressTotal;
  signal: AbortSignal;
  timer?: LoadTimer;
}

/** Reads configuration and tokenizer, then the weights chunk by chunk. */
export async function build(from: Build): Promise<EngineModel> {
  const { request, engine, open, manifest, phase, progress, signal, timer = new LoadTimer() } = from;
  const opened = await timer.fetch.time(() => openAll(request.place, open, manifest, progress));
  let loader: EngineLoader | undefined;
  try {
    const read = (file: OpenFile) => textOf(counted(file, phase, progress));
    const files: EngineFiles = { config: await read(opened.config), small: {}, task: headTask(request.task) };
    for (const file of opened.small) files.small[file.name] = await read(file);
    if (opened.index !== undefined) files.index = opened.index;
    if (signal.aborted) throw aborted();
    progress.enter("compile");
    const options = { ...engineOptions(request), simd: (await simdFor(request.simd)).set };
    loader = await timer.compile.time(() => untilTrap(() => engine.Loader.create(files, options)));
    const loading = loader;
    for (const file of opened.weights) {
      loading.beginFile(file.name, file.bytes);
      for await (const chunk of counted(file, phase, progress)) {
        if (signal.aborted) throw aborted();
        await timer.upload.time(() => untilTrap(() => loading.push(chunk)));
        await timer.compile.time(() => choose(loading, request.cache, progress));
      }
    }
    progress.enter("upload");
    // `finish` consumes the loader, whether it succeeds or not.
    loader = undefined;
    return await timer.upload.time(() => untilTrap(() => loading.finish()));
  } catch (error) {
    for (const file of opened.all) file.cancel();
    if (!(error instanceof Trap)) loader?.free();
    throw error;
  }
}

/** Chooses the device and compiles its kernels as soon as the network is known, while the weights keep arriving. */
async function choose(loading: EngineLoader, remembers: boolean, progress: ProgressTotal): Promise<void> {
  const key = loading.choiceKey();
  if (key === undefined) return;
  progress.enter("compile");
  const remembered = remembers ? await findChoice(key) : undefined;
  const record = await untilTrap(() => loading.choose(remembered));
  if (remembers && record !== undefined) await storeChoice(key, record);
}

function engineOptions(request: LoadRequest) {
  const { device, dtype, schedule, splitSpecialTokens } = request;
  return {
    device,
    ...(dtype && { dtype }),
    ...(schedule && { schedule }),
    ...(splitSpecialTokens !== undefined && { splitSpecialTokens }),
  };
}

async function* counted(file: OpenFile, phase: "download" | "cache", progress: ProgressTotal) {
  progress.restart(file.name);
  // The bytes left by an earlier load come from the cache, the rest from the network.
  let cached = file.start;
  for await (const chunk of file.chunks) {
    progress.advance(cached > 0 ? "cache" : phase, file.name, chunk.length);
    cached -= chunk.length;
    yield chunk;
  }
  progress.finish(phase, file.name);
}

interface ModelVersion {
  manifest: Manifest | undefined;
  /** The cached model, if it is up to date or the server can't be reached. */
  record: store.CacheRecord | undefined;
}

/** Checks with one small request whether a cached model is up to date. A server that is slow or refuses counts as unreachable. */
export async function modelVersion(
  place: Place,
  repository: Repository | undefined,
  base: string | undefined,
  signal: AbortSignal,
): Promise<ModelVersion> {
  const record = base ? await store.findRecord(base).catch(() => undefined) : undefined;
  if (repository) {
    const { manifest } = repository;
    return { manifest, record: record && manifest.text === record.version ? record : undefined };
  }
  // The Hub's list of files can't be reached, or there never was one: the weights decide.
  const validator = record?.validator ?? (record?.hasManifest === false ? record.version : undefined);
  // Browsers without `any` wait as long as they would for a model that isn't cached.
  const soon = (record && AbortSignal.any?.([signal, AbortSignal.timeout(timeouts.check)])) ?? signal;
  let text: string | undefined;
  try {
    if (record && validator !== undefined) {
      const weights = record.files.find((file) => isWeights(file.name))?.name ?? WEIGHTS;
      const current = await currentValidator(place, weights, soon);
      return { manifest: undefined, record: current === validator ? record : undefined };
    }
    let status: number | undefined;
    const file = await openFile(place, MANIFEST, soon, undefined, (found) => {
      status = found;
    });
    if (record && isRefused(status)) return { manifest: undefined, record };
    text = file && (await textOf(file.chunks));
  } catch (error) {
    const { code } = toError(error);
    const isLate = code === "aborted" && !signal.aborted;
    // The cached model has a list, so a page instead of it, such as a proxy's, doesn't mean that there is another version.
    if (record && (code === "network" || code === "not-a-model" || isLate)) return { manifest: undefined, record };
    // A page instead of an optional file means that the file doesn't exist.
    if (code !== "not-a-model") throw error;
  }
  const manifest = text === undefined ? undefined : parseManifest(text);
  return { manifest, record: record && text === record.version ? record : undefined };
}

/** Opens files of a cached model; fails if one is missing or has a different size. */
export function openCached(base: string, record: store.CacheRecord, timer = new LoadTimer()): Opener {
  return async (name) => {
    const expected = record.files.find((file) => file.name === name);
    if (!expected) return undefined;
    const { bytes, count } = await store.findParts(base, name);
    if (bytes !== expected.bytes) {
      const problem = `only ${bytes} of ${expected.bytes} bytes are in the browser's cache`;
      throw new MobileBertError("corrupt", `${name}: ${problem}`, { file: name });
    }
    const chunks = timer.fetch.waiting(store.readParts(base, name, count));
    return { name, start: 0, bytes, validator: "", chunks, isPage: false, cancel: () => {} };
  };
}

/** Where a model is downloaded from. */
interface DownloadSource {
  place: Place;
  /** The key under which it is cached, if it is. */
  base: string | undefined;
  manifest: Manifest | undefined;
  progress: ProgressTotal;
  signal: AbortSignal;
  timer: LoadTimer;
}

/** Downloads a model's files, verifies them against the manifest, and caches them if possible. */
class ModelDownload {
  /** True if part of a file was left by an earlier load. */
  resumed = false;
  /** True once bytes have arrived that are stored in place of a cached version. */
  overwrites = false;
  private readonly stored: { name: string; state: store.StoreState }[] = [];
  private validator = "";

  constructor(private readonly from: DownloadSource) {}

  readonly open: Opener = async (name, onMissing) => {
    const { place, base, manifest, progress, signal, timer } = this.from;
    const resumable = isWeights(name);
    const nothing: store.StoredParts = { count: 0, bytes: 0, validator: "" };
    // Only weights are worth resuming; other files are downloaded again.
    const stored = base && resumable ? await store.findParts(base, name).catch(() => nothing) : nothing;
    const file = await openFile(place, name, signal, stored.count > 0 ? stored : undefined, onMissing);
    if (!file) return undefined;
    if (resumable && this.validator === "") this.validator = file.validator;
    const resumes = base !== undefined && file.start > 0;
    this.resumed ||= resumes;
    const check = () => progress.enter("verify", name);
    // Unlike `checked`, this doesn't include the time for hashing and storing.
    const { checked, streamed } = timer;
    const arriving = streamed.waiting(file.chunks);
    if (!base || file.isPage) return { ...file, chunks: checked.waiting(verified(manifest, name, arriving, check)) };
    // Existing parts aren't stored again, but every byte is verified.
    const storing = store.storeWhileReading(
      base,
      name,
      file.validator,
      resumes ? stored : nothing,
      this.replacing(base, arriving),
    );
    this.stored.push({ name, state: storing.state });
    const read = resumes ? chain(store.readParts(base, name, stored.count), storing.chunks) : storing.chunks;
    return { ...file, chunks: checked.waiting(verified(manifest, name, read, check)) };
  };

  /** Passes chunks on; marks a cached version as incomplete before they replace its files. */
  private async *replacing(base: string, chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      if (!this.overwrites) await store.uncommit(base).catch(() => {});
      this.overwrites = true;
      yield chunk;
    }
  }

  /** Marks the cached copy as complete, after all files were verified and the model was loaded. */
  async commit(onWarning: (warning: PlainError) => void): Promise<void> {
    const { base, manifest } = this.from;
    if (!base) return;
    const failed = this.stored.find(({ state }) => state.failure !== undefined);
    if (failed) {
      await store.remove(base).catch(() => {});
      const reason = messageOf(failed.state.failure);
      const message = `the browser could not cache this model (${reason}): it works, but will be downloaded again next time; see cache.estimate() for the available space, or pass \`cache: false\``;
      onWarning({ code: "quota", message, detail: { file: failed.name } });
      return;
    }
    const files = this.stored.map(({ name, state }) => ({ name, bytes: state.bytes }));
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    const { validator } = this;
    const version = manifest?.text ?? validator;
    const stored = new Date().toISOString();
    const record = { model: base, files, bytes, stored, version, hasManifest: manifest !== undefined };
    // With a `files.json`, the version is its text, and no validator is needed.
    const listed = manifest?.source === MANIFEST;
    await store.commit({ ...record, ...(!listed && { validator }) }).catch(() => {});
  }
}

async function* chain(...all: AsyncIterable<Uint8Array>[]): AsyncGenerator<Uint8Array> {
  for (const chunks of all) yield* chunks;
}
