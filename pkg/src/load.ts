import { chunksOf, join } from "./bytes.js";
import * as store from "./cache.js";
import { type EngineFiles, type EngineLoader, type EngineModel, startEngine } from "./engine.js";
import { aborted, MobileBertError, toError } from "./errors.js";
import { currentValidator, missing, type OpenFile, openFile } from "./fetch.js";
import { type Manifest, parseManifest, verified } from "./manifest.js";
import { ProgressTotal } from "./progress.js";
import type { LoadRequest } from "./protocol.js";
import type { Place } from "./source.js";
import type { Progress } from "./types.js";

const CONFIG = "config.json";
const MANIFEST = "files.json";
const WEIGHTS = "model.safetensors";
const INDEX = "model.safetensors.index.json";

/** Reads a model's files, from the cache where it is complete and current, into a network that can be asked. */
export async function loadModel(
  request: LoadRequest,
  onProgress: (progress: Progress) => void,
  signal: AbortSignal,
): Promise<EngineModel> {
  const { place } = request;
  const progress = new ProgressTotal(onProgress);
  // Compiling the module takes as long as the first requests: both at once.
  const engine = startEngine(request);
  engine.catch(() => {});
  const keeps = request.cache && place.kind === "directory" && /^https?:/.test(place.base);
  const base = keeps ? place.base : undefined;
  const version = await modelVersion(place, base, signal);
  let model: EngineModel | undefined;
  if (base && version.record) {
    try {
      const kept = keptFiles(base, version.record);
      model = await build(request, await engine, kept, undefined, "cache", progress, signal);
    } catch (error) {
      if (signal.aborted) throw aborted();
      // The browser lost or damaged a kept file: fetch everything anew.
      if (!["corrupt", "integrity", "not-a-model", "not-found"].includes(toError(error).code)) throw error;
      await store.forget(base);
      progress.enter("download");
    }
  }
  if (!model) {
    const files = new Files(place, base, version.manifest, signal);
    model = await build(request, await engine, files.open, version.manifest, "download", progress, signal);
    await files.commit();
  }
  return model;
}

type Opener = (name: string) => Promise<OpenFile | undefined>;

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
    loader = await engine.Loader.create(files, engineOptions(request));
    for (const [i, file] of opened.weights.entries()) {
      if (i > 0) loader.nextFile();
      for await (const chunk of counted(file, phase, progress)) {
        if (signal.aborted) throw aborted();
        await loader.push(chunk);
      }
    }
    progress.enter("upload");
    const finishing = loader;
    // `finish` takes the loader with it, whether it succeeds or not.
    loader = undefined;
    return await finishing.finish();
  } catch (error) {
    for (const file of opened.all) file.cancel();
    loader?.free();
    throw error;
  }
}

function engineOptions(request: LoadRequest) {
  const { device, dtype, schedule } = request;
  return { device, ...(dtype && { dtype }), ...(schedule && { schedule }) };
}

async function* counted(file: OpenFile, phase: "download" | "cache", progress: ProgressTotal) {
  progress.restart(file.name);
  for await (const chunk of file.chunks) {
    progress.advance(phase, file.name, chunk.length);
    yield chunk;
  }
}

/** Opens all files before any is read, so that the total is known from the start. */
async function openAll(place: Place, open: Opener, manifest: Manifest | undefined, progress: ProgressTotal) {
  const all: OpenFile[] = [];
  const optional = async (name: string) => {
    if (manifest && !manifest.files.has(name)) return undefined;
    const file = await open(name);
    if (file) all.push(file);
    return file;
  };
  const opening = [CONFIG, "tokenizer.json", "tokenizer_config.json", WEIGHTS].map(optional);
  try {
    const [config, tokenizerJson, tokenizerConfig, single] = await Promise.all(opening);
    if (!config) throw missing(place, CONFIG);
    const vocab = tokenizerJson ? undefined : await optional("vocab.txt");
    if (!tokenizerJson && !vocab) throw missing(place, "tokenizer.json");
    const { weights, index } = single ? { weights: [single], index: undefined } : await openShards(place, optional);
    // The index of shards has been read by now.
    for (const file of all.filter((file) => file.name !== INDEX))
      progress.expect(file.name, manifest?.files.get(file.name)?.bytes ?? file.bytes);
    return { config, tokenizerJson, tokenizerConfig, vocab, weights, index, all };
  } catch (error) {
    await Promise.allSettled(opening);
    for (const file of all) file.cancel();
    throw error;
  }
}

async function openShards(place: Place, optional: Opener) {
  const file = await optional(INDEX);
  if (!file) throw missing(place, WEIGHTS);
  const index = new TextDecoder().decode(await join(file.chunks));
  const weights: OpenFile[] = [];
  for (const name of shardNames(index)) {
    const shard = await optional(name);
    if (!shard) throw missing(place, name);
    weights.push(shard);
  }
  return { weights, index };
}

/** The weight files that an index names. */
export function shardNames(text: string): string[] {
  const damaged = (problem: string) => new MobileBertError("corrupt", `${INDEX}: ${problem}`, { file: INDEX });
  let map: unknown;
  try {
    map = (JSON.parse(text) as { weight_map?: unknown }).weight_map;
  } catch (error) {
    throw damaged(`no JSON (${error instanceof Error ? error.message : error})`);
  }
  if (typeof map !== "object" || map === null) throw damaged("has no `weight_map`");
  const names = [...new Set(Object.values(map as Record<string, unknown>))].sort();
  for (const name of names) {
    // A shard lies beside its index; anything else is no name that such a file should hold.
    if (typeof name !== "string" || !/^[\w.-]+\.safetensors$/.test(name)) throw damaged(`\`weight_map\` names ${name}`);
  }
  return names as string[];
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
    const body = await store.findFile(base, name);
    if (!body) throw new MobileBertError("corrupt", `${name}: gone from the browser's cache`, { file: name });
    return {
      name,
      bytes: noted.bytes,
      validator: "",
      chunks: chunksOf(body),
      cancel: () => void body.cancel().catch(() => {}),
    };
  };
}

/** Opens files of a place: checked against the manifest, and kept beside where the browser lets us. */
class Files {
  private readonly stored: { name: string; state: { stored: boolean; bytes: number } }[] = [];
  private version = "";

  constructor(
    private readonly place: Place,
    private readonly base: string | undefined,
    private readonly manifest: Manifest | undefined,
    private readonly signal: AbortSignal,
  ) {}

  readonly open: Opener = async (name) => {
    const file = await openFile(this.place, name, this.signal);
    if (!file) return undefined;
    if (name.endsWith(".safetensors") && this.version === "") this.version = file.validator;
    const chunks = verified(this.manifest, name, file.chunks);
    if (!this.base) return { ...file, chunks };
    const storing = store.storing(this.base, name, chunks);
    this.stored.push({ name, state: storing.state });
    return { ...file, chunks: storing.chunks };
  };

  /** All files were read and the network stands: from now on the kept copy counts. */
  async commit(): Promise<void> {
    if (!this.base) return;
    const files = this.stored.map(({ name, state }) => ({ name, bytes: state.bytes }));
    if (!this.stored.every(({ state }) => state.stored)) {
      await store.forget(this.base).catch(() => {});
      return;
    }
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    const version = this.manifest?.text ?? this.version;
    const stored = new Date().toISOString();
    const hasManifest = this.manifest !== undefined;
    await store.commit({ model: this.base, files, bytes, stored, version, hasManifest }).catch(() => {});
  }
}
