import { models as wanted } from "./parameters.js";

/**
 * @typedef {{ name: string, task: string, architecture: string, bytes: number }} ModelEntry
 * @typedef {{ label: string, source: import("../pkg/dist/index.js").ModelSource }} Choice
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
 * Which model does which task: those of the address first, then those beside the page. `usual` is the one beside the
 * page that answers, whatever the address says.
 * @returns {Promise<{ answers: Choice | undefined, sentiment: Choice | undefined, usual: Choice | undefined }>}
 */
export async function chooseModels() {
  const entries = await modelsBeside();
  /** @param {ModelEntry} entry */
  const choice = ({ name }) => ({ label: name, source: `models/${encodeURIComponent(name)}/` });
  /** @param {string} task */
  const beside = (task) => entries.filter((entry) => entry.task === task).map(choice);
  const usual = beside("question-answering")[0];
  let answers = usual;
  let sentiment = beside("text-classification")[0];
  for (const name of wanted) {
    const entry = entries.find((candidate) => candidate.name === name);
    const named = entry ? choice(entry) : { label: name, source: name };
    if (entry?.task === "text-classification") sentiment = named;
    else answers = named;
  }
  return { answers, sentiment, usual };
}

/** Where a model's card is read, if that is known. @param {Choice} choice */
export function cardOf({ source }) {
  if (typeof source !== "string") return undefined;
  if (/^models\/[^/]+\/$/.test(source)) return `${source}README.md`;
  return /^[\w-][\w.-]*\/[\w.-]+$/.test(source) ? `https://huggingface.co/${source}` : undefined;
}
