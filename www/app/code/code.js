/** The panel for developers: code that gives the same answer, and where the time for loading the model went. */
import { copy } from "../../share/send.js";
import { lastAnswer } from "../answer/last-answer.js";
import { byId, make, rowHeader } from "../elements.js";
import { modelFor } from "../footer.js";
import { time } from "../format.js";
import { loadTimes } from "../models/load.js";
import { addPanel } from "../panels.js";
import { loadOptions } from "../parameters.js";
import { moduleFor, pageFor } from "./snippet.js";

const module = byId("code-module", HTMLTextAreaElement);
const page = byId("code-page", HTMLTextAreaElement);
const done = byId("code-done", HTMLElement);
const rows = byId("times-rows", HTMLElement);
const sum = byId("times-text", HTMLElement);

/** The parts of a load, in order. @type {[keyof import("../../pkg/dist/index.js").LoadTimes, string][]} */
const PARTS = [
  ["module", "Fetch and compile the engine"],
  ["fetch", "Fetch the model"],
  ["verify", "Verify and store it"],
  ["compile", "Compile the kernels"],
  ["upload", "Upload the weights"],
  ["warmup", "Warm up"],
];

export function startCode() {
  addPanel("code-open", "code-panel", show);
  for (const [id, code, what] of /** @type {const} */ ([
    ["copy-module", module, "The module"],
    ["copy-page", page, "The page"],
  ])) {
    byId(id, HTMLButtonElement).addEventListener("click", async () => {
      done.textContent = (await copy(code.value, `${what} was copied.`, code)).text;
    });
  }
}

function show() {
  const answered = lastAnswer();
  const model = modelFor("answers");
  if (!answered || !model) return;
  const { question, context } = answered;
  const asked = { source: model.source, options: loadOptions(), question, context };
  module.value = moduleFor(asked);
  page.value = pageFor(asked);
  done.textContent = "";
  showTimes();
}

function showTimes() {
  const times = loadTimes("answers");
  if (!times) return;
  const longest = Math.max(...PARTS.map(([part]) => times[part]), 1e-3);
  rows.replaceChildren(...PARTS.map(([part, name]) => row(name, times[part], longest)));
  sum.textContent = `${time(times.total)} in all. The first two overlap; fetching, verifying and uploading alternate, chunk by chunk.`;
}

/** @param {string} name @param {number} milliseconds @param {number} longest */
function row(name, milliseconds, longest) {
  const bar = make("span", { className: "bar" });
  bar.style.setProperty("--share", String(milliseconds / longest));
  return make("tr", {}, [rowHeader(name), make("td", {}, [bar]), make("td", { text: time(milliseconds) })]);
}
