/** Shows a result: tables and charts always match its JSON. */
import { byId, make, rowHeader } from "../app/elements.js";
import { lines, sparkline, swatch, ticks } from "./chart.js";
import { configurationOf, titleWith } from "./configurations.js";
import { heat } from "./heat.js";
import { showOperators } from "./operators.js";
import { profiles } from "./profile-view.js";
import { milliseconds } from "./statistics.js";
import { tableBody } from "./table-body.js";
import { deviceName } from "./verdict.js";

/**
 * @typedef {import("./result.js").Check} Check
 * @typedef {import("./result.js").ModelResult} ModelResult
 * @typedef {import("./measure.js").Plan} Plan
 * @typedef {import("./result.js").Result} Result
 * @typedef {import("./result.js").Row} Row
 */

const element = (/** @type {string} */ id) => byId(id, HTMLElement);

/** @type {Result | undefined} */
let shown;
// Charts fill their container.
new ResizeObserver(() => {
  if (shown && element("results").dataset.running !== "true") charts(shown.models, shown.models);
  makeScrollable();
}).observe(element("results"));

/**
 * Shows a result. During a measurement, everything has its place from the beginning, and only figures appear, so that
 * nothing shifts; the rest follows at the end.
 * @param {Result | undefined} result
 * @param {Plan} [plan] what is being measured
 */
export function show(result, plan) {
  shown = result;
  element("results").dataset.running = String(plan !== undefined);
  const models = result?.models ?? [];
  const measured = models.length > 0;
  element("results").dataset.state = result?.void ? "void" : measured ? "shown" : "empty";
  element("nothing").hidden = measured || plan !== undefined || (result?.void ?? null) !== null;
  element("void").hidden = !result?.void;
  element("void").textContent = result?.void ? `Void: ${result.void}.` : "";
  warm(
    models.filter((model) => model.warm.length > 0 || plan?.minutes === null),
    plan,
  );
  system(plan ? undefined : result);
  const ended = plan ? [] : models;
  profiles(ended);
  showOperators(ended);
  cold(ended.filter((model) => model.cold.total_ms > 0));
  element("notes").hidden = ended.length === 0;
  charts(ended, models, plan);
  makeScrollable();
}

/** Makes tables that are too wide scrollable with the keyboard. */
function makeScrollable() {
  for (const region of document.querySelectorAll(".scroll")) {
    if (region.scrollWidth > region.clientWidth) region.setAttribute("tabindex", "0");
    else region.removeAttribute("tabindex");
  }
}

/** @param {Result | undefined} result */
function system(result) {
  const list = element("system");
  const model = result?.models[0];
  if (!result || !model) return list.replaceChildren();
  const { browser, platform, device_model, cores, battery } = result.system;
  const power = battery ? `${battery.charging ? "charging" : "unplugged"}, ${Math.round(100 * battery.level)}%` : "";
  const rows = [
    ["Device", deviceName(model, result.models)],
    ["Reason", model.device.reason],
    ["System", [device_model, platform, cores && `${cores} cores`].filter(Boolean).join(" · ")],
    ["Browser", browser ?? (result.tool.kind === "page" ? "unknown" : result.tool.kind)],
    ["Battery", power],
    ["Version", `${result.tool.name} ${result.tool.version}, schedule ${model.schedule}`],
    ["Date", new Date(1000 * result.made).toLocaleString()],
  ];
  list.replaceChildren(
    ...rows.flatMap(([name, value]) => (value ? [make("dt", { text: name }), make("dd", { text: value })] : [])),
  );
}

/** @param {ModelResult[]} models @param {Plan} [plan] */
function warm(models, plan) {
  const waiting = plan?.minutes === null ? plan.subjects.slice(new Set(models.map(({ name }) => name)).size) : [];
  element("warm-part").hidden = models.length + waiting.length === 0;
  const table = element("warm");
  for (const body of table.querySelectorAll("tbody")) body.remove();
  const configuration = configurationOf(models, plan);
  table.append(
    ...models.map((model) => {
      const size = `${(model.parameters / 1e6).toFixed(1)} M parameters, ${dispatchesOf(model)}`;
      const rows = model.warm.map(rowOf);
      const left = plan ? plan.sequences.slice(rows.length).map(emptyRow) : [];
      return tableBody(model.title, [configuration(model), size].filter(Boolean).join("; "), [...rows, ...left], 6);
    }),
    ...waiting.map(({ title }) => tableBody(title, "waiting", plan?.sequences.map(emptyRow) ?? [], 6)),
  );
}

/** @param {ModelResult} model */
function dispatchesOf({ warm }) {
  const counts = [...new Set(warm.map(({ dispatches }) => dispatches))];
  return counts.length > 0 ? `${counts.join(" or ")} dispatches` : "…";
}

/** The place of a row that is still to be measured. @param {number} sequence */
function emptyRow(sequence) {
  return make("tr", {}, [
    rowHeader(String(sequence)),
    ...["median", "", "", "", ""].map((className) => make("td", { className, text: "…" })),
  ]);
}

/** @param {Row} row */
function rowOf(row) {
  return make("tr", {}, [
    rowHeader(String(row.sequence)),
    make("td", { className: "median", text: milliseconds(row.median_ms) }),
    make("td", { text: milliseconds(row.p90_ms) }),
    make("td", {}, row.runs_ms.length > 0 ? [sparkline(row.runs_ms)] : []),
    checkOf(row.check),
    make("td", { text: row.paper_ms === null ? "–" : milliseconds(row.paper_ms) }),
  ]);
}

/** @param {Check | null} check */
export function checkText(check) {
  if (!check) return "not checked";
  return check.right ? "correct" : "wrong";
}

/** @param {Check | null} check */
function checkOf(check) {
  if (!check) return make("td", { text: "–" });
  const far = check.difference === null ? "not a number" : check.difference.toExponential(0);
  const verdict = check.right ? "ok" : "wrong";
  return make("td", {}, [
    make("span", { className: verdict, text: verdict }),
    make("small", { className: "far", text: ` ${far}` }),
  ]);
}

/** The parts of a cold start; those without a figure are omitted. */
const PARTS = /** @type {const} */ ([
  ["module_ms", "Module"],
  ["download_ms", "Download"],
  ["generate_ms", "Generate"],
  ["verify_ms", "Verify"],
  ["upload_ms", "Upload"],
  ["compile_ms", "Compile"],
  ["first_ms", "First run"],
  ["total_ms", "Total"],
]);

/** One row per part and one column per model. @param {ModelResult[]} models */
function cold(models) {
  element("cold-part").hidden = models.length === 0;
  const table = element("cold");
  const configuration = configurationOf(models);
  const heads = models.map((model) => {
    const head = document.createElement("th");
    head.scope = "col";
    head.textContent = titleWith(model, configuration);
    return head;
  });
  table.querySelector("thead")?.replaceChildren(make("tr", {}, [make("td"), ...heads]));
  const used = PARTS.filter(([part]) => models.some((model) => model.cold[part] !== null));
  const rows = used.map(([part, name]) => {
    const cells = models.map(({ cold }) => {
      const value = cold[part];
      const className = part === "total_ms" ? "median" : "";
      return make("td", { className, text: value === null ? "–" : milliseconds(value) });
    });
    return make("tr", {}, [rowHeader(name), ...cells]);
  });
  table.querySelector("tbody")?.replaceChildren(...rows);
}

/**
 * @param {ModelResult[]} ended models to plot by length
 * @param {ModelResult[]} models models to plot over time, also during a measurement
 * @param {Plan} [plan]
 */
function charts(ended, models, plan) {
  const measured = ended.filter((model) => model.warm.length > 1);
  element("plot-part").hidden = measured.length === 0;
  if (measured.length > 0) {
    const configuration = configurationOf(measured);
    const nameOf = (/** @type {ModelResult} */ model) => titleWith(model, configuration);
    const sequences = [...new Set(measured.flatMap(({ warm }) => warm.map(({ sequence }) => sequence)))];
    const series = measured.map((model) => ({
      label: nameOf(model),
      points: model.warm.map(({ sequence, median_ms }) => /** @type {[number, number]} */ ([sequence, median_ms])),
    }));
    const label =
      "Median latency in milliseconds by number of tokens, one line per network; the table above has the figures";
    lines(element("plot"), series, { xTicks: sequences, xUnit: "tokens", yUnit: "ms", label });
    element("legend").replaceChildren(
      ...measured.map((model, index) => make("li", {}, [swatch(index), nameOf(model)])),
    );
  }
  const sustained = models.filter((model) => (model.sustained?.points.length ?? 0) > 0);
  element("sustained-part").hidden = sustained.length === 0 && !(plan && plan.minutes !== null);
  if (sustained.length > 0) sustainedChart(sustained, plan !== undefined);
  else element("sustained-plot").replaceChildren();
}

/** @param {ModelResult[]} models @param {boolean} running */
function sustainedChart(models, running) {
  const series = models.map(({ title, sustained }) => ({
    label: title,
    points: (sustained?.points ?? []).map(
      ({ second, median_ms }) => /** @type {[number, number]} */ ([second, median_ms]),
    ),
  }));
  const seconds = Math.max(...models.map(({ sustained }) => sustained?.seconds ?? 0), 1);
  const label = "Median latency in milliseconds over time";
  lines(element("sustained-plot"), series, {
    xTicks: ticks(seconds, 5),
    xUnit: "seconds",
    yUnit: "ms",
    label,
    markers: false,
  });
  const sentences = models.map(({ title, sustained }) => {
    if (!sustained) return "";
    const runs = sustained.points.reduce((sum, point) => sum + point.runs, 0);
    return `${title} at ${sustained.sequence} tokens, ${runs.toLocaleString("en")} runs, results ${checkText(sustained.check)}: ${heat(sustained)}`;
  });
  element("sustained-text").textContent = running ? "" : sentences.join(" ");
}
