// onnxruntime-web: the network alone, from ids to logits.

/** The same weights by dtype. */
const FILES = { f32: "model.onnx", q8: "model_quantized.onnx" };

export async function load({ device, dtype, threads = 1 }) {
  const isGpu = device === "webgpu";
  const ort = await import(isGpu ? "onnxruntime-web/webgpu" : "onnxruntime-web");
  ort.env.wasm.numThreads = threads;
  ort.env.wasm.proxy = false;
  ort.env.wasm.wasmPaths = "/node_modules/onnxruntime-web/dist/";
  const session = await ort.InferenceSession.create(`/model/${FILES[dtype]}`, {
    executionProviders: [isGpu ? "webgpu" : "wasm"],
    graphOptimizationLevel: "all",
  });
  let feeds;
  return {
    about: { version: ort.env.versions.web, device },
    prepare(input) {
      const length = input.input_ids.length;
      const tensor = (values) => new ort.Tensor("int64", BigInt64Array.from(values, BigInt), [1, length]);
      feeds = {
        input_ids: tensor(input.input_ids),
        attention_mask: tensor(new Array(length).fill(1)),
        token_type_ids: tensor(input.token_type_ids),
      };
    },
    async run() {
      const { start_logits, end_logits } = await session.run(feeds);
      return { starts: start_logits.data, ends: end_logits.data };
    },
    end: () => session.release(),
  };
}
