import { models as wanted } from "./parameters.js";

/**
 * @typedef {{ name: string, task: string, architecture: string, bytes: number }} ModelEntry
 * @typedef {{ label: string, source: import("../pkg/dist/index.js").ModelSource }} Choice
 * @typedef {Choice & { use: import("./main.js").Use }} Beside A model beside the page, and what the page has it for.
 */

/**
 * The models that lie beside this page; none where there is no index.
 * @returns {Promise<ModelEntry[]>}
 */
export async function modelsBeside() {
  try {
    const response = await fetch("models/models.json", { cache: "no-cache" });
    return response.ok ? await response.json() : [];
  } catch {
    return [];
  }
}

/**
 * The one of these names that an address means: people write it with the folder that it lies in, too.
 * @param {string[]} names
 * @param {string} given
 */
export function besideNamed(names, given) {
  return names.find((name) => [name, `models/${name}`, `models/${name}/`].includes(given));
}

/** What the page has a model for, by its task. @type {Record<string, import("./main.js").Use | undefined>} */
const USES = { "question-answering": "answers", "text-classification": "sentiment" };

/**
 * Which model does which task: those of the address first, then those beside the page. `usual` is the one beside the
 * page that answers, whatever the address says.
 * @returns {Promise<{ answers?: Choice, sentiment?: Choice, usual?: Choice, beside: Beside[] }>}
 */
export async function chooseModels() {
  const entries = await modelsBeside();
  const all = entries.map(({ name, task }) => ({
    label: name,
    source: `models/${encodeURIComponent(name)}/`,
    use: USES[task],
  }));
  const beside = all.flatMap((model) => (model.use ? [{ ...model, use: model.use }] : []));
  /** @type {{ answers?: Choice, sentiment?: Choice }} */
  const chosen = {};
  for (const model of beside) chosen[model.use] ??= model;
  const usual = chosen.answers;
  const names = entries.map(({ name }) => name);
  for (const name of wanted) {
    // One that does something else is asked to answer, and says what it does.
    const named = all.find(({ label }) => label === besideNamed(names, name));
    chosen[named?.use ?? "answers"] = named ?? { label: name, source: name };
  }
  return { ...chosen, usual, beside };
}

/** Where a model's card is read, if that is known. @param {Choice} choice */
export function cardOf({ source }) {
  if (typeof source !== "string") return undefined;
  if (/^models\/[^/]+\/$/.test(source)) return `${source}README.md`;
  return /^[\w-][\w.-]*\/[\w.-]+$/.test(source) ? `https://huggingface.co/${source}` : undefined;
}
