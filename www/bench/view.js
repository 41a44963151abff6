/** Shows a result: tables and charts always match its JSON. */
import { byId, make } from "../app/elements.js";
import { lines, sparkline, swatch, ticks } from "./chart.js";
import { profiles } from "./profile-view.js";
import { milliseconds } from "./statistics.js";
import { deviceName } from "./verdict.js";

/**
 * @typedef {import("./result.js").Check} Check
 * @typedef {import("./result.js").ModelResult} ModelResult
 * @typedef {import("./result.js").Result} Result
 * @typedef {import("./result.js").Row} Row
 */

const element = (/** @type {string} */ id) => byId(id, HTMLElement);

/** @type {Result | undefined} */
let shown;
// Charts fill their container.
new ResizeObserver(() => {
  if (shown) charts(shown);
  makeScrollable();
}).observe(element("results"));

/** @param {Result | undefined} result */
export function show(result) {
  shown = result;
  const models = result?.models ?? [];
  const measured = models.length > 0;
  element("results").dataset.state = result?.void ? "void" : measured ? "shown" : "empty";
  element("nothing").hidden = measured || (result?.void ?? null) !== null;
  element("void").hidden = !result?.void;
  element("void").textContent = result?.void ? `Void: ${result.void}.` : "";
  system(result);
  warm(models.filter((model) => model.warm.length > 0));
  profiles(models);
  cold(models.filter((model) => model.cold.total_ms > 0));
  element("notes").hidden = !measured;
  if (result) charts(result);
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
    ["Device", deviceName(model)],
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

/** @param {ModelResult[]} models */
function warm(models) {
  element("warm-part").hidden = models.length === 0;
  const table = element("warm");
  for (const body of table.querySelectorAll("tbody")) body.remove();
  table.append(...models.map(bodyOf));
}

/** @param {ModelResult} model */
function bodyOf(model) {
  const head = document.createElement("th");
  head.className = "of";
  head.colSpan = 6;
  head.scope = "rowgroup";
  const counts = [...new Set(model.warm.map(({ dispatches }) => dispatches))].join(" or ");
  const size = `${(model.parameters / 1e6).toFixed(1)} M parameters, ${counts} dispatches`;
  head.append(make("b", { text: model.title }), make("span", { text: size }));
  return make("tbody", {}, [make("tr", {}, [head]), ...model.warm.map(rowOf)]);
}

/** @param {Row} row */
function rowOf(row) {
  const tokens = document.createElement("th");
  tokens.scope = "row";
  tokens.textContent = String(row.sequence);
  return make("tr", {}, [
    tokens,
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
  const heads = models.map(({ title }) => {
    const head = document.createElement("th");
    head.scope = "col";
    head.textContent = title;
    return head;
  });
  table.querySelector("thead")?.replaceChildren(make("tr", {}, [make("td"), ...heads]));
  const used = PARTS.filter(([part]) => models.some((model) => model.cold[part] !== null));
  const rows = used.map(([part, name]) => {
    const head = document.createElement("th");
    head.scope = "row";
    head.textContent = name;
    const cells = models.map(({ cold }) => {
      const value = cold[part];
      const className = part === "total_ms" ? "median" : "";
      return make("td", { className, text: value === null ? "–" : milliseconds(value) });
    });
    return make("tr", {}, [head, ...cells]);
  });
  table.querySelector("tbody")?.replaceChildren(...rows);
}

/** @param {Result} result */
function charts({ models }) {
  const measured = models.filter((model) => model.warm.length > 1);
  element("plot-part").hidden = measured.length === 0;
  if (measured.length > 0) {
    const sequences = [...new Set(measured.flatMap(({ warm }) => warm.map(({ sequence }) => sequence)))];
    const series = measured.map(({ title, warm }) => ({
      label: title,
      points: warm.map(({ sequence, median_ms }) => /** @type {[number, number]} */ ([sequence, median_ms])),
    }));
    const label =
      "Median latency in milliseconds by number of tokens, one line per network; the table above has the figures";
    lines(element("plot"), series, { xTicks: sequences, xUnit: "tokens", yUnit: "ms", label });
    element("legend").replaceChildren(...measured.map(({ title }, index) => make("li", {}, [swatch(index), title])));
  }
  const sustained = models.filter((model) => (model.sustained?.points.length ?? 0) > 0);
  element("sustained-part").hidden = sustained.length === 0;
  if (sustained.length > 0) sustainedChart(sustained);
}

/** @param {ModelResult[]} models */
function sustainedChart(models) {
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
    const points = sustained?.points ?? [];
    const [first, last] = [points[0]?.median_ms ?? 0, points.at(-1)?.median_ms ?? 0];
    const runs = points.reduce((sum, point) => sum + point.runs, 0);
    return `${title} at ${sustained?.sequence} tokens: ${milliseconds(first)} ms at first, ${milliseconds(last)} ms after ${Math.round(sustained?.seconds ?? 0)} seconds and ${runs.toLocaleString("en")} runs (${first > 0 ? (last / first).toFixed(2) : "–"}×); results ${checkText(sustained?.check ?? null)}.`;
  });
  element("sustained-text").textContent = sentences.join(" ");
}
