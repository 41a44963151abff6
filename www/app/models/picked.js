/** The models that the user picks: they are remembered once they are loaded, and forgotten if that fails on a later visit. */
import { showModels } from "../footer.js";
import { models as named } from "../parameters.js";
import { remember } from "../remembered.js";
import { panel } from "./choose.js";
import { isOfPage } from "./failures.js";
import { setRemark } from "./loading.js";

/**
 * @typedef {import("./models.js").Use} Use
 * @typedef {import("./models.js").Choice} Choice
 * @typedef {{ first?: Choice | undefined, usual?: Choice | undefined }} Start The model that the page begins with, which
 *   may be remembered, and the one on this site.
 */

/** The models picked during this visit. @type {Set<Choice>} */
const picked = new Set();

/** @param {Choice} choice */
export function pick(choice) {
  picked.add(choice);
  setRemark("");
}

/** @param {Choice} choice */
export function isPicked(choice) {
  return picked.has(choice);
}

/** Shows that a model is in use. @param {Use} use @param {Choice} choice @param {Start} start @param {string} [what] */
export function markInUse(use, choice, { usual }, what) {
  showModels(use, choice, what);
  panel.mark();
  if (picked.has(choice)) remember(use, choice.source === usual?.source ? undefined : choice);
}

/**
 * Forgets a model that was remembered from an earlier visit and can't be loaded. Returns whether it was one, and the usual
 * one takes its place.
 * @param {Use} use
 * @param {Choice} choice
 * @param {Start} start
 * @param {unknown} error
 */
export function isForgotten(use, choice, { first, usual }, error) {
  if (isOfPage(error) || named.length > 0) return false;
  if (choice !== first || !usual || usual.source === choice.source) return false;
  remember(use, undefined);
  setRemark(`Ready. ${choice.label} could not be loaded, so ${usual.label} is used instead.`);
  return true;
}
