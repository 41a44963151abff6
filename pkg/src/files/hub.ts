import { MobileBertError, toError } from "../errors.js";
import { request } from "./fetch.js";
import { haveWeights, WEIGHTS } from "./model-files.js";
import type { Place } from "./source.js";
import { textOf } from "./streams.js";
import { chunksWithTimeout, timeouts } from "./timeouts.js";
import type { Manifest } from "./verify.js";

/** A repository on the Hub: where its files are, and which it has. */
export interface Repository {
  /** The commit, and the files with their sizes and, if they are in LFS, hashes. */
  manifest: Manifest;
  /** The models that it was made from, by id. */
  baseModels: string[];
}

/** The Hub's description of a repository. */
interface ApiAnswer {
  sha?: unknown;
  siblings?: { rfilename: string; size?: number; lfs?: { sha256?: string; size?: number } | null }[];
  cardData?: { base_model?: unknown } | null;
}

type HubPlace = Extract<Place, { kind: "directory" }>;

/** A place with its repository, if it is on the Hub; with `followBaseModel`, the original of one with ONNX files only. */
export async function locateRepository(place: Place, followBaseModel: boolean, signal: AbortSignal) {
  const repository = await listRepository(place, signal);
  if (!repository) return { place, repository };
  try {
    checkWeights(place, repository);
    return { place, repository };
  } catch (error) {
    const [original, another] = repository.baseModels;
    const follows = followBaseModel && original !== undefined && another === undefined;
    if (!follows || place.kind === "files") throw error;
    const there = withRepository(place, original);
    const found = await listRepository(there, signal);
    if (found) checkWeights(there, found);
    return { place: there, repository: found };
  }
}

/**
 * Asks the Hub's API which files a repository has, so that no missing file is requested. Returns `undefined` for other
 * places, and for hosts without this API, such as plain mirrors: files are then requested one by one.
 */
async function listRepository(place: Place, signal: AbortSignal): Promise<Repository | undefined> {
  if (place.kind === "files" || !place.hub) return undefined;
  const { name, revision } = place.hub;
  const url = `${endpointOf(place, place.base)}/api/models/${name}/revision/${encodeURIComponent(revision)}?blobs=true`;
  try {
    const { mirror } = timeouts;
    const { ok, body } = await request("(list of files)", url, { headers: place.headers }, signal, mirror);
    return ok && body ? parse(JSON.parse(await textOf(chunksWithTimeout(body, signal, mirror)))) : undefined;
  } catch (error) {
    if (signal.aborted || toError(error).code === "aborted") throw error;
    // The files themselves decide.
    return undefined;
  }
}

function parse({ sha, siblings, cardData }: ApiAnswer): Repository | undefined {
  if (!Array.isArray(siblings) || typeof sha !== "string") return undefined;
  const files: Manifest["files"] = new Map();
  for (const { rfilename, size, lfs } of siblings) {
    const bytes = lfs?.size ?? size;
    files.set(rfilename, { ...(bytes !== undefined && { bytes }), ...(lfs?.sha256 && { sha256: lfs.sha256 }) });
  }
  const bases = [cardData?.base_model ?? []].flat();
  return {
    manifest: { source: "the Hub", text: sha, files },
    baseModels: bases.filter((id): id is string => typeof id === "string"),
  };
}

/** Fails if a repository has no weights that can be read; says which model to load instead. */
function checkWeights(place: Place, { manifest, baseModels }: Repository): void {
  const names = [...manifest.files.keys()];
  if (haveWeights(names)) return;
  const id = place.kind === "directory" ? place.hub?.name : undefined;
  const detail = { file: WEIGHTS, ...(baseModels.length > 0 && { baseModels }) };
  if (names.some((name) => name.endsWith(".onnx"))) {
    const original = baseModels.map((name) => `"${name}"`).join(" and ");
    const advice = original
      ? `it was made from ${original}: load that, or pass \`followBaseModel: true\``
      : "load the model that it was made from, which its model card may name";
    throw new MobileBertError("unsupported", `"${id}" has only ONNX files, which aren't read; ${advice}`, detail);
  }
  const others = names.filter((name) => /\.(h5|msgpack|ot|gguf|pt|pth|ckpt|tflite)$/.test(name)).slice(0, 3);
  const found = others.length > 0 ? ` (but ${others.join(", ")})` : "";
  const problem = `"${id}" has no weights in a format that is read${found}`;
  throw new MobileBertError("not-found", `${problem}: ${WEIGHTS} or pytorch_model.bin, or their shards`, detail);
}

/** The same mirrors' directories of another repository. */
function withRepository(place: HubPlace, name: string): HubPlace {
  const move = (base: string) => `${endpointOf(place, base)}/${name}/resolve/main/`;
  const mirrors = place.mirrors.map(move);
  return { ...place, base: move(place.base), mirrors, id: name, hub: { name, revision: "main" } };
}

function endpointOf({ hub }: HubPlace, base: string): string {
  const path = `/${hub?.name}/resolve/${encodeURIComponent(hub?.revision ?? "")}/`;
  return base.slice(0, -path.length);
}
