import { shown } from "./check.js";
import { invalidInput } from "./errors.js";
import { fileSystem, inNode, nodeUrl } from "./node.js";
import { pickedFiles } from "./picked-files.js";
import type { LoadOptions, ModelSource } from "./types.js";

/** Where a model's files lie, in a form that crosses into a worker. */
export type Place =
  | {
      kind: "directory";
      base: string;
      /** Addresses at which the same directory lies, `base` first; asked in order. */
      mirrors: readonly string[];
      headers: Record<string, string>;
      /** The Hub's id as it was given, where the model was named so. */
      id?: string;
      /** Past the browser's own cache, which may be what holds a damaged file. */
      anew?: boolean;
    }
  | { kind: "files"; files: Map<string, Blob> };

const HUB = "https://huggingface.co";
const HUB_ID = /^([\w-][\w.-]*\/[\w.-]+)(?:@([\w./-]+))?$/;

const NAMES = "a directory's address ending in `/`, a Hugging Face id `owner/name`, or a list or map of files";

/** Resolves what the caller gave; addresses are relative to the page, in Node to the working directory. */
export async function resolveSource(
  model: ModelSource,
  options: Pick<LoadOptions, "endpoint" | "revision" | "headers">,
): Promise<Place> {
  if (typeof model === "object" && model !== null && !(model instanceof URL)) {
    return { kind: "files", files: pickedFiles(model) };
  }
  if (typeof model !== "string" && !(model instanceof URL)) {
    throw invalidInput("model", `${shown(model)} names no model; give ${NAMES}`);
  }
  const text = String(model).trim();
  if (text === "") throw invalidInput("model", `empty; give ${NAMES}`);
  const headers = options.headers ?? {};
  const id = typeof model === "string" ? HUB_ID.exec(text) : null;
  if (id?.[1] && !(await isDirectory(text))) {
    const revision = encodeURIComponent(id[2] ?? options.revision ?? "main");
    const addresses = endpoints(options).map((endpoint) =>
      directory("endpoint", `${endpoint}/${id[1]}/resolve/${revision}/`),
    );
    const mirrors = (await Promise.all(addresses)).map(({ href }) => href);
    return { kind: "directory", base: mirrors[0] ?? "", mirrors, headers, id: text };
  }
  const base = await directory("model", text);
  if (!base.pathname.endsWith("/")) base.pathname += "/";
  return { kind: "directory", base: base.href, mirrors: [base.href], headers };
}

function endpoints({ endpoint = HUB }: Pick<LoadOptions, "endpoint">): string[] {
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

/** An address below which files can lie. */
async function directory(field: string, address: string): Promise<URL> {
  let url: URL;
  try {
    url = await resolveAddress(address);
  } catch {
    throw invalidInput(field, `"${address}" is no address`);
  }
  // `data:`, `blob:`, `javascript:` and their like: what they name has nothing beside it.
  if (!url.pathname.startsWith("/")) {
    throw invalidInput(field, `${shown(address)}: no files can lie below a \`${url.protocol}\` address; give ${NAMES}`);
  }
  return url;
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
