/** The time per kernel, with one table body per model and length. */
import { byId, make, rowHeader } from "../app/elements.js";
import { milliseconds, ratio } from "./statistics.js";
import { tableBody } from "./table-body.js";

/**
 * @typedef {import("./result.js").ModelResult} ModelResult
 * @typedef {import("./result.js").Profile} Profile
 */

/** @param {ModelResult[]} models */
export function profiles(models) {
  const profiled = models.filter((model) => (model.profiles?.length ?? 0) > 0);
  byId("profile-part", HTMLElement).hidden = profiled.length === 0;
  const table = byId("profile", HTMLTableElement);
  for (const body of table.querySelectorAll("tbody")) body.remove();
  table.append(...profiled.flatMap((model) => (model.profiles ?? []).map((profile) => bodyOf(model, profile))));
  const notes = new Set(profiled.flatMap(({ profiles }) => (profiles ?? []).map(({ note }) => `Measured ${note}.`)));
  const limits = profiled.map(({ limits }) => limits).find((found) => found !== null);
  if (limits) notes.add(`This GPU's measured limits: ${limitsOf(limits)}.`);
  byId("profile-text", HTMLElement).textContent = [...notes].join(" ");
}

/** @param {NonNullable<ModelResult["limits"]>} limits */
function limitsOf({ copy_gb_s, multiply_add_gflop_s, byte_dot_gop_s }) {
  const parts = [
    `${copy_gb_s.toFixed(1)} GB/s for copies`,
    `${multiply_add_gflop_s.toFixed(0)} GFLOP/s for f32 multiply-adds`,
  ];
  if (byte_dot_gop_s !== null) parts.push(`${byte_dot_gop_s.toFixed(0)} Gop/s for dot products of bytes`);
  return parts.join(", ");
}

/** @param {ModelResult} model @param {Profile} profile */
function bodyOf({ title }, { sequence, kernels, total_ms, run_ms }) {
  const sum = `kernels ${milliseconds(total_ms)} ms, unprofiled run ${milliseconds(run_ms)} ms`;
  return tableBody(`${title}, ${sequence} tokens`, sum, kernels.map(rowOf), 7);
}

/** @param {import("../pkg/dist/bench.js").KernelTime} kernel */
function rowOf({ kernel, dispatches, ms, share, gflop_s, gb_s, of_limit }) {
  const limit = of_limit ? `${ratio(of_limit.share)} of ${of_limit.limit}` : "–";
  const cells = [String(dispatches), milliseconds(ms), ratio(share), gflop_s.toFixed(1), gb_s.toFixed(2), limit];
  return make("tr", {}, [rowHeader(kernel), ...cells.map((text) => make("td", { text }))]);
}
