// Runs one comparison and makes rows of it: one per dtype and length.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { launch, serve, visit } from "./browser.mjs";

/** `options`: dtypes, runs, warmUp. Returns `{ browser, rows }`. */
export async function measure(comparison, model, inputs, options) {
  const { isolated = false, gpu = false, cold = false } = comparison;
  const server = await serve(model, isolated);
  const browser = await launch(gpu);
  const rows = [];
  const runs = options.runs ?? comparison.runs;
  const warmUp = options.warmUp ?? comparison.warmUp;
  const sequences = comparison.sequences ?? Object.keys(inputs).map(Number);
  const take = cold ? firsts : warm;
  try {
    for (const dtype of options.dtypes) {
      const engines = comparison.engines.filter((engine) => isThere(engine, dtype, model));
      const measured = await take(browser, server.address, engines, dtype, inputs, sequences, { runs, warmUp });
      for (const [index, results] of measured.entries()) rows.push(row(dtype, sequences[index], engines, results));
    }
    return { browser: await browser.version(), rows };
  } finally {
    await browser.close();
    server.stop();
  }
}

/** Says so if an engine's files are missing, as it is not a matter of course that they could be made. */
function isThere({ label, dtypes, needs }, dtype, model) {
  if (dtypes && !dtypes.includes(dtype)) return false;
  if (!needs || existsSync(join(model, needs))) return true;
  console.error(`${label} is left out: there is no ${join(model, needs)} (see README.md)`);
  return false;
}

/** All engines in one page, loaded once, in turns. */
async function warm(browser, address, engines, dtype, inputs, sequences, { runs, warmUp }) {
  const { page, leave } = await visit(browser, address);
  await page.evaluate((engines, dtype) => globalThis.load(engines, dtype), engines, dtype);
  const measured = [];
  for (const sequence of sequences) {
    const input = inputs[sequence];
    measured.push(await page.evaluate((...of) => globalThis.compare(...of), input, runs, warmUp));
  }
  await page.evaluate("globalThis.unload()");
  await leave();
  return measured;
}

/** Every measurement in a page of its own, by a visitor who has nothing cached, in turns. */
async function firsts(browser, address, engines, dtype, inputs, sequences, { runs, warmUp }) {
  const measured = [];
  for (const sequence of sequences) {
    const results = engines.map(() => ({ times: [] }));
    for (let run = 0; run < warmUp + runs; run++) {
      for (const [index, engine] of engines.entries()) {
        const { page, leave } = await visit(browser, address);
        const { milliseconds, ...rest } = await page.evaluate(
          (...of) => globalThis.first(...of),
          engine,
          dtype,
          inputs[sequence],
        );
        await leave();
        if (run >= warmUp) results[index].times.push(milliseconds);
        Object.assign(results[index], rest);
      }
    }
    measured.push(results);
  }
  return measured;
}

function row(dtype, sequence, engines, results) {
  const measured = results.map(({ times, difference, about }, index) => {
    return { label: engines[index].label, median: median(times), times, difference, about };
  });
  return { dtype, sequence, engines: measured };
}

/** The middle value, or the mean of the two in the middle. */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
