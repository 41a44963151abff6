import { messageOf } from "../errors.js";
import type { SimdChoice, SimdSet } from "../types.js";

/** Name of the section of the wasm file that contains the module with relaxed SIMD. */
const SECTION = "mobilebert.relaxed";

/** The exports of that module. */
interface Relaxed {
  version(): number;
  region_start(): number;
  region_end(): number;
  has_fast_dots(): number;
  fused(steps: number): number;
  separate(steps: number): number;
  product: unknown;
}

/** The exports of the main module that it needs. */
export interface MainExports {
  memory: WebAssembly.Memory;
  __indirect_function_table?: WebAssembly.Table;
}

/** Checks the product at an index of the table and makes it available; returns the problem if there is one. */
export type Install = (
  version: number,
  regionStart: number,
  regionEnd: number,
  product: number,
  best: SimdSet,
) => string | undefined;

/** How the reason begins if the module isn't available. */
export const NO_RELAXED = "no relaxed SIMD";

const REASONS: Record<SimdSet, string> = {
  "relaxed-dot": "fused multiply-adds, and dot products of bytes",
  relaxed: "fused multiply-adds, but no dot products of bytes",
  simd128: "relaxed SIMD is slower here",
};

/**
 * Adds the instruction sets of the module with relaxed SIMD, which the file of the main module contains, if the browser has
 * them. Its product works on the main module's memory, and is called through the main module's table.
 */
export async function addRelaxed(module: WebAssembly.Module, main: MainExports, install: Install): Promise<SimdChoice> {
  const none = (reason: string): SimdChoice => ({ set: "simd128", reason: `${NO_RELAXED}: ${reason}` });
  const [bytes] = WebAssembly.Module.customSections(module, SECTION);
  const table = main.__indirect_function_table;
  if (!bytes || !table) return none("the wasm file was stripped of it");
  if (!WebAssembly.validate(bytes)) return none("it is not supported here");
  try {
    const { instance } = await WebAssembly.instantiate(bytes, { env: { memory: main.memory } });
    const relaxed = instance.exports as unknown as Relaxed;
    const place = table.grow(1);
    table.set(place, relaxed.product);
    const set = bestSet(relaxed);
    const problem = install(relaxed.version(), relaxed.region_start(), relaxed.region_end(), place, set);
    return problem === undefined ? { set, reason: REASONS[set] } : none(problem);
  } catch (error) {
    return none(messageOf(error));
  }
}

function bestSet(relaxed: Relaxed): SimdSet {
  if (isImitated(relaxed)) return "simd128";
  return relaxed.has_fast_dots() ? "relaxed-dot" : "relaxed";
}

/** Steps of a measurement: a tenth of a millisecond or so. */
const STEPS = 20_000;

/** An imitated multiply-add is a call per number, dozens of times slower; a real one takes at most as long as two instructions. */
const MUCH_SLOWER = 4;

/**
 * Returns whether the engine has no instruction for a multiply-add. All of several rounds must show it: an engine that
 * optimizes one of the two loops before the other makes that one look much faster for a while.
 */
function isImitated(relaxed: Relaxed): boolean {
  const rounds = Array.from({ length: 5 });
  return rounds.every(() => slowdown(relaxed) > MUCH_SLOWER);
}

/** Returns the time of multiply-adds divided by that of multiplications and additions, each at its fastest. */
function slowdown({ fused, separate }: Relaxed): number {
  const best = { fused: Number.POSITIVE_INFINITY, separate: Number.POSITIVE_INFINITY };
  for (let turn = 0; turn < 3; turn++) {
    best.fused = Math.min(best.fused, timeOf(fused));
    best.separate = Math.min(best.separate, timeOf(separate));
  }
  return best.fused / best.separate;
}

/** Milliseconds of one measurement, from one tick of the clock to a later one: ticks may be a millisecond apart. */
function timeOf(work: (steps: number) => number): number {
  const start = nextTick();
  for (let runs = 1; ; runs++) {
    work(STEPS);
    const spent = performance.now() - start;
    if (spent > 0) return spent / runs;
  }
}

function nextTick(): number {
  const start = performance.now();
  for (;;) {
    const now = performance.now();
    if (now > start) return now;
  }
}
