import { join } from "./bytes.js";
import * as store from "./cache.js";
import { type EngineFiles, type EngineLoader, type EngineModel, startEngine } from "./engine.js";
import { aborted, MobileBertError, type PlainError, toError } from "./errors.js";
import { chooseMirror, currentValidator, type OpenFile, openFile } from "./fetch.js";
import { type Manifest, parseManifest, verified } from "./manifest.js";
import { type Opener, openAll, WEIGHTS } from "./model-files.js";
import type { ProgressTotal } from "./progress.js";
import type { LoadRequest } from "./protocol.js";
import type { Place } from "./source.js";
import { Trap, untilTrap } from "./trap.js";

const MANIFEST = "files.json";

/** Reads a model's files, from the cache where it is complete and current, into a network that can be asked. */
export async function loadModel(
  request: LoadRequest,
  progress: ProgressTotal,
  onWarning: (warning: PlainError) => void,
  signal: AbortSignal,
): Promise<EngineModel> {
  // Compiling the module takes as long as the first requests: both at once.
  const engine = startEngine(request);
  engine.catch(() => {});
  const base = cacheKey(request);
  const place = await chooseMirror(request.place, signal);
  const version = await modelVersion(place, base, signal);
  let model: EngineModel | undefined;
  if (base && version.record) {
    try {
      const kept = keptFiles(base, version.record);
      model = await build(request, await engine, kept, undefined, "cache", progress, signal);
    } catch (error) {
      if (signal.aborted) throw aborted();
      // The browser lost or damaged a kept file: fetch everything anew.
      if (!isSpoilt(error)) throw error;
      await store.forget(base);
      progress.enter("download");
    }
  }
  if (base && !model) await store.uncommit(base).catch(() => {});
  for (let first = true; !model; first = false) {
    const from = first || place.kind === "files" ? place : { ...place, anew: true };
    const files = new Files(from, base, version.manifest, progress, signal);
    try {
      model = await build(request, await engine, files.open, version.manifest, "download", progress, signal);
      await files.commit(onWarning);
    } catch (error) {
      if (!isSpoilt(error)) throw error;
      // Nothing of what did not pass stays, and what an earlier load had left behind is not blamed on the server.
      if (base) await store.forget(base).catch(() => {});
      if (!first || !files.resumed) throw error;
    }
  }
  return model;
}

/** The address under which a model is kept, where it is to be kept: the same whichever mirror it came from. */
function cacheKey({ cache, place }: LoadRequest): string | undefined {
  const keeps = cache && typeof caches !== "undefined" && place.kind === "directory" && /^https?:/.test(place.base);
  return keeps ? place.base : undefined;
}

/** Whether an error says that a model's bytes are not what they should be. */
function isSpoilt(error: unknown): boolean {
  return ["corrupt", "integrity", "not-a-model"].includes(toError(error).code);
}

/** Configuration and tokenizer, then the weights chunk by chunk. */
async function build(
  request: LoadRequest,
  engine: Awaited<ReturnType<typeof startEngine>>,
  open: Opener,
  manifest: Manifest | undefined,
  phase: "download" | "cache",
  progress: ProgressTotal,
  signal: AbortSignal,
): Promise<EngineModel> {
  const opened = await openAll(request.place, open, manifest, progress);
  let loader: EngineLoader | undefined;
  try {
    const read = async (file: OpenFile | undefined) => {
      return file && new TextDecoder().decode(await join(counted(file, phase, progress)));
    };
    const files: EngineFiles = { config: (await read(opened.config)) ?? "", task: request.task };
    const tokenizerJson = await read(opened.tokenizerJson);
    const tokenizerConfig = await read(opened.tokenizerConfig);
    const vocab = await read(opened.vocab);
    if (tokenizerJson !== undefined) files.tokenizerJson = tokenizerJson;
    if (tokenizerConfig !== undefined) files.tokenizerConfig = tokenizerConfig;
    if (vocab !== undefined) files.vocab = vocab;
    if (opened.index !== undefined) files.index = opened.index;
    if (signal.aborted) throw aborted();
    progress.enter("compile");
    loader = await untilTrap(() => engine.Loader.create(files, engineOptions(request)));
    const loading = loader;
    for (const file of opened.weights) {
      loading.beginFile(file.name);
      for await (const chunk of counted(file, phase, progress)) {
        if (signal.aborted) throw aborted();
        await untilTrap(() => loading.push(chunk));
      }
    }
    progress.enter("upload");
    // `finish` takes the loader with it, whether it succeeds or not.
    loader = undefined;
    return await untilTrap(() => loading.finish());
  } catch (error) {
    for (const file of opened.all) file.cancel();
    if (!(error instanceof Trap)) loader?.free();
    throw error;
  }
}

function engineOptions(request: LoadRequest) {
  const { device, dtype, schedule } = request;
  return { device, ...(dtype && { dtype }), ...(schedule && { schedule }) };
}

async function* counted(file: OpenFile, phase: "download" | "cache", progress: ProgressTotal) {
  progress.restart(file.name);
  // What an earlier load left behind comes from the cache, the rest from the network.
  let cached = file.start;
  for await (const chunk of file.chunks) {
    progress.advance(cached > 0 ? "cache" : phase, file.name, chunk.length);
    cached -= chunk.length;
    yield chunk;
  }
}

interface ModelVersion {
  manifest: Manifest | undefined;
  /** The kept model, where it is what the server has now or the server cannot be reached. */
  record: store.CacheRecord | undefined;
}

/** One small request tells whether a kept model is still the server's. */
async function modelVersion(place: Place, base: string | undefined, signal: AbortSignal): Promise<ModelVersion> {
  const record = base ? await store.findRecord(base).catch(() => undefined) : undefined;
  if (record && !record.hasManifest) {
    const weights = record.files.find((file) => file.name.endsWith(".safetensors"))?.name ?? WEIGHTS;
    const current = await currentValidator(place, weights, signal);
    return { manifest: undefined, record: current === undefined || current === record.version ? record : undefined };
  }
  let text: string | undefined;
  try {
    const file = await openFile(place, MANIFEST, signal);
    text = file && new TextDecoder().decode(await join(file.chunks));
  } catch (error) {
    const code = error instanceof MobileBertError ? error.code : "internal";
    if (record && code === "network") return { manifest: undefined, record };
    // A page in place of a file that need not be there says nothing.
    if (code !== "not-a-model") throw error;
  }
  const manifest = text === undefined ? undefined : parseManifest(text);
  return { manifest, record: record && text === record.version ? record : undefined };
}

/** Opens files of a kept model; one that is missing or of another size is an error. */
function keptFiles(base: string, record: store.CacheRecord): Opener {
  return async (name) => {
    const noted = record.files.find((file) => file.name === name);
    if (!noted) return undefined;
    const { bytes, count } = await store.findParts(base, name);
    if (bytes !== noted.bytes) {
      const problem = `${bytes} of ${noted.bytes} bytes are left in the browser's cache`;
      throw new MobileBertError("corrupt", `${name}: ${problem}`, { file: name });
    }
    const chunks = store.readParts(base, name, count);
    return { name, start: 0, bytes, validator: "", chunks, isPage: false, cancel: () => {} };
  };
}

/** Opens files of a place: checked against the manifest, and kept beside where the browser lets us. */
class Files {
  /** Whether part of what was read came from an earlier load. */
  resumed = false;
  private readonly stored: { name: string; state: store.Storing }[] = [];
  private version = "";

  constructor(
    private readonly place: Place,
    private readonly base: string | undefined,
    private readonly manifest: Manifest | undefined,
    private readonly progress: ProgressTotal,
    private readonly signal: AbortSignal,
  ) {}

  readonly open: Opener = async (name, onAbsent) => {
    const { base, manifest } = this;
    const isWeights = name.endsWith(".safetensors");
    const nothing: store.KeptParts = { count: 0, bytes: 0, validator: "" };
    // Only weights are worth going on with; the other files are read anew.
    const kept = base && isWeights ? await store.findParts(base, name).catch(() => nothing) : nothing;
    const file = await openFile(this.place, name, this.signal, kept.count > 0 ? kept : undefined, onAbsent);
    if (!file) return undefined;
    if (isWeights && this.version === "") this.version = file.validator;
    const resumes = base !== undefined && file.start > 0;
    this.resumed ||= resumes;
    const check = () => this.progress.enter("verify", name);
    if (!base || file.isPage) return { ...file, chunks: verified(manifest, name, file.chunks, check) };
    // The parts that stand are not stored again; the check sees every byte.
    const storing = store.storing(base, name, file.validator, resumes ? kept : nothing, file.chunks);
    this.stored.push({ name, state: storing.state });
    const read = resumes ? chain(store.readParts(base, name, kept.count), storing.chunks) : storing.chunks;
    return { ...file, chunks: verified(manifest, name, read, check) };
  };

  /** All files were read, checked, and the network stands: from now on the kept copy counts. */
  async commit(onWarning: (warning: PlainError) => void): Promise<void> {
    const { base } = this;
    if (!base) return;
    const failed = this.stored.find(({ state }) => state.failure !== undefined);
    if (failed) {
      await store.forget(base).catch(() => {});
      const said = failed.state.failure instanceof Error ? failed.state.failure.message : failed.state.failure;
      const message = `the browser does not keep this model (${said}): it runs, and is fetched again next time; cache.estimate() tells the room there is, \`cache: false\` leaves the cache alone`;
      onWarning({ code: "quota", message, detail: { file: failed.name } });
      return;
    }
    const files = this.stored.map(({ name, state }) => ({ name, bytes: state.bytes }));
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    const version = this.manifest?.text ?? this.version;
    const stored = new Date().toISOString();
    const hasManifest = this.manifest !== undefined;
    await store.commit({ model: base, files, bytes, stored, version, hasManifest }).catch(() => {});
  }
}

async function* chain(...all: AsyncIterable<Uint8Array>[]): AsyncGenerator<Uint8Array> {
  for (const chunks of all) yield* chunks;
}
