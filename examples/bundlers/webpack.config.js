// webpack finds the worker and the wasm module by itself.
export default {
  mode: "production",
  entry: "./main.js",
  output: { path: `${import.meta.dirname}/public/dist` },
};
