/** Lists the models in use in the footer, with links to their model cards. */
import { byId, make } from "./elements.js";
import { cardOf } from "./models.js";

/**
 * @typedef {import("./main.js").Use} Use
 * @typedef {import("./models.js").Choice} Choice
 */

const names = byId("model-names", HTMLElement);
/** @type {Map<Use, Choice>} */
const inUse = new Map();

/** @param {Use} use @param {Choice | undefined} choice */
export function showModels(use, choice) {
  inUse.delete(use);
  if (choice) inUse.set(use, choice);
  const parts = [...inUse].map(([what, one]) => make("span", {}, [nameOf(one), ` for ${what}`]));
  names.replaceChildren(...parts.flatMap((one, index) => [index === 0 ? "Models: " : ", ", one]));
}

/** The model in use. @param {Use} use */
export function modelFor(use) {
  return inUse.get(use);
}

/** @param {Choice} choice */
function nameOf(choice) {
  const card = cardOf(choice);
  if (!card) return choice.label;
  const link = document.createElement("a");
  link.href = card;
  link.textContent = choice.label;
  link.title = "Model card";
  return link;
}
