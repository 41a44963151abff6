import { join } from "../files/streams.js";
import { OutputFolder, shown } from "./output.js";
import { complete } from "./safetensors.js";
import { type CliSource, type InputFile, openInputs } from "./source.js";

/** The type in `config.json`, whose key was `torch_dtype` before → the name in `files.json`. */
const DTYPES: Record<string, string> = { float16: "f16", bfloat16: "bf16" };

/** Downloads a model's files to a new folder. */
export async function fetchModel(source: CliSource, out: string): Promise<void> {
  const folder = await OutputFolder.create(out);
  const { config, small, weights, index, dtype } = await openInputs(source);
  try {
    const text = await join(config.chunks);
    for (const file of weights) await folder.write(file.name, shown(file.name, file.bytes, wholeWeights(file)));
    if (index) await folder.write(index.name, [new TextEncoder().encode(index.text)]);
    await folder.write(config.name, [text]);
    for (const file of small) await folder.write(file.name, file.chunks);
    const stated = JSON.parse(new TextDecoder().decode(text)) as { dtype?: string; torch_dtype?: string };
    await folder.finish(dtype ?? DTYPES[stated.dtype ?? stated.torch_dtype ?? ""] ?? "f32");
  } catch (error) {
    await folder.discard();
    throw error;
  }
  console.log(out);
}

/** Without a list of sizes, only the header of a file shows that it was cut off. */
function wholeWeights({ name, chunks }: InputFile): AsyncIterable<Uint8Array> {
  return name.endsWith(".safetensors") ? complete(name, chunks) : chunks;
}
