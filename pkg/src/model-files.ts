import { join } from "./bytes.js";
import { MobileBertError } from "./errors.js";
import type { OpenFile } from "./fetch.js";
import type { Manifest } from "./manifest.js";
import type { ProgressTotal } from "./progress.js";
import type { Place } from "./source.js";

const CONFIG = "config.json";
/** The file of the weights, where there is but one. */
export const WEIGHTS = "model.safetensors";
const INDEX = "model.safetensors.index.json";

/** Opens a file, or gives `undefined` where there is none; the server's status, if there is one, is told. */
export type Opener = (name: string, onAbsent?: (status: number) => void) => Promise<OpenFile | undefined>;

/** Opens all files before any is read, so that the total is known from the start. */
export async function openAll(place: Place, open: Opener, manifest: Manifest | undefined, progress: ProgressTotal) {
  const all: OpenFile[] = [];
  /** What the server said of files that are not there. */
  const statuses = new Map<string, number>();
  const absent = (name: string) => missing(place, name, statuses.get(name));
  const optional = async (name: string) => {
    if (manifest && !manifest.files.has(name)) return undefined;
    const file = await open(name, (status) => statuses.set(name, status));
    if (file) all.push(file);
    return file;
  };
  const opening = [CONFIG, "tokenizer.json", "tokenizer_config.json", WEIGHTS].map(optional);
  try {
    const [config, json, settings, single] = await Promise.all(opening);
    if (!config) throw absent(CONFIG);
    const vocab = isThere(json) ? undefined : await optional("vocab.txt");
    // Where a server sends pages in place of both, reading the first of them says so.
    const tokenizerJson = isThere(json) || !isThere(vocab) ? json : undefined;
    if (!tokenizerJson && !vocab) throw absent("tokenizer.json");
    const tokenizer = { tokenizerJson, tokenizerConfig: isThere(settings) ? settings : undefined, vocab };
    const { weights, index } = await openWeights(absent, optional, single);
    const used = [config, ...Object.values(tokenizer), ...weights].filter((file) => file !== undefined);
    for (const file of used) progress.expect(file.name, manifest?.files.get(file.name)?.bytes ?? file.bytes);
    for (const file of all) if (file.isPage && !used.includes(file)) file.cancel();
    return { config, ...tokenizer, weights, index, all };
  } catch (error) {
    await Promise.allSettled(opening);
    for (const file of all) file.cancel();
    throw error;
  }
}

function isThere(file: OpenFile | undefined): boolean {
  return file !== undefined && !file.isPage;
}

/** The weights in one file, or in those that an index names. */
async function openWeights(absent: (name: string) => MobileBertError, optional: Opener, single: OpenFile | undefined) {
  const file = isThere(single) ? undefined : await optional(INDEX);
  if (single && !(file && isThere(file))) return { weights: [single], index: undefined };
  if (!file) throw absent(WEIGHTS);
  const index = new TextDecoder().decode(await join(file.chunks));
  const weights: OpenFile[] = [];
  for (const name of shardNames(index)) {
    const shard = await optional(name);
    if (!shard) throw absent(name);
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

/** The error of a file that a model needs and does not have; `status` is what the server answered. */
export function missing(place: Place, name: string, status?: number): MobileBertError {
  const detail = { file: name, ...(status !== undefined && { status }) };
  if (place.kind === "files") {
    const hint = "pick config.json, model.safetensors and tokenizer.json or vocab.txt together";
    return new MobileBertError("not-found", `${name}: not in the files that were picked; ${hint}`, detail);
  }
  const hints = ["is it a model's directory? An address ends in `/`, an id reads `owner/name`"];
  if (place.id !== undefined) {
    hints[0] = `"${place.id}" was read as a Hugging Face id; the address of a directory ends in \`/\``;
  }
  if (status === 401 || status === 403) {
    hints.push('access to it may need `headers: { authorization: "Bearer …" }`');
  }
  const answered = status === undefined ? "" : ` (the server answered ${status})`;
  return new MobileBertError("not-found", `${name}: not in ${place.base}${answered}; ${hints.join("; ")}`, detail);
}
