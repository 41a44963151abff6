import { models as wanted } from "../parameters.js";
import { isStored, remembered } from "../remembered.js";
import { cardUrl, hubId } from "./published.js";

/**
 * @typedef {"answers" | "sentiment"} Use What a model is used for on this page.
 * @typedef {{ name: string, task: string, architecture: string, bytes: number }} ModelEntry
 * @typedef {{ label: string, source: import("../../pkg/dist/index.js").ModelSource }} Choice
 * @typedef {Choice & { use: Use, bytes: number }} BundledModel A model on this site, and what the page uses it for.
 * @typedef {{ answers?: Choice, sentiment?: Choice, usual: Partial<Record<Use, Choice>>, gone?: Choice,
 *   bundled: BundledModel[] }} ChosenModels `usual` are always those on this site; `gone` is a remembered model that would
 *   have to be downloaded again.
 */

/**
 * Fetches the list of models on this site; empty if there is none.
 * @returns {Promise<ModelEntry[]>}
 */
export async function bundledModels() {
  try {
    const response = await fetch("models/models.json", { cache: "no-cache" });
    const list = response.ok ? await response.json() : [];
    return Array.isArray(list) ? list : [];
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

/** The page's use of a model, by its task. @type {Record<string, Use | undefined>} */
const USES = { "question-answering": "answers", "text-classification": "sentiment" };

/**
 * Chooses the model for each use: those in the page's URL first, then those that the user chose on an earlier visit, then
 * those on this site.
 * @returns {Promise<ChosenModels>}
 */
export async function chooseModels() {
  const entries = await bundledModels();
  const all = entries.map(({ name, task, bytes }) => ({
    label: name,
    bytes,
    source: `models/${encodeURIComponent(name)}/`,
    use: USES[task],
  }));
  const bundled = all.flatMap((model) => (model.use ? [{ ...model, use: model.use }] : []));
  /** @type {{ answers?: Choice, sentiment?: Choice }} */
  const chosen = {};
  for (const model of bundled) chosen[model.use] ??= model;
  const usual = { ...chosen };
  /** @type {Choice | undefined} */
  let gone;
  for (const [use, choice] of Object.entries(wanted.length === 0 ? remembered() : {})) {
    if (await isStored(choice.source)) chosen[/** @type {Use} */ (use)] = choice;
    else gone = choice;
  }
  const names = entries.map(({ name }) => name);
  for (const name of wanted) {
    // A model for a different task is loaded for answers, and its error says what it does.
    const named = all.find(({ label }) => label === findBundled(names, name));
    chosen[named?.use ?? "answers"] = named ?? { label: labelOf(name), source: name };
  }
  return { ...chosen, usual, ...(gone && { gone }), bundled };
}

/** Names a model by its source: a URL without what may be secret, because answers are shared with it. @param {string} source */
export function labelOf(source) {
  return source.replace(/[?#].*/s, "").replace(/(^|:)[/\\]+[^/\\]*@/, "$1//");
}

/** Returns the URL of a model's card, if known. @param {Choice} choice */
export function cardOf({ source }) {
  if (typeof source !== "string") return undefined;
  if (/^models\/[^/]+\/$/.test(source)) return `${source}README.md`;
  const hub = hubId(source);
  return hub && cardUrl(hub.id);
}
