// LiteRT.js with XNNPACK: the network alone, one file per length (`convert_litert.py`).
import { loadAndCompile, loadLiteRt, Tensor } from "@litertjs/core";

export async function load({ threads = 1 }) {
  const { version } = await (await fetch("/node_modules/@litertjs/core/package.json")).json();
  await loadLiteRt("/node_modules/@litertjs/core/wasm/", { threads: threads > 1 });
  let model;
  let length;
  let tensors;
  const free = () => {
    for (const tensor of tensors ?? []) tensor.delete();
    model?.delete();
  };
  return {
    about: { version, device: "wasm" },
    async prepare(input) {
      free();
      length = input.input_ids.length;
      model = await loadAndCompile(`/litert/model_${length}.tflite`, {
        accelerator: "wasm",
        cpuOptions: { numThreads: threads },
      });
      const values = [input.input_ids, new Array(length).fill(1), input.token_type_ids];
      tensors = values.map((ids) => Tensor.fromTypedArray(Int32Array.from(ids), [1, length]));
    },
    async run() {
      const outputs = await model.run(tensors);
      const [starts, ends] = outputs.map((output) => output.toTypedArray().slice());
      for (const output of outputs) output.delete();
      return { starts, ends };
    },
    end: free,
  };
}
