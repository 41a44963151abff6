// Compares the speed of this package with others in one browser: same weights, alternating runs, medians.
//
//   node run.mjs MODEL [--only NAME] [--gpu] [--dtype f32,q8] [--runs N] [--warm-up N] [--json]
//
// MODEL is the output of `export.py`. The package must be built (`cargo xtask build`). CHROMIUM is the browser's path.
// `--only` selects comparisons by a part of their name, `--gpu` those of GPUs, which are left out by default.
import { execFileSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import os from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { COMPARISONS, TOLERANCE } from "./comparisons.mjs";
import { measure } from "./measure.mjs";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: "string", multiple: true, default: [] },
    gpu: { type: "boolean", default: false },
    dtype: { type: "string", default: Object.keys(TOLERANCE).join() },
    runs: { type: "string" },
    "warm-up": { type: "string" },
    json: { type: "boolean", default: false },
  },
});
const dtypes = values.dtype.split(",");
const selected = Object.entries(COMPARISONS).filter(([name, { gpu = false }]) =>
  values.only.length > 0 ? values.only.some((part) => name.includes(part)) : gpu === values.gpu,
);
if (positionals.length !== 1 || selected.length === 0 || !dtypes.every((dtype) => dtype in TOLERANCE)) {
  const names = Object.keys(COMPARISONS).join(", ");
  console.error(
    "usage: node run.mjs MODEL [--only NAME] [--gpu] [--dtype f32,q8] [--runs N] [--warm-up N] [--json]\n" +
      `MODEL is the output of export.py; names: ${names}`,
  );
  process.exit(2);
}
const number = (text) => (text === undefined ? undefined : Number(text));
const options = { dtypes, runs: number(values.runs), warmUp: number(values["warm-up"]) };
const [model] = positionals;
const { inputs, versions } = JSON.parse(await readFile(join(model, "inputs.json"), "utf8"));
const here = fileURLToPath(new URL(".", import.meta.url));
const commit = execFileSync("git", ["rev-parse", "--short", "HEAD"], { cwd: here, encoding: "utf8" }).trim();

const report = { commit, versions, machine: machine(), comparisons: [] };
for (const [name, comparison] of selected) {
  const { browser, rows } = await measure(comparison, model, inputs, options);
  report.comparisons.push({ name, says: comparison.says, browser, load: os.loadavg()[0], rows });
  if (!values.json) print(report.comparisons.at(-1));
}
if (values.json) console.log(JSON.stringify(report));
const wrong = report.comparisons.flatMap(({ name, rows }) => rows.flatMap((row) => faults(name, row)));
for (const fault of wrong) console.error(fault);
process.exitCode = wrong.length > 0 ? 1 : 0;

function machine() {
  return { cpu: os.cpus()[0]?.model.trim(), cores: os.cpus().length };
}

function print({ name, says, browser, load, rows }) {
  const { cpu, cores } = report.machine;
  console.log(`\n${name}. ${says}`);
  console.log(`mobilebert ${commit}, ${browser}; ${cpu}, ${cores} cores, load ${load.toFixed(1)}; medians`);
  for (const { dtype, sequence, engines } of rows) {
    const [{ median: own }] = engines;
    for (const { label, median, difference, about } of engines) {
      const columns = [
        dtype.padEnd(4),
        String(sequence).padStart(4),
        label.padEnd(20),
        `${median.toFixed(1)} ms`.padStart(11),
        (own / median).toFixed(2).padStart(6),
        ` ${shown(difference)}; ${about.version}, ${about.device}`,
      ];
      console.log(columns.join(" "));
    }
  }
}

function shown(difference) {
  return typeof difference === "number" ? `${difference.toExponential(1)} from float64` : difference;
}

/** Our engines whose scores differ too much. */
function faults(name, { dtype, sequence, engines }) {
  return engines
    .filter(({ label, difference }) => label.startsWith("mobilebert") && !(difference <= TOLERANCE[dtype]))
    .map(({ label, difference }) => {
      return `${name}: ${label} is wrong by ${difference} of the rms at ${sequence} tokens in ${dtype}`;
    });
}
