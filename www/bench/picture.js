/** Draws a result as a picture to share, in the page's colors. */

import { milliseconds } from "./statistics.js";
import { headline, headlineRow, placeOf } from "./verdict.js";

/** @typedef {import("./result.js").Result} Result */

const [WIDTH, HEIGHT, MARGIN] = [1200, 630, 64];
/** Networks with a bar of their own. */
const MOST = 3;

/** Networks to draw, at the headline's length. @param {Result} result */
function barsOf(result) {
  const sequence = headlineRow(result)?.row.sequence;
  const rows = result.models.flatMap(({ title, warm }) =>
    warm.filter((row) => row.sequence === sequence).map(({ median_ms, paper_ms }) => ({ title, median_ms, paper_ms })),
  );
  return rows.slice(0, MOST);
}

/** Describes the picture for people who can't see it. @param {Result} result */
export function describePicture(result) {
  const found = headlineRow(result);
  if (!found) return "";
  const others = barsOf(result)
    .slice(1)
    .map(({ title, median_ms }) => ` ${title}: ${milliseconds(median_ms)} ms.`);
  return `${headline(result)}.${others.join("")} Measured with ${placeOf(result, found.model)}, ${dateOf(result)}.`;
}

/** @param {Result} result */
function dateOf({ made }) {
  return new Date(1000 * made).toLocaleDateString("en", { year: "numeric", month: "long", day: "numeric" });
}

/**
 * Draws into a canvas that the page shows: its security policy allows no pictures from elsewhere.
 * @param {HTMLCanvasElement} canvas
 * @param {Result} result
 * @returns {Promise<File>} a PNG
 */
export async function draw(canvas, result) {
  [canvas.width, canvas.height] = [WIDTH, HEIGHT];
  const context = canvas.getContext("2d");
  const found = headlineRow(result);
  if (!context || !found) throw new Error("this browser can't draw pictures");
  const color = colors();
  context.fillStyle = color("--card");
  context.fillRect(0, 0, WIDTH, HEIGHT);
  context.fillStyle = color("--accent");
  context.fillRect(0, 0, WIDTH, 12);
  context.textBaseline = "alphabetic";
  const write = (
    /** @type {string} */ text,
    /** @type {number} */ y,
    /** @type {number} */ size,
    name = "--ink",
    weight = 400,
  ) => {
    context.font = `${weight} ${size}px system-ui, sans-serif`;
    context.fillStyle = color(name);
    context.fillText(text, MARGIN, y, WIDTH - 2 * MARGIN);
  };
  write(`${found.model.title} in a browser`, 92, 34, "--soft");
  write(`${milliseconds(found.row.median_ms)} ms`, 200, 104, "--ink", 700);
  const paper = found.row.paper_ms;
  const compared = paper === null ? "" : `; the paper's Pixel 4 took ${milliseconds(paper)} ms with four threads`;
  write(`at ${found.row.sequence} tokens${compared}`, 254, 34);
  bars(context, barsOf(result), color);
  write(`${placeOf(result, found.model)} · ${dateOf(result)}`, 560, 26, "--soft");
  write("Measured in the browser with MobileBERT", 598, 26, "--soft");
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  if (!(blob instanceof Blob)) throw new Error("this browser can't make a PNG");
  return new File([blob], "mobilebert-latency.png", { type: "image/png" });
}

/** Colors of the style sheet, light or dark. */
function colors() {
  const style = getComputedStyle(document.documentElement);
  return (/** @type {string} */ name) => style.getPropertyValue(name).trim();
}

/**
 * A pair of bars per network: this device, solid, and the paper's phone, outlined.
 * @param {CanvasRenderingContext2D} context
 * @param {ReturnType<typeof barsOf>} rows
 * @param {(name: string) => string} color
 */
function bars(context, rows, color) {
  const longest = Math.max(...rows.flatMap(({ median_ms, paper_ms }) => [median_ms, paper_ms ?? 0]), 1e-3);
  const [left, right] = [MARGIN + 300, WIDTH - MARGIN - 230];
  const step = 216 / Math.max(rows.length, 1);
  const thick = Math.min(34, step / 2 - 6);
  context.font = "400 26px system-ui, sans-serif";
  for (const [index, { title, median_ms, paper_ms }] of rows.entries()) {
    const y = 296 + index * step;
    context.fillStyle = color("--ink");
    context.fillText(title, MARGIN, y + thick - 6, 280);
    const here = ((right - left) * median_ms) / longest;
    context.fillStyle = color("--accent");
    context.fillRect(left, y, here, thick);
    context.fillStyle = color("--ink");
    context.fillText(`${milliseconds(median_ms)} ms`, left + here + 12, y + thick - 7, 220);
    if (paper_ms === null) continue;
    const there = ((right - left) * paper_ms) / longest;
    context.strokeStyle = color("--soft");
    context.lineWidth = 2;
    context.strokeRect(left + 1, y + thick + 5, there, thick - 2);
    context.fillStyle = color("--soft");
    context.fillText(`${milliseconds(paper_ms)} ms, Pixel 4`, left + there + 12, y + 2 * thick - 3, 220);
  }
}
