/** The shades of a word in five distinct steps, and the legend that explains them. */
import { make } from "../elements.js";
import { percent } from "../format.js";

/** Least probability of each step. */
const PROBABILITIES = [0.01, 0.1, 0.3, 0.6, 0.9];
/** Least share of each step, relative to the word that is attended to the most: on long texts, all shares are small. */
const RELATIVE = [0.05, 0.2, 0.4, 0.6, 0.8];

/** The step of a probability, 0 to 5. @param {number} probability */
export function probabilityStep(probability) {
  return PROBABILITIES.filter((least) => probability >= least).length;
}

/** The step of a share of the attention, 0 to 5. @param {number} share @param {number} most the largest share of a word */
export function attentionStep(share, most) {
  return most > 0 ? RELATIVE.filter((least) => share >= least * most).length : 0;
}

/** A share of the attention. Unlike a probability it is exact, and on long texts often below one percent. @param {number} value */
export function share(value) {
  const shown = 100 * value;
  if (shown < 0.1) return "< 0.1 %";
  return `${shown < 10 ? shown.toFixed(1) : Math.round(shown)} %`;
}

/** The legend of start and end probabilities. */
export function probabilityLegend() {
  return [
    make("p", {}, [swatch({ start: 3 }), " The answer starts here: a line under the word."]),
    make("p", {}, [swatch({ end: 3 }), " It ends here: a line over the word."]),
    steps(PROBABILITIES.map((least, index) => [`from ${percent(least)}`, { start: index + 1 }])),
  ];
}

/** The legend of the attention of a word. @param {number} most the largest share of a word */
export function attentionLegend(most) {
  return [
    make("p", {}, [swatch({ given: 3 }), " Share of its attention. A number marks the five words with the most."]),
    steps(RELATIVE.map((least, index) => [`from ${share(least * most)}`, { given: index + 1 }])),
  ];
}

/** @param {[string, Paint][]} entries */
function steps(entries) {
  const items = entries.map(([text, paint]) => make("li", {}, [swatch(paint), ` ${text}`]));
  return make("ul", { className: "steps" }, items);
}

/** @typedef {{ start?: number, end?: number, given?: number }} Paint Steps from 0 to 5. */

/** @param {Paint} paint */
function swatch(paint) {
  const element = make("span", { className: "word swatch", text: "word" });
  element.setAttribute("aria-hidden", "true");
  applyPaint(element, paint);
  return element;
}

/** @param {HTMLElement} element @param {Paint} paint */
export function applyPaint(element, { start = 0, end = 0, given = 0 }) {
  const steps = { level: Math.max(start, end, given), under: Math.max(start, given), over: end };
  for (const [name, step] of Object.entries(steps)) element.style.setProperty(`--${name}`, String(step));
}
