import { MobileBertError, messageOf } from "../errors.js";
import { inNode } from "../node.js";
import { isRefused, type OpenFile } from "./fetch.js";
import type { ProgressTotal } from "./progress.js";
import type { Place } from "./source.js";
import { join, textOf } from "./streams.js";
import type { Manifest } from "./verify.js";

const CONFIG = "config.json";
/** The preferred weights. */
export const WEIGHTS = "model.safetensors";
/**
 * Other weights and indexes of shards, in the order in which they are looked for, as in `transformers`. `WEIGHTS` in
 * `src/model/directory.rs` is the same list.
 */
const OTHER_WEIGHTS = ["model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json"];
const TOKENIZER = "tokenizer.json";
const VOCAB = "vocab.txt";
/** Small files that a directory may have besides its vocabulary; `SmallFiles::NAMES` in Rust is the same list. */
const OPTIONAL = [
  "tokenizer_config.json",
  "special_tokens_map.json",
  "added_tokens.json",
  "modules.json",
  "sentence_bert_config.json",
];
/** More of them, in a directory of sentence-transformers; no other files are in a subfolder. */
export const MODULES = ["1_Pooling/config.json", "config_sentence_transformers.json"];
/** All small files but the configuration, in the order of `SmallFiles::NAMES`. */
export const SMALL_FILES = [TOKENIZER, VOCAB, ...OPTIONAL, ...MODULES];

/** Opens a file. Returns `undefined` if it doesn't exist, and passes the HTTP status, if any, to `onMissing`. */
export type Opener = (name: string, onMissing?: (status: number) => void) => Promise<OpenFile | undefined>;

/** Opens all files before reading any, so that the total size is known from the start. */
export async function openAll(place: Place, open: Opener, manifest: Manifest | undefined, progress: ProgressTotal) {
  const all: OpenFile[] = [];
  /** HTTP statuses of missing files. */
  const statuses = new Map<string, number>();
  const fileMissing = (name: string) => missing(place, name, statuses.get(name));
  const optional = async (name: string) => {
    if (manifest && !manifest.files.has(name)) return undefined;
    const file = await open(name, (status) => statuses.set(name, status));
    if (file) all.push(file);
    return file;
  };
  const opening = [CONFIG, TOKENIZER, WEIGHTS, ...OPTIONAL].map(optional);
  try {
    const [config, json, single, ...settings] = await Promise.all(opening);
    if (!config) throw fileMissing(CONFIG);
    // A host that sends a page for every path: reading it reports this file rather than one that nobody expects.
    if (config.isPage) await join(config.chunks);
    const vocab = isFile(json) ? undefined : await optional(VOCAB);
    // If the server sent pages instead of both, reading the first one reports it.
    const tokenizer = isFile(json) || !isFile(vocab) ? [json, vocab] : [vocab];
    if (!json && !vocab) throw fileMissing(TOKENIZER);
    const small = [...tokenizer, ...settings.filter(isFile)].filter((file) => file !== undefined);
    if (small.some(({ name }) => name === "modules.json")) {
      const modules = await Promise.all(MODULES.map(optional));
      small.push(...modules.filter((file) => file !== undefined).filter(isFile));
    }
    const { weights, index } = await openWeights(fileMissing, optional, single);
    const used = [config, ...small, ...weights];
    for (const file of used) progress.expect(file.name, manifest?.files.get(file.name)?.bytes ?? file.bytes);
    for (const file of all) if (file.isPage && !used.includes(file)) file.cancel();
    return { config, small, weights, index, all };
  } catch (error) {
    await Promise.allSettled(opening);
    for (const file of all) file.cancel();
    throw error;
  }
}

function isFile(file: OpenFile | undefined): file is OpenFile {
  return file !== undefined && !file.isPage;
}

/** Returns whether a directory with these files has weights or an index of shards. */
export function haveWeights(names: readonly string[]): boolean {
  return [WEIGHTS, ...OTHER_WEIGHTS].some((name) => names.includes(name));
}

/**
 * Returns whether a file that is read has weights, by its name; a shard may have any name. Shards are in the same directory
 * as their index; other paths aren't followed.
 */
export function isWeights(name: string): boolean {
  return /^[\w.-]+\.(safetensors|bin)$/.test(name);
}

/** Opens the weights: a single file, opened by the caller as `single` if it exists, or the shards listed in an index. */
export async function openWeights(
  fileMissing: (name: string) => MobileBertError,
  optional: Opener,
  single: OpenFile | undefined,
) {
  let file = single;
  for (const name of OTHER_WEIGHTS) {
    if (isFile(file)) break;
    // A page in place of a file is reported only if there is nothing else.
    file = (await optional(name)) ?? file;
  }
  if (!file) throw fileMissing(WEIGHTS);
  if (!file.name.endsWith(".json")) return { weights: [file], index: undefined, indexName: "" };
  const index = await textOf(file.chunks);
  const weights: OpenFile[] = [];
  for (const name of shardNames(file.name, index)) {
    const shard = await optional(name);
    if (!shard) throw fileMissing(name);
    weights.push(shard);
  }
  return { weights, index, indexName: file.name };
}

/** Returns the shards listed in an index. */
function shardNames(file: string, text: string): string[] {
  const damaged = (problem: string) => new MobileBertError("corrupt", `${file}: ${problem}`, { file });
  let map: unknown;
  try {
    map = (JSON.parse(text) as { weight_map?: unknown }).weight_map;
  } catch (error) {
    throw damaged(`not valid JSON (${messageOf(error)})`);
  }
  if (typeof map !== "object" || map === null) throw damaged("`weight_map` is missing");
  const names = [...new Set(Object.values(map as Record<string, unknown>))].sort();
  for (const name of names) {
    if (typeof name !== "string" || !isWeights(name)) throw damaged(`\`weight_map\` names ${name}`);
  }
  return names as string[];
}

/** Returns whether files with URLs of this scheme can be fetched here. */
function isFetched(base: string): boolean {
  const { protocol } = new URL(base);
  return /^https?:$/.test(protocol) || protocol === (inNode() ? "file:" : globalThis.location?.protocol);
}

/** The error for a missing file; `status` is the HTTP status of the response. */
export function missing(place: Place, name: string, status?: number): MobileBertError {
  const detail = { file: name, ...(status !== undefined && { status }) };
  if (place.kind === "files") {
    const hint = "select config.json, model.safetensors or pytorch_model.bin, and tokenizer.json or vocab.txt together";
    return new MobileBertError("not-found", `${name}: not among the selected files; ${hint}`, detail);
  }
  const hints = ["is it a model's directory? Directory URLs end in `/`, ids have the form `owner/name`"];
  if (place.id !== undefined) {
    hints[0] = `"${place.id}" was taken for a Hugging Face id; directory URLs end in \`/\``;
  }
  if (!isFetched(place.base)) {
    hints[0] = "only `http:` and `https:` URLs are fetched, an extension's or app's own, and in Node `file:` URLs";
  }
  if (name === WEIGHTS) {
    hints.push("weights are model.safetensors or pytorch_model.bin, or their shards; ONNX files aren't read");
  }
  if (isRefused(status)) {
    hints.push('access may require `headers: { authorization: "Bearer …" }`');
  }
  const responded = status === undefined ? "" : ` (the server responded with ${status})`;
  return new MobileBertError(
    "not-found",
    `${name}: not found in ${place.base}${responded}; ${hints.join("; ")}`,
    detail,
  );
}
