/** A result in one sentence: how long a run takes here, next to the paper's phone. */
import { milliseconds } from "./statistics.js";

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
  if (!found) return "";
  const { model, row } = found;
  const took = `${milliseconds(row.median_ms)} ms at ${row.sequence} tokens`;
  if (row.check && !row.check.right) return `${model.title}: ${took}, but with wrong results`;
  if (row.paper_ms === null) return `${model.title}: ${took}`;
  return `${model.title}: ${took}; the paper's Pixel 4 took ${milliseconds(row.paper_ms)} ms with four threads`;
}

/** Where it was measured: device, browser and system. @param {Result} result @param {ModelResult} model */
export function placeOf({ system, tool }, model) {
  const program = system.browser ?? tool.kind;
  return [deviceName(model), program, system.device_model ?? system.platform].filter(Boolean).join(" · ");
}

/** Describes the device briefly. @param {ModelResult} model */
export function deviceName({ device }) {
  if (device.kind === "wasm") return "CPU · WebAssembly";
  if (device.kind === "cpu") return "CPU";
  const software = device.fallback ? " (software, on the CPU)" : "";
  return `${device.kind === "webgpu" ? "WebGPU" : "GPU"} · ${device.adapter ?? "unnamed"}${software}`;
}
