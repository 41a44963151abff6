import { type Checks, checkOptions, isFunction, oneOf, orNull, shown } from "./check.js";
import { invalidInput } from "./errors.js";
import { LOAD } from "./options.js";
import type { PipelineOptions, PipelineProgress, Texts } from "./pipeline-types.js";
import type { Dtype, LoadOptions, ModelSource, Progress } from "./types.js";

const { onProgress: _, ...SHARED } = LOAD;
const OPTIONS: Checks<PipelineOptions> = {
  ...SHARED,
  device: orNull(oneOf("auto", "webgpu", "wasm", "cpu")),
  dtype: orNull(oneOf("fp32", "fp16", "int8", "f32", "f16", "q8", "q4")),
  progress_callback: orNull(isFunction),
};

/** Options of transformers.js that there are none of here, and what to do instead. */
const FOREIGN: Record<string, string> = {
  quantized: 'not there; `dtype: "q8"` converts the weights while they load',
  local_files_only: "not there; a directory's address, which ends in `/`, is never looked up on the Hub",
  cache_dir: "not there; the browser keeps the files unless `cache` is false",
  subfolder: "not there; give the address of the directory in which `config.json` lies",
  model_file_name: "not there; weights are read from `model.safetensors`, or from the shards that its index names",
  config: "not there; the model's own `config.json` is read",
  use_external_data_format: "not there; it is of ONNX files, and `model.safetensors` is read",
  session_options: "not there; it is of the ONNX runtime, and none is used",
  onProgress: "not there; `progress_callback` is told in the words of transformers.js",
};

const DTYPES: Record<string, Dtype> = { fp32: "f32", fp16: "f16", int8: "q8" };

/** The options of `load` for those of `pipeline()`. */
export function loadOptions(name: string, options: PipelineOptions): LoadOptions {
  checkOptions(options, OPTIONS, FOREIGN);
  const { device, dtype, progress_callback: report, ...rest } = options;
  const found: LoadOptions = {};
  for (const [option, value] of Object.entries(rest)) {
    if (!Object.hasOwn(FOREIGN, option)) Object.assign(found, { [option]: value });
  }
  if (device) found.device = device === "cpu" ? "wasm" : device;
  if (dtype) found.dtype = DTYPES[dtype] ?? (dtype as Dtype);
  if (report) found.onProgress = translator(name, report);
  return found;
}

/** Here no task has a model of its own. */
export function checkModel(model: ModelSource | null | undefined): void {
  if (model !== undefined && model !== null) return;
  const name = "name one, as a directory's address `models/x/` or a Hugging Face id `owner/name`";
  throw invalidInput("model", `none was given, and no task has a default model here; ${name}`);
}

/** One text or several. */
export function checkTexts(field: string, texts: unknown): asserts texts is Texts {
  const list = Array.isArray(texts) ? texts : [texts];
  const wrong = list.find((text) => typeof text !== "string");
  if (list.every((text) => typeof text === "string")) return;
  throw invalidInput(field, `${shown(wrong)} is not a text; give a string or a list of strings`);
}

function translator(name: string, report: (event: PipelineProgress) => void) {
  const begun = new Set<string>();
  return ({ file, loaded, total }: Progress) => {
    if (file && !begun.has(file)) {
      begun.add(file);
      report({ status: "initiate", name, file });
    }
    const progress = total > 0 ? (100 * loaded) / total : 0;
    report({ status: "progress_total", name, file, progress, loaded, total });
  };
}
