/** A result in one sentence: how long a run takes here, next to the paper's phone. */
import { threadsText } from "./configurations.js";
import { duration, milliseconds } from "./statistics.js";

/**
 * @typedef {import("./result.js").ModelResult} ModelResult
 * @typedef {import("./result.js").Result} Result
 * @typedef {import("./result.js").Row} Row
 */

/** The row to tell others about, if any: the first that the paper measured, too. @param {Result} result */
export function headlineRow({ models, void: reason }) {
  if (reason !== null) return undefined;
  const rows = models.flatMap((model) => model.warm.map((row) => ({ model, row })));
  return rows.find(({ row }) => row.paper_ms !== null) ?? rows[0];
}

/** @param {Result | undefined} result @returns {string} empty without a row */
export function headline(result) {
  const found = result && headlineRow(result);
  if (!found) return sustained(result);
  const { model, row } = found;
  const took = `${milliseconds(row.median_ms)} ms at ${row.sequence} tokens`;
  if (row.check && !row.check.right) return `${model.title}: ${took}, but with wrong results`;
  if (row.paper_ms === null) return `${model.title}: ${took}`;
  return `${model.title}: ${took}; the paper's Pixel 4 took ${milliseconds(row.paper_ms)} ms with four threads`;
}

/** @param {Result | undefined} result */
function sustained(result) {
  const model = result?.void === null ? result.models.find((one) => one.sustained) : undefined;
  const last = model?.sustained?.points.at(-1);
  if (!model?.sustained || !last) return "";
  const { sequence, seconds } = model.sustained;
  return `${model.title}: ${milliseconds(last.median_ms)} ms at ${sequence} tokens, after ${duration(seconds)} without a pause`;
}

/** Names the place of a measurement: device, browser and system. @param {Result} result @param {ModelResult} model */
export function placeOf({ system, tool }, model) {
  const program = system.browser ?? tool.kind;
  return [deviceName(model), program, system.device_model ?? system.platform].filter(Boolean).join(" · ");
}

/**
 * Describes the device briefly.
 * @param {ModelResult} model
 * @param {ModelResult[]} models all of them, which may have used several numbers of threads
 */
export function deviceName({ device, threads }, models = []) {
  const counts = [...new Set([threads, ...models.map((model) => model.threads)])].filter((count) => count !== null);
  // Results from before threads could be chosen don't say.
  const withThreads = counts.length > 0 ? ` · ${threadsText(counts)}` : "";
  if (device.kind === "wasm") return `CPU · WebAssembly${withThreads}`;
  if (device.kind === "cpu") return `CPU${withThreads}`;
  const software = device.fallback ? " (software, on the CPU)" : "";
  return `${device.kind === "webgpu" ? "WebGPU" : "GPU"} · ${device.adapter ?? "unnamed"}${software}`;
}
