// transformers.js: its pipeline, from a question to an answer.
import { env, pipeline } from "@huggingface/transformers";

const ORT = "/node_modules/@huggingface/transformers/node_modules/onnxruntime-web/dist/";
/** Its names of dtypes. */
const DTYPES = { f32: "fp32", q8: "q8" };

export async function load({ device, dtype, threads = 1 }) {
  env.allowRemoteModels = false;
  env.allowLocalModels = true;
  env.localModelPath = "/transformers/";
  env.backends.onnx.wasm.numThreads = threads;
  env.backends.onnx.wasm.wasmPaths = ORT;
  const answerer = await pipeline("question-answering", "model", { device, dtype: DTYPES[dtype] });
  return {
    about: { version: env.version, device },
    async run(input) {
      const { answer } = await answerer(input.question, input.context);
      return { answer };
    },
    end: () => answerer.dispose(),
  };
}
