import { shown } from "./check.js";
import { invalidInput } from "./errors.js";
import type { ModelFiles, PickedFile } from "./types.js";

const CONFIG = "config.json";
const PICK = "pick config.json, model.safetensors and tokenizer.json or vocab.txt";

/**
 * The files of the model among those that a person picked, by their names in its directory. Where a folder was picked,
 * names carry its path; the model is what lies beside the uppermost `config.json`.
 */
export function pickedFiles(given: ModelFiles): Map<string, Blob> {
  const files = new Map<string, Blob>();
  for (const [path, blob] of entries(given)) {
    if (!(blob instanceof Blob)) throw invalidInput("model", `"${path}" is no File or Blob; ${PICK}`);
    files.set(path, blob);
  }
  const folder = modelFolder([...files.keys()]);
  if (folder === "") return files;
  const inside = [...files].filter(([path]) => path.startsWith(folder));
  return new Map(inside.map(([path, blob]) => [path.slice(folder.length), blob]));
}

function entries(given: ModelFiles): Iterable<readonly [string, Blob]> {
  if (given instanceof Map) return given;
  if (!(Symbol.iterator in given)) return Object.entries(given as Readonly<Record<string, Blob>>);
  return Array.from(given as Iterable<PickedFile>, (file) => {
    if (!(file instanceof Blob) || typeof file.name !== "string") {
      throw invalidInput("model", `the list holds ${shown(file)}, which is no File; ${PICK}`);
    }
    return [file.webkitRelativePath || file.name, file] as const;
  });
}

/** The path, with its `/`, before the uppermost `config.json`; empty where there is none. */
function modelFolder(paths: readonly string[]): string {
  const depth = (folder: string) => folder.split("/").length;
  const folders = paths
    .filter((path) => path === CONFIG || path.endsWith(`/${CONFIG}`))
    .map((path) => path.slice(0, -CONFIG.length))
    .sort((a, b) => depth(a) - depth(b));
  const [first = "", second] = folders;
  if (second !== undefined && depth(first) === depth(second)) {
    throw invalidInput("model", `several models were picked (${first}, ${second}); pick the folder of one`);
  }
  return first;
}
