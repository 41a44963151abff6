import { models as wanted } from "./parameters.js";

/**
 * @typedef {{ name: string, task: string, architecture: string, bytes: number }} ModelEntry
 * @typedef {{ label: string, source: import("../pkg/dist/index.js").ModelSource }} Choice
 * @typedef {Choice & { use: import("./main.js").Use }} BundledModel A model on this site, and what the page uses it for.
 */

/**
 * Fetches the list of models on this site; empty if there is none.
 * @returns {Promise<ModelEntry[]>}
 */
export async function bundledModels() {
  try {
    const response = await fetch("models/models.json", { cache: "no-cache" });
    return response.ok ? await response.json() : [];
  } catch {
    return [];
  }
}

/**
 * Finds the model that a URL parameter refers to, by its name or by its directory.
 * @param {string[]} names
 * @param {string} given
 */
export function findBundled(names, given) {
  return names.find((name) => [name, `models/${name}`, `models/${name}/`].includes(given));
}

/** What the page uses a model for, by its task. @type {Record<string, import("./main.js").Use | undefined>} */
const USES = { "question-answering": "answers", "text-classification": "sentiment" };

/**
 * Chooses the model for each use: those in the page's URL first, then those on this site. `usual` is the
 * question-answering model on this site, whatever the URL says.
 * @returns {Promise<{ answers?: Choice, sentiment?: Choice, usual?: Choice, bundled: BundledModel[] }>}
 */
export async function chooseModels() {
  const entries = await bundledModels();
  const all = entries.map(({ name, task }) => ({
    label: name,
    source: `models/${encodeURIComponent(name)}/`,
    use: USES[task],
  }));
  const bundled = all.flatMap((model) => (model.use ? [{ ...model, use: model.use }] : []));
  /** @type {{ answers?: Choice, sentiment?: Choice }} */
  const chosen = {};
  for (const model of bundled) chosen[model.use] ??= model;
  const usual = chosen.answers;
  const names = entries.map(({ name }) => name);
  for (const name of wanted) {
    // A model for a different task is loaded for answers, and its error says what it does.
    const named = all.find(({ label }) => label === findBundled(names, name));
    chosen[named?.use ?? "answers"] = named ?? { label: name, source: name };
  }
  return { ...chosen, usual, bundled };
}

/** Returns the URL of a model's card, if known. @param {Choice} choice */
export function cardOf({ source }) {
  if (typeof source !== "string") return undefined;
  if (/^models\/[^/]+\/$/.test(source)) return `${source}README.md`;
  return /^[\w-][\w.-]*\/[\w.-]+$/.test(source) ? `https://huggingface.co/${source}` : undefined;
}
