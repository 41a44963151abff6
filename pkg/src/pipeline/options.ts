import { invalidInput } from "../errors.js";
import { CALL, type Check, type Checks, checkOptions, isFunction, LOAD, oneOf, orNull, shown } from "../options.js";
import type { DeviceKind, Dtype, LoadOptions, ModelSource, Progress } from "../types.js";
import type { PipelineCallOptions, PipelineOptions, PipelineProgress, Texts } from "./types.js";

/** Devices and data types by the names that are used here and in transformers.js. */
const DEVICES: Record<string, DeviceKind> = { webgpu: "webgpu", wasm: "wasm", cpu: "wasm", gpu: "webgpu" };
const DTYPES: Record<string, Dtype> = {
  fp32: "f32",
  fp16: "f16",
  int8: "q8",
  f32: "f32",
  f16: "f16",
  q8: "q8",
  q4: "q4",
};

const { onProgress: _, ...SHARED } = LOAD;
const OPTIONS: Checks<PipelineOptions> = {
  ...SHARED,
  device: orNull(oneOf("auto", ...Object.keys(DEVICES))),
  dtype: orNull(oneOf("auto", ...Object.keys(DTYPES))),
  progress_callback: orNull(isFunction),
};

/** Options of transformers.js that aren't supported, with advice on what to use instead. */
const FOREIGN: Record<string, string> = {
  quantized: 'not supported; `dtype: "q8"` converts the weights during loading',
  local_files_only: "not supported; a directory URL, which ends in `/`, is never looked up on the Hub",
  cache_dir: "not supported; the browser caches the files unless `cache` is false",
  subfolder: "not supported; pass the URL of the directory that contains `config.json`",
  model_file_name:
    "not supported; weights are read from `model.safetensors`, `pytorch_model.bin` or the shards listed in their indexes",
  config: "not supported; the model's own `config.json` is used",
  use_external_data_format: "not supported; it applies to ONNX files, but weights are read from `model.safetensors`",
  session_options: "not supported; it applies to ONNX Runtime, which is not used",
  onProgress: "not supported; use `progress_callback`, as in transformers.js",
};

const isSetting: Check = (value) => {
  return ["boolean", "string"].includes(typeof value) ? undefined : `${shown(value)} is not true, false or a string`;
};

/** Options of every call. */
export const TEXT_CALL: Checks<PipelineCallOptions> = { ...CALL, truncation: isSetting, padding: isSetting };

/** Converts the options of `pipeline()` to those of `load`. */
export function loadOptions(name: string, options: PipelineOptions): LoadOptions {
  checkOptions(options, OPTIONS, FOREIGN);
  const { device, dtype, progress_callback: report, ...rest } = options;
  const found: LoadOptions = {};
  for (const [option, value] of Object.entries(rest)) {
    if (!Object.hasOwn(FOREIGN, option)) Object.assign(found, { [option]: value });
  }
  // `auto` is the default of both.
  found.device = DEVICES[device ?? ""];
  found.dtype = DTYPES[dtype ?? ""];
  if (report) found.onProgress = progressTranslator(name, report);
  return found;
}

/** Rejects a missing model: unlike in transformers.js, tasks have no default model. */
export function checkModel(model: ModelSource | null | undefined): void {
  if (model !== undefined && model !== null) return;
  const hint = "pass a directory URL such as `models/x/` or a Hugging Face id `owner/name`";
  throw invalidInput("model", `missing, and no task has a default model; ${hint}`);
}

/** Rejects anything but a string or an array of strings. */
export function checkTexts(field: string, texts: unknown): asserts texts is Texts {
  const list = Array.isArray(texts) ? texts : [texts];
  const wrong = list.findIndex((text) => typeof text !== "string");
  if (wrong === -1) return;
  throw invalidInput(field, `${shown(list[wrong])} is not a text; pass a string or an array of strings`);
}

/** Converts progress of a load to events of transformers.js. */
function progressTranslator(name: string, report: (event: PipelineProgress) => void) {
  const started = new Set<string>();
  const done = new Set<string>();
  const percent = (loaded: number, total: number) => (total > 0 ? (100 * loaded) / total : 0);
  return ({ file, loaded, total: sum, totalKnown, fileLoaded, fileTotal }: Progress) => {
    if (file && !started.has(file)) {
      started.add(file);
      report({ status: "initiate", name, file });
      report({ status: "download", name, file });
    }
    if (file && !done.has(file)) {
      const progress = percent(fileLoaded, fileTotal);
      report({ status: "progress", name, file, progress, loaded: fileLoaded, total: fileTotal });
      if (progress === 100) {
        done.add(file);
        report({ status: "done", name, file });
      }
    }
    const total = totalKnown ? sum : 0;
    report({ status: "progress_total", name, file, progress: percent(loaded, total), loaded, total });
  };
}
