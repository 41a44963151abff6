// What is compared with what. In every comparison our engine comes first; ratios are its time over that of the others.

const own = (fields) => ({ engine: "mobilebert", device: "wasm", ...fields });
const onnxruntime = (fields) => ({ engine: "onnxruntime-web", device: "wasm", ...fields });
const transformers = (fields) => ({ engine: "transformers.js", device: "wasm", ...fields });
const litert = (fields) => ({ engine: "LiteRT.js", device: "wasm", dtypes: ["f32"], needs: "litert", ...fields });

/**
 * By name: `engines`, each with the `dtypes` it has (default: all); `sequences` (default: all); `isolated`, whether the
 * page is cross-origin isolated, without which no engine has threads; `gpu`, whether the browser may use a software
 * GPU; `cold`, whether every measurement is a new visit. `runs` and `warmUp` are the defaults of the options.
 */
export const COMPARISONS = {
  "one thread": {
    says: "WebAssembly, one thread: ids to logits (ours: question to answers)",
    runs: 20,
    warmUp: 3,
    engines: [own({ label: "mobilebert" }), onnxruntime({ label: "onnxruntime-web" }), litert({ label: "LiteRT.js" })],
  },
  relaxed: {
    says: "WebAssembly, one thread: with and without relaxed SIMD",
    runs: 20,
    warmUp: 5,
    engines: [
      own({ label: "mobilebert" }),
      own({ label: "mobilebert, simd128", simd: "simd128" }),
      own({ label: "mobilebert, dots", simd: "relaxed-dot", dtypes: ["q8"] }),
      onnxruntime({ label: "onnxruntime-web" }),
    ],
  },
  "two threads": {
    says: "WebAssembly, two threads, a cross-origin isolated page",
    isolated: true,
    runs: 20,
    // Ours starts a second worker after two seconds of computing, and then finds out whether sharing a run is faster.
    warmUp: 60,
    engines: [
      own({ label: "mobilebert, 2", threads: 2 }),
      own({ label: "mobilebert, 1", worker: true }),
      onnxruntime({ label: "onnxruntime-web, 2", threads: 2 }),
      litert({ label: "LiteRT.js, 2", threads: 2 }),
    ],
  },
  answers: {
    says: "WebAssembly, one thread: question to answer",
    runs: 20,
    warmUp: 3,
    engines: [own({ label: "mobilebert", worker: true }), transformers({ label: "transformers.js" })],
  },
  cold: {
    says: "WebAssembly, one thread: start of a first visit to the first answer, all files from this machine",
    cold: true,
    runs: 7,
    warmUp: 1,
    sequences: [128],
    engines: [
      own({ label: "mobilebert", worker: true, stored: true }),
      transformers({ label: "transformers.js" }),
      onnxruntime({ label: "onnxruntime-web" }),
    ],
  },
  gpu: {
    says: "WebGPU: ids to logits (ours: question to answers)",
    gpu: true,
    runs: 5,
    warmUp: 1,
    sequences: [128],
    engines: [
      own({ label: "mobilebert, tiled", device: "webgpu", schedule: "tiled" }),
      own({ label: "mobilebert, chain", device: "webgpu", schedule: "chain" }),
      onnxruntime({ label: "onnxruntime-web", device: "webgpu", dtypes: ["f32"] }),
    ],
  },
};

/** Largest allowed difference of our scores from float64, over the logits' rms. Eight bits cost a tenth. */
export const TOLERANCE = { f32: 1e-4, q8: 0.3 };
