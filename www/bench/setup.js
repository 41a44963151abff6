/** The form with networks, lengths and device, initialized from the page's URL. */
import { byId, make } from "../app/elements.js";
import { megabytes } from "../app/format.js";
import { bundledModels, findBundled, labelOf } from "../app/models/models.js";
import { canShareMemory } from "../pkg/dist/bench.js";
import { OPERATORS, PAPER_SEQUENCE } from "./operators.js";
import * as wanted from "./parameters.js";

/**
 * @typedef {import("./measure.js").Plan} Plan
 * @typedef {import("./measure.js").Subject} Subject
 * @typedef {{ name: string, title: string, about: string, paper_ms: number, config: object }} Variant
 * @typedef {import("../pkg/dist/bench.js").StoredOutput} StoredOutput
 * @typedef {{ seed: number, allowed: number,
 *   variants: Record<string, Record<string, Record<string, StoredOutput>>> }} Stored
 */

const SEQUENCES = [64, 128, 256, 384, 512];
/** The lengths selected by default. */
const DEFAULT_SEQUENCES = [64, 128, 256, 384];
const THREADS = [1, 2, 4, 8];
const DEVICES = { auto: "automatic", webgpu: "WebGPU", wasm: "CPU" };

/** @param {string} path */
async function json(path) {
  const response = await fetch(path, { cache: "no-cache" });
  if (!response.ok) throw new Error(`${path}: the server responded with ${response.status}`);
  return await response.json();
}

/**
 * Fills the form; returns a function that reads it.
 * @returns {Promise<() => Plan>}
 */
export async function prepare() {
  /** @type {[Variant[], Stored, import("../app/models/models.js").ModelEntry[]]} */
  const [variants, stored, bundled] = await Promise.all([
    json("bench/variants.json"),
    json("bench/logits.json"),
    bundledModels(),
  ]);
  byId("allowed", HTMLElement).textContent = String(stored.allowed);
  const names = bundled.map(({ name }) => name);
  const wantedModels = wanted.models.map((given) => findBundled(names, given) ?? given);
  const subjects = [
    ...variants.map((variant) => seeded(variant, stored)),
    ...bundled.map(({ name, bytes }) => model(name, `models/${encodeURIComponent(name)}/`, bytes)),
    ...wantedModels.filter((name) => !names.includes(name)).map((source) => model(labelOf(source), source)),
  ];
  subjectOptions(subjects, variants, new Set([...wanted.variants, ...wantedModels.map(labelOf)]));
  lengthOptions();
  options(
    "devices",
    "radio",
    Object.entries(DEVICES).map(([value, label]) => ({ value, label, checked: value === wanted.device })),
  );
  threadOptions();
  modeOptions();
  followSubjects(subjects);
  return () => plan(subjects);
}

/** The plan that the form describes. @param {Subject[]} subjects @returns {Plan} */
function plan(subjects) {
  return {
    subjects: chosenOf(subjects),
    sequences: chosen("sequences").map(Number),
    runs: wanted.runs,
    minutes: chosen("modes")[0] === "sustained" ? wanted.minutes : null,
    // Unknown values in the URL are passed on; the package rejects them.
    device: chosen("devices")[0] ?? wanted.device,
    threads: chosen("threads").map(Number),
    schedule: wanted.schedule,
    allSchedules: chosen("details").includes("schedules"),
    profile: chosen("details").includes("profile"),
  };
}

/** @param {Subject[]} subjects */
function chosenOf(subjects) {
  return subjects.filter(({ name }) => chosen("models").includes(name));
}

/** The networks and models, the first if none is selected. @param {Subject[]} subjects @param {Variant[]} variants @param {Set<string>} selected */
function subjectOptions(subjects, variants, selected) {
  const about = new Map(variants.map(({ name, about }) => [name, about]));
  options(
    "models",
    "checkbox",
    subjects.map(({ name, title, bytes }, index) => ({
      value: name,
      label: title,
      about: about.get(name) ?? `${amountOf(bytes)}; results are not checked`,
      checked: selected.size > 0 ? selected.has(name) : index === 0,
    })),
  );
}

function lengthOptions() {
  const lengths = wanted.sequences.length > 0 ? wanted.sequences : DEFAULT_SEQUENCES;
  const all = [...new Set([...SEQUENCES, ...lengths])].sort((a, b) => a - b);
  options(
    "sequences",
    "checkbox",
    all.map((length) => ({ value: String(length), label: String(length), checked: lengths.includes(length) })),
  );
}

function modeOptions() {
  options("modes", "radio", [
    { value: "short", label: `short: up to ${wanted.runs} runs per row`, checked: !wanted.sustained },
    {
      value: "sustained",
      label: `sustained: ${wanted.minutes} minutes at the shortest length chosen`,
      checked: wanted.sustained,
    },
  ]);
  options("details", "checkbox", [
    {
      value: "profile",
      label: "time every kernel",
      about:
        "adds a few runs per row; uses GPU timestamps if the browser supports them; on the CPU, for one thread only",
      checked: wanted.profile,
    },
    {
      value: "schedules",
      label: "compare schedules",
      about: "measures each network once for every way in which the engine groups operations into kernels",
      checked: wanted.allSchedules,
    },
  ]);
}

/** Keeps the text about downloads up to date, and handles the button that selects the paper's operator sets. @param {Subject[]} subjects */
function followSubjects(subjects) {
  const showDownloads = () => {
    byId("downloads", HTMLElement).textContent = downloadsOf(chosenOf(subjects));
  };
  byId("models", HTMLFieldSetElement).addEventListener("change", showDownloads);
  byId("choose-operators", HTMLButtonElement).addEventListener("click", () => {
    check("models", (value) => value in OPERATORS);
    check("sequences", (value) => value === String(PAPER_SEQUENCE));
    showDownloads();
  });
  showDownloads();
}

/** Thread counts up to the number of cores; only one if workers can't share memory. */
function threadOptions() {
  const isShared = canShareMemory();
  const cores = navigator.hardwareConcurrency || 1;
  const possible = THREADS.filter((count) => count === 1 || (isShared && count <= cores));
  const given = isShared ? wanted.threads : wanted.threads.filter((count) => count === 1);
  const counts = [...new Set([...possible, ...given])].sort((a, b) => a - b);
  const checked = given.length > 0 ? given : [1];
  options(
    "threads",
    "checkbox",
    counts.map((count) => ({ value: String(count), label: String(count), checked: checked.includes(count) })),
  );
  byId("threads-hint", HTMLElement).textContent = isShared
    ? "Each thread has its own copy of the weights. On a GPU this makes no difference."
    : "Only one: this page isn't cross-origin isolated, so threads can't share memory. Reloading it may help.";
}

/** @param {Variant} variant @param {Stored} stored @returns {Subject} */
function seeded({ name, title, paper_ms, config }, { seed, allowed, variants }) {
  return {
    name,
    title,
    source: { config: JSON.stringify(config), seed },
    paperMs: paper_ms,
    expected: (sequence) => {
      const logits = variants[name]?.[sequence];
      return logits && { logits, allowed };
    },
  };
}

/** @param {string} name @param {string} source @param {number} [bytes] of its weights @returns {Subject} */
function model(name, source, bytes) {
  return { name, title: name, source: { model: source }, bytes, paperMs: null, expected: () => undefined };
}

/** Says how much a model downloads. @param {number | undefined} bytes */
function amountOf(bytes) {
  return bytes === undefined ? "downloads weights of unknown size" : `downloads ${megabytes(bytes)} MB`;
}

/** Says what Start will download; the networks whose weights are generated need nothing. @param {Subject[]} subjects */
function downloadsOf(subjects) {
  const models = subjects.filter(({ source }) => "model" in source);
  if (models.length === 0) return "No weights are downloaded: they are generated on this device.";
  return `Start ${models.map(({ title, bytes }) => `${amountOf(bytes)} for ${title}`).join(", ")}.`;
}

/**
 * @param {string} id
 * @param {"checkbox" | "radio"} type
 * @param {{ value: string, label: string, about?: string, checked: boolean }[]} choices
 */
function options(id, type, choices) {
  const made = choices.map(({ value, label, about, checked }) => {
    const input = document.createElement("input");
    Object.assign(input, { type, name: id, value, checked, id: `${id}-${value}` });
    const text = make("span", {}, [label, ...(about ? [make("small", { text: about })] : [])]);
    return make("label", { className: "choice" }, [input, text]);
  });
  byId(id, HTMLFieldSetElement)
    .querySelector(".options")
    ?.replaceChildren(...made);
}

/** Checks those boxes of a group that a condition holds for. @param {string} name @param {(value: string) => boolean} condition */
function check(name, condition) {
  for (const box of document.getElementsByName(name)) {
    if (box instanceof HTMLInputElement) box.checked = condition(box.value);
  }
}

/** @param {string} name */
function chosen(name) {
  return new FormData(byId("form", HTMLFormElement)).getAll(name).map(String);
}
