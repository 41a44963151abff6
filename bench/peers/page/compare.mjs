// Runs in the browser: loads engines and runs them in turns, on the page's main thread unless an engine has workers.
import { difference } from "./check.mjs";

/** Name in `comparisons.mjs` → the module that drives the engine. */
const MODULES = {
  mobilebert: "./engines/mobilebert.mjs",
  "onnxruntime-web": "./engines/onnxruntime.mjs",
  "transformers.js": "./engines/transformers.mjs",
  "LiteRT.js": "./engines/litert.mjs",
};

let engines = [];

/** Loads every engine in the given dtype; resolves to what each says about itself. */
globalThis.load = async (specifications, dtype) => {
  engines = [];
  for (const specification of specifications) {
    const { load } = await import(MODULES[specification.engine]);
    engines.push(await load({ ...specification, dtype }));
  }
  return engines.map(({ about }) => about);
};

globalThis.unload = async () => {
  for (const { end } of engines) await end();
};

/** Every engine's times in milliseconds over an input, in alternating order, and its differences from float64. */
globalThis.compare = async (input, runs, warmUp) => {
  const times = engines.map(() => []);
  const outcomes = [];
  for (const { prepare } of engines) await prepare?.(input);
  for (let run = 0; run < warmUp + runs; run++) {
    for (const [index, engine] of engines.entries()) {
      const started = performance.now();
      outcomes[index] = await engine.run(input);
      if (run >= warmUp) times[index].push(performance.now() - started);
    }
  }
  return engines.map((engine, index) => ({
    times: times[index],
    difference: difference(input, outcomes[index]),
    about: engine.about,
  }));
};

/** Loads one engine and asks it once: milliseconds since this page's navigation began. */
globalThis.first = async (specification, dtype, input) => {
  const { load } = await import(MODULES[specification.engine]);
  const engine = await load({ ...specification, dtype });
  await engine.prepare?.(input);
  const outcome = await engine.run(input);
  const milliseconds = performance.now();
  return { milliseconds, difference: difference(input, outcome), about: engine.about };
};
