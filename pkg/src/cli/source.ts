import { invalidInput } from "../errors.js";
import { chooseMirror, openFile } from "../files/fetch.js";
import { locateRepository } from "../files/hub.js";
import { missing, type Opener, openWeights, SMALL_FILES, WEIGHTS } from "../files/model-files.js";
import { type Place, resolveSource } from "../files/source.js";
import { textOf } from "../files/streams.js";
import { MANIFEST, type Manifest, parseManifest, verified } from "../files/verify.js";
import { LOAD } from "../options.js";
import type { LoadOptions } from "../types.js";

/** A model and where to look for it. */
export interface CliSource extends Pick<LoadOptions, "endpoint" | "revision"> {
  model: string;
  /** The user's token for the Hub. */
  token?: string;
  followBaseModel: boolean;
}

/** A file to read, verified against its hash if one is known. */
export interface InputFile {
  name: string;
  bytes: number | undefined;
  chunks: AsyncIterable<Uint8Array>;
}

/** The files of a model, all opened. */
export interface Inputs {
  config: InputFile;
  /** The license and the files that tokenizer and tasks read, those that exist. */
  small: InputFile[];
  weights: InputFile[];
  /** The index of sharded weights. */
  index: { name: string; text: string } | undefined;
  /** The format of the weights, if the model's own `files.json` names it. */
  dtype: string | undefined;
}

/** The last part of an id without its revision, of a path, or of the path of a URL. */
export async function nameOf(source: CliSource): Promise<string> {
  const place = await resolveSource(source.model, source);
  const path = place.kind === "files" ? "" : (place.hub?.name ?? decoded(new URL(place.base).pathname));
  const parts = path.split(/[/\\]/).filter((part) => !/^\.*$/.test(part));
  return parts.at(-1) ?? "model";
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** Adds a token to the requests for an id. A directory's URL may be anyone's host. */
function withToken(place: Place, token: string | undefined): Place {
  if (token === undefined || place.kind === "files" || !place.hub) return place;
  const headers = { authorization: `Bearer ${token}` };
  const problem = LOAD.headers(headers);
  if (problem) throw invalidInput("HF_TOKEN", problem);
  return { ...place, headers };
}

/** Opens a model's files. */
export async function openInputs(source: CliSource): Promise<Inputs> {
  const { signal } = new AbortController();
  const found = await chooseMirror(withToken(await resolveSource(source.model, source), source.token), signal);
  const { place, repository } = await locateRepository(found, source.followBaseModel, signal);
  const hasList = repository?.manifest.files.has(MANIFEST) ?? true;
  const listed = hasList ? await openFile(place, MANIFEST, signal) : undefined;
  const list = listed && (await textOf(listed.chunks));
  const manifest: Manifest | undefined = repository?.manifest ?? (list === undefined ? undefined : parseManifest(list));
  const statuses = new Map<string, number>();
  const open: Opener = async (name) => {
    if (manifest && !manifest.files.has(name)) return undefined;
    const file = await openFile(place, name, signal, undefined, (status) => statuses.set(name, status));
    return file?.isPage ? undefined : file && { ...file, chunks: verified(manifest, name, file.chunks) };
  };
  const config = await open("config.json");
  if (!config) throw missing(place, "config.json", statuses.get("config.json"));
  const small: InputFile[] = [];
  for (const name of ["LICENSE", ...SMALL_FILES]) {
    const file = await open(name);
    if (file) small.push(file);
  }
  const fail = (name: string) => missing(place, name, statuses.get(name));
  const { weights, index, indexName } = await openWeights(fail, open, await open(WEIGHTS));
  const named = index === undefined ? undefined : { name: indexName, text: index };
  return { config, small, weights, index: named, dtype: dtypeOf(list) };
}

/** The `dtype` in a `files.json`. In a repository, another program may have written it. */
function dtypeOf(list = ""): string | undefined {
  try {
    const { dtype } = Object(JSON.parse(list)) as { dtype?: unknown };
    return typeof dtype === "string" ? dtype : undefined;
  } catch {
    return undefined;
  }
}
