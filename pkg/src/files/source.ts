import { invalidInput } from "../errors.js";
import { fileSystem, inNode, nodeUrl } from "../node.js";
import { isA, shown } from "../options.js";
import type { LoadOptions, ModelFiles, ModelSource, PickedFile } from "../types.js";

/** The location of a model's files; can be sent to a worker. */
export type Place =
  | {
      kind: "directory";
      base: string;
      /** URLs of the same directory, `base` first, tried in order. */
      mirrors: readonly string[];
      headers: Record<string, string>;
      /** The Hugging Face id, if the model was given by id. */
      id?: string;
      /** The repository and revision, if the model was given by id. */
      hub?: { name: string; revision: string };
      /** Bypass the browser's HTTP cache, which may contain a damaged file. */
      bypassHttpCache?: boolean;
    }
  | { kind: "files"; files: Map<string, Blob> };

const HUB = "https://huggingface.co";
const HUB_ID = /^([\w-][\w.-]*\/[\w.-]+)(?:@([\w./-]+))?$/;

const ALLOWED = "a directory URL ending in `/`, a Hugging Face id `owner/name`, or a list or map of files";

/** Resolves a model source. URLs are relative to the page, or in Node to the working directory. */
export async function resolveSource(
  model: ModelSource,
  options: Pick<LoadOptions, "endpoint" | "revision" | "headers">,
): Promise<Place> {
  const isUrl = isA(model, "URL");
  if (typeof model === "object" && model !== null && !isUrl) {
    return { kind: "files", files: pickedFiles(model as ModelFiles) };
  }
  if (typeof model !== "string" && !isUrl) {
    throw invalidInput("model", `${shown(model)} is not a model source; pass ${ALLOWED}`);
  }
  const text = String(model).trim();
  if (text === "") throw invalidInput("model", `empty; pass ${ALLOWED}`);
  const headers = options.headers ?? {};
  const id = typeof model === "string" ? HUB_ID.exec(text) : null;
  if (id?.[1] && !(await isDirectory(text))) {
    const { revision = id[2] ?? "main" } = options;
    if (id[2] !== undefined && revision !== id[2]) {
      throw invalidInput("revision", `${shown(revision)}, but "${text}" names another one; pass one of the two`);
    }
    const hub = { name: id[1], revision };
    const path = `${hub.name}/resolve/${encodeURIComponent(hub.revision)}/`;
    const urls = endpoints(options).map((endpoint) => directoryUrl("endpoint", `${endpoint}/${path}`));
    const mirrors = (await Promise.all(urls)).map(({ href }) => href);
    return { kind: "directory", base: mirrors[0] ?? "", mirrors, headers, id: text, hub };
  }
  const base = await directoryUrl("model", text);
  if (!base.pathname.endsWith("/")) base.pathname += "/";
  return { kind: "directory", base: base.href, mirrors: [base.href], headers };
}

function endpoints({ endpoint = HUB }: Pick<LoadOptions, "endpoint">): string[] {
  const list = typeof endpoint === "string" ? [endpoint] : endpoint;
  return list.map((given) => {
    const url = given.trim();
    // Node would take it for a path, and a page for a relative URL.
    if (!/^https?:\/\//i.test(url) && (inNode() || !url.startsWith("/"))) {
      throw invalidInput("endpoint", `${shown(url)} doesn't begin with https:// or http://`);
    }
    return url.replace(/\/+$/, "");
  });
}

/** Returns the URL of a model file; keeps the directory URL's query, which signed URLs need. */
export function fileUrl(base: string, name: string): string {
  const directory = new URL(base);
  const url = new URL(name.split("/").map(encodeURIComponent).join("/"), base);
  url.search = directory.search;
  return url.href;
}

/** Makes a URL absolute; in Node, anything without a scheme is a path (a drive letter isn't a scheme). */
export async function resolveUrl(url: string): Promise<URL> {
  if (inNode() && !/^[a-z][\w+.-]+:/i.test(url)) return (await nodeUrl()).pathToFileURL(url);
  return new URL(url, pageUrl());
}

/** Resolves the URL of a directory. */
async function directoryUrl(field: string, given: string): Promise<URL> {
  let url: URL;
  try {
    url = await resolveUrl(given);
  } catch {
    throw invalidInput(field, `"${given}" is not a valid URL`);
  }
  // Nothing sends them, and the error of the request would show them.
  if (url.username || url.password) {
    throw invalidInput(field, "contains a user name or password; pass `headers: { authorization }` instead");
  }
  // `data:`, `blob:`, `javascript:` and the like don't refer to directories.
  if (!url.pathname.startsWith("/")) {
    throw invalidInput(field, `${shown(given)}: a \`${url.protocol}\` URL can't be a directory; pass ${ALLOWED}`);
  }
  return url;
}

/** In Node, an existing folder takes precedence over a Hugging Face id, as in `transformers`. */
async function isDirectory(path: string): Promise<boolean> {
  if (!inNode()) return false;
  const found = await (await fileSystem()).stat(path).catch(() => undefined);
  return found?.isDirectory() ?? false;
}

function pageUrl(): string | undefined {
  if (typeof document !== "undefined") return document.baseURI;
  return typeof location === "undefined" ? undefined : location.href;
}

const CONFIG = "config.json";
const SELECT = "select config.json, model.safetensors or pytorch_model.bin, and tokenizer.json or vocab.txt";

/**
 * Returns the model's files among those selected, by name. If a folder was selected, names include its path; the model
 * is the directory that contains the topmost `config.json`.
 */
function pickedFiles(given: ModelFiles): Map<string, Blob> {
  const files = new Map<string, Blob>();
  for (const [path, blob] of entries(given)) {
    if (typeof path !== "string") throw invalidInput("model", `${shown(path)} is not the name of a file; ${SELECT}`);
    if (!isBlob(blob)) throw invalidInput("model", `"${path}" is not a File or Blob; ${SELECT}`);
    files.set(path, blob);
  }
  const folder = modelFolder([...files.keys()]);
  if (folder === "") return files;
  const inside = [...files].filter(([path]) => path.startsWith(folder));
  return new Map(inside.map(([path, blob]) => [path.slice(folder.length), blob]));
}

function entries(given: ModelFiles): Iterable<readonly [string, Blob]> {
  if (isA(given, "Map")) return given as ReadonlyMap<string, Blob>;
  const isList = Symbol.iterator in given || typeof given.length === "number";
  if (!isList) return Object.entries(given as Readonly<Record<string, Blob>>);
  return Array.from(given as ArrayLike<PickedFile>, (file) => {
    if (!isBlob(file) || typeof file.name !== "string") {
      throw invalidInput("model", `the list contains ${shown(file)}, which is not a File; ${SELECT}`);
    }
    return [file.webkitRelativePath || file.name, file] as const;
  });
}

function isBlob(value: unknown): boolean {
  return isA(value, "Blob", "File");
}

/** The path of the topmost `config.json`'s folder, including the `/`; empty if there is none. */
function modelFolder(paths: readonly string[]): string {
  const depth = (folder: string) => folder.split("/").length;
  const folders = paths
    .filter((path) => path === CONFIG || path.endsWith(`/${CONFIG}`))
    .map((path) => path.slice(0, -CONFIG.length))
    .sort((a, b) => depth(a) - depth(b));
  const [first = "", second] = folders;
  if (second !== undefined && depth(first) === depth(second)) {
    throw invalidInput("model", `several models were selected (${first}, ${second}); select the folder of one`);
  }
  return first;
}
