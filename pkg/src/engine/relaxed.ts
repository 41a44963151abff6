import type { SimdChoice, SimdSet } from "../types.js";

/** Name of the section of the wasm file that contains the module with relaxed SIMD. */
const SECTION = "mobilebert.relaxed";

/** What that module exports. */
interface Relaxed {
  version(): number;
  region_start(): number;
  region_end(): number;
  has_fast_dots(): number;
  fused(steps: number): number;
  separate(steps: number): number;
  product: unknown;
}

/** What the main module exports for it. */
export interface MainExports {
  memory: WebAssembly.Memory;
  __indirect_function_table?: WebAssembly.Table;
}

/** Checks the product at a place of the table and makes it available; returns what is wrong with it, if anything is. */
export type Install = (
  version: number,
  regionStart: number,
  regionEnd: number,
  product: number,
  best: SimdSet,
) => string | undefined;

/** What the reason begins with where the module isn't there. */
export const NO_RELAXED = "no relaxed SIMD";

const REASONS: Record<SimdSet, string> = {
  "relaxed-dot": "multiplies and adds at once, four bytes, too",
  relaxed: "multiplies and adds at once, but not four bytes",
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
    return none(error instanceof Error ? error.message : String(error));
  }
}

function bestSet(relaxed: Relaxed): SimdSet {
  if (isImitated(relaxed)) return "simd128";
  return relaxed.has_fast_dots() ? "relaxed-dot" : "relaxed";
}

/** Steps of a measurement: a tenth of a millisecond or so. */
const STEPS = 20_000;

/**
 * Whether the engine has no instruction for a multiply-add, which then takes much longer than two instructions. In two
 * milliseconds, no engine has optimized the code; so a small difference means nothing.
 */
function isImitated({ fused, separate }: Relaxed): boolean {
  const times = { fused: Number.POSITIVE_INFINITY, separate: Number.POSITIVE_INFINITY };
  const measure = (name: keyof typeof times, work: (steps: number) => number) => {
    const start = performance.now();
    let [runs, spent] = [0, 0];
    // Clocks may be as coarse as a millisecond.
    while (spent <= 0) {
      work(STEPS);
      runs++;
      spent = performance.now() - start;
    }
    times[name] = Math.min(times[name], spent / runs);
  };
  for (let turn = 0; turn < 5; turn++) {
    measure("fused", fused);
    measure("separate", separate);
  }
  return times.fused > 2 * times.separate;
}
