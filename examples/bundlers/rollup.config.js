import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import resolve from "@rollup/plugin-node-resolve";

const wasm = createRequire(import.meta.url).resolve("mobilebert/wasm/mobilebert_bg.wasm");

// The worker next to the page's script, and the wasm module in `../wasm/`, as in the package.
export default {
  input: { main: "main.js", worker: "mobilebert/worker" },
  output: { dir: "public", entryFileNames: "dist/[name].js", chunkFileNames: "dist/[name].js" },
  plugins: [
    resolve(),
    {
      name: "mobilebert-wasm",
      generateBundle() {
        this.emitFile({ type: "asset", fileName: "wasm/mobilebert_bg.wasm", source: readFileSync(wasm) });
      },
    },
  ],
};
