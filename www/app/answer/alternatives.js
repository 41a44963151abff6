/** The rows of possible answers, each with its probability. */
import { byId, make } from "../elements.js";
import { percent } from "../format.js";

/** @typedef {import("../../pkg/dist/index.js").Answer} Answer */

const list = byId("alternatives", HTMLOListElement);

/** Less probable rows are left out: "the passage does not say", and the answers if that is the result. */
const LEAST_SHOWN = 0.01;

/**
 * Shows a row per answer, and one for "the passage does not say". With the same answers as before, the rows stay, and
 * with them the focus.
 * @param {Answer[]} answers
 * @param {number} none the probability that the passage doesn't say
 * @param {Answer | undefined} chosen the answer that is shown in full; undefined for "the passage does not say"
 * @param {(answer: Answer | undefined) => void} onPick
 */
export function showRows(answers, none, chosen, onPick) {
  if (answers !== asked) {
    asked = answers;
    // Rows are made once, for the answer that is shown first.
    shown = chosen ? answers : answers.filter(({ probability }) => probability >= LEAST_SHOWN);
    const rows = shown.map((answer) => row(answer.text, answer.probability, () => onPick(answer)));
    if (none >= LEAST_SHOWN && (chosen || rows.length > 0)) {
      rows.push(row("The passage does not say", none, () => onPick(undefined)));
    }
    list.replaceChildren(...rows);
  }
  const at = chosen ? shown.indexOf(chosen) : shown.length;
  for (const [index, button] of list.querySelectorAll("button").entries()) {
    button.setAttribute("aria-pressed", String(index === at));
  }
}

/** Removes all rows. */
export function hideRows() {
  asked = undefined;
  list.replaceChildren();
}

/** The answers that the rows were made for. @type {Answer[] | undefined} */
let asked;
/** Those among them that have a row. @type {Answer[]} */
let shown = [];

/** @param {string} text @param {number} probability @param {() => void} onPick */
function row(text, probability, onPick) {
  const meter = document.createElement("meter");
  meter.value = probability;
  meter.setAttribute("aria-label", `probability ${percent(probability)}`);
  const button = document.createElement("button");
  button.type = "button";
  button.className = "pick";
  button.append(
    make("span", { className: "what", text }),
    make("span", { className: "share", text: percent(probability) }),
  );
  button.addEventListener("click", onPick);
  return make("li", {}, [button, meter]);
}
