/** Compares the shown result with one that the user pastes: its JSON, or a link to it. */
import { byId, make, rowHeader } from "../app/elements.js";
import { Unreadable } from "../share/readers.js";
import { configurationOf, titleWith } from "./configurations.js";
import { readResult } from "./result.js";
import { isShared, resultIn } from "./share.js";
import { milliseconds } from "./statistics.js";
import { placeOf } from "./verdict.js";

/** @typedef {import("./result.js").Result} Result */

const form = byId("compare-form", HTMLFormElement);
const field = byId("compare-with", HTMLTextAreaElement);
const text = byId("compare-text", HTMLElement);
const region = byId("compare-region", HTMLElement);
const table = byId("compare", HTMLTableElement);

/** @type {Result | undefined} */
let shown;

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (!shown) return;
  try {
    compare(shown, await read(field.value.trim()));
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    region.hidden = true;
    text.textContent = `${error.message}.`;
  }
});

/** Offers to compare a result. @param {Result | undefined} result */
export function offerComparison(result) {
  shown = result;
  byId("compare-part", HTMLElement).hidden = (result?.models.length ?? 0) === 0;
  region.hidden = true;
  text.textContent = "";
}

/** @param {string} pasted @returns {Promise<Result>} rejects with `Unreadable` */
async function read(pasted) {
  if (pasted === "") throw new Unreadable("Paste a result first: the JSON or the link that this page copies");
  const fragment = pasted.slice(Math.max(0, pasted.indexOf("#")));
  try {
    if (isShared(fragment)) return await resultIn(fragment);
    return readResult(formatted(JSON.parse(pasted)));
  } catch (error) {
    if (error instanceof SyntaxError)
      throw new Unreadable("This isn't JSON, or only a part of it: paste the whole text that Copy JSON copies");
    if (!(error instanceof Unreadable) || error instanceof OtherVersion) throw error;
    throw new Unreadable(`This isn't a result that this page can read: ${error.message}`);
  }
}

class OtherVersion extends Unreadable {}

/** @param {unknown} value */
function formatted(value) {
  const format = /** @type {{ format?: unknown } | null} */ (value)?.format;
  if (typeof format === "number" && format !== 1)
    throw new OtherVersion(`This result has format ${format}, from another version; this page reads format 1`);
  return value;
}

/** @param {Result} here @param {Result} there */
function compare(here, there) {
  if (there.void !== null) throw new Unreadable(`That result is void: ${there.void}`);
  const configuration = configurationOf(here.models);
  const pairs = here.models.flatMap((model) =>
    model.warm.flatMap((row) => {
      const others = there.models.filter(({ name }) => name === model.name);
      const sameThreads = others.filter(({ threads }) => threads === model.threads);
      const same = [...sameThreads, ...others].find(({ schedule }) => schedule === model.schedule) ?? others[0];
      const other = same?.warm.find(({ sequence, batch }) => sequence === row.sequence && batch === row.batch);
      return other ? [{ title: titleWith(model, configuration), row, other }] : [];
    }),
  );
  if (pairs.length === 0) throw new Unreadable("The two results have no network and length in common");
  const place = (/** @type {Result} */ result) => (result.models[0] ? placeOf(result, result.models[0]) : "");
  text.textContent = `This one: ${place(here)}. The pasted one: ${place(there)}. Wrong results don't count as faster.`;
  table.tBodies[0]?.replaceChildren(
    ...pairs.map(({ title, row, other }) => {
      const cells = [milliseconds(row.median_ms), milliseconds(other.median_ms), verdict(row, other)];
      return make("tr", {}, [
        rowHeader(`${title}, ${row.sequence}`),
        ...cells.map((cell) => make("td", { text: cell })),
      ]);
    }),
  );
  region.hidden = false;
}

/** @param {import("./result.js").Row} row @param {import("./result.js").Row} other */
function verdict(row, other) {
  if (row.check?.right === false || other.check?.right === false) return "wrong";
  const ratio = other.median_ms / row.median_ms;
  if (!Number.isFinite(ratio) || ratio === 0) return "–";
  if (ratio > 1 / 1.05 && ratio < 1.05) return "the same";
  return ratio > 1 ? `${ratio.toFixed(1)}× as fast` : `${(1 / ratio).toFixed(1)}× as slow`;
}
