import { models as wanted } from "./parameters.js";

/**
 * @typedef {{ name: string, task: string, architecture: string, bytes: number }} ModelEntry
 * @typedef {{ label: string, source: string }} Choice
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
 * Which model does which task: those of the address first, then those beside the page.
 * @returns {Promise<{ answers: Choice | undefined, sentiment: Choice | undefined }>}
 */
export async function chooseModels() {
  const entries = await modelsBeside();
  /** @param {ModelEntry} entry */
  const choice = ({ name }) => ({ label: name, source: `models/${encodeURIComponent(name)}/` });
  /** @param {string} task */
  const beside = (task) => entries.filter((entry) => entry.task === task).map(choice);
  let answers = beside("question-answering")[0];
  let sentiment = beside("text-classification")[0];
  for (const name of wanted) {
    const entry = entries.find((candidate) => candidate.name === name);
    const named = entry ? choice(entry) : { label: name, source: name };
    if (entry?.task === "text-classification") sentiment = named;
    else answers = named;
  }
  return { answers, sentiment };
}
