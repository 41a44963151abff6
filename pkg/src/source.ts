import { invalidInput } from "./errors.js";
import { fileSystem, inNode, nodeUrl } from "./node.js";
import type { LoadOptions, ModelFiles, ModelSource } from "./types.js";

/** Where a model's files lie, in a form that crosses into a worker. */
export type Place =
  | {
      kind: "directory";
      base: string;
      /** Addresses at which the same directory lies, `base` first; asked in order. */
      mirrors: readonly string[];
      headers: Record<string, string>;
      /** Past the browser's own cache, which may be what holds a damaged file. */
      anew?: boolean;
    }
  | { kind: "files"; files: Map<string, Blob> };

const HUB = "https://huggingface.co";
const HUB_ID = /^([\w-][\w.-]*\/[\w.-]+)(?:@([\w./-]+))?$/;

/** Resolves what the caller gave; addresses are relative to the page, in Node to the working directory. */
export async function resolveSource(model: ModelSource, options: LoadOptions): Promise<Place> {
  if (typeof model !== "string" && !(model instanceof URL)) return { kind: "files", files: fileMap(model) };
  const text = String(model).trim();
  if (text === "")
    throw invalidInput("model", "empty; give a directory's address ending in `/`, or an id `owner/name`");
  const headers = options.headers ?? {};
  const id = typeof model === "string" ? HUB_ID.exec(text) : null;
  if (id?.[1] && !(await isDirectory(text))) {
    const revision = encodeURIComponent(id[2] ?? options.revision ?? "main");
    const addresses = endpoints(options).map((endpoint) => modelAddress(`${endpoint}/${id[1]}/resolve/${revision}/`));
    const mirrors = (await Promise.all(addresses)).map(({ href }) => href);
    return { kind: "directory", base: mirrors[0] ?? "", mirrors, headers };
  }
  const base = await modelAddress(text);
  if (!base.pathname.endsWith("/")) base.pathname += "/";
  return { kind: "directory", base: base.href, mirrors: [base.href], headers };
}

function endpoints({ endpoint = HUB }: LoadOptions): string[] {
  const list = typeof endpoint === "string" ? [endpoint] : endpoint;
  if (list.length === 0) throw invalidInput("endpoint", "an empty list; name a host, or leave it out");
  return list.map((address) => address.replace(/\/+$/, ""));
}

/** The address of a file of a model; keeps a query that the directory's address carries, as signed addresses do. */
export function fileUrl(base: string, name: string): string {
  const directory = new URL(base);
  const url = new URL(name.split("/").map(encodeURIComponent).join("/"), base);
  url.search = directory.search;
  return url.href;
}

/** An address as a whole one; in Node, what has no scheme (nor is a drive's letter one) is a path. */
export async function resolveAddress(address: string): Promise<URL> {
  if (inNode() && !/^[a-z][\w+.-]+:/i.test(address)) return (await nodeUrl()).pathToFileURL(address);
  return new URL(address, pageAddress());
}

async function modelAddress(address: string): Promise<URL> {
  try {
    return await resolveAddress(address);
  } catch {
    throw invalidInput("model", `"${address}" is no address`);
  }
}

/** In Node a folder of this name is meant before the Hub is, as in `transformers`. */
async function isDirectory(path: string): Promise<boolean> {
  if (!inNode()) return false;
  const found = await (await fileSystem()).stat(path).catch(() => undefined);
  return found?.isDirectory() ?? false;
}

function pageAddress(): string | undefined {
  if (typeof document !== "undefined") return document.baseURI;
  return typeof location === "undefined" ? undefined : location.href;
}

function fileMap(files: ModelFiles): Map<string, Blob> {
  const entries: Iterable<readonly [string, Blob]> =
    files instanceof Map
      ? files
      : Array.isArray(files)
        ? (files as readonly File[]).map((file) => [file.name, file] as const)
        : Object.entries(files as Readonly<Record<string, Blob>>);
  const map = new Map<string, Blob>();
  for (const [name, blob] of entries) {
    if (!(blob instanceof Blob)) throw invalidInput("model", `"${name}" is no File or Blob`);
    map.set(name, blob);
  }
  return map;
}
