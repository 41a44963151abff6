/** The paper's four sets of operators: how much norm and activation cost here, and on the paper's phone. */
import { byId, make, rowHeader } from "../app/elements.js";
import { milliseconds } from "./statistics.js";

/** @typedef {import("./result.js").ModelResult} ModelResult */

/** Networks that differ only in their operators, the cheapest first. @type {Record<string, string>} */
export const OPERATORS = {
  mobilebert: "NoNorm, relu",
  "no-norm-gelu": "NoNorm, gelu",
  "layer-norm-relu": "LayerNorm, relu",
  "without-opt": "LayerNorm, gelu",
};

/** Tokens of the paper's measurement. */
export const PAPER_SEQUENCE = 128;

/** Shows the table if the cheapest set and another one were measured. @param {ModelResult[]} models */
export function showOperators(models) {
  const measured = Object.entries(OPERATORS).flatMap(([name, operators]) => {
    const row = models.find((model) => model.name === name)?.warm.find(({ sequence }) => sequence === PAPER_SEQUENCE);
    return row && row.paper_ms !== null ? [{ name, operators, here: row.median_ms, paper: row.paper_ms }] : [];
  });
  const [base, ...others] = measured;
  const slowest = others.at(-1);
  const shown = base?.name === "mobilebert" && base.here > 0 && slowest !== undefined;
  byId("operators-part", HTMLElement).hidden = !shown;
  if (!shown) return;
  const times = (/** @type {number} */ value, /** @type {number} */ of) => `${(value / of).toFixed(1)}×`;
  const rows = measured.map(({ operators, here, paper }) => {
    const cells = [milliseconds(here), times(here, base.here), milliseconds(paper), times(paper, base.paper)];
    return make("tr", {}, [rowHeader(operators), ...cells.map((text) => make("td", { text }))]);
  });
  byId("operators", HTMLTableElement).tBodies[0]?.replaceChildren(...rows);
  const inWords = (/** @type {string} */ set) => set.replace(", ", " and ");
  byId("operators-text", HTMLElement).textContent =
    `Here, ${inWords(slowest.operators)} take ${times(slowest.here, base.here).replace("×", " times")} as long as ${inWords(base.operators)}; on the paper's Pixel 4, ${times(slowest.paper, base.paper).replace("×", " times")}.`;
}
