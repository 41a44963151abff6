/** Lists the models in use in the footer, with links to their model cards. */
import { byId, make } from "./elements.js";
import { cardOf } from "./models/models.js";

/**
 * @typedef {import("./models/models.js").Use} Use
 * @typedef {import("./models/models.js").Choice} Choice
 */

const names = byId("model-names", HTMLElement);
/** @type {Map<Use, { choice: Choice, what: string }>} */
const inUse = new Map();

/** @param {Use} use @param {Choice | undefined} choice @param {string} [what] what it is used for, in words */
export function showModels(use, choice, what = use) {
  inUse.delete(use);
  if (choice) inUse.set(use, { choice, what });
  const parts = [...inUse.values()].map(({ choice, what }) => make("span", {}, [nameOf(choice), ` for ${what}`]));
  names.replaceChildren(...parts.flatMap((one, index) => [index === 0 ? "Models: " : ", ", one]));
}

/** The model in use. @param {Use} use */
export function modelFor(use) {
  return inUse.get(use)?.choice;
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
