import { join } from "../files/streams.js";
import { OutputFolder, shown } from "./output.js";
import { type CliSource, openInputs } from "./source.js";

/** `torch_dtype` in `config.json` → the name in `files.json`. */
const DTYPES: Record<string, string> = { float16: "f16", bfloat16: "bf16" };

/** Downloads a model's files to a new folder. */
export async function fetchModel(source: CliSource, out: string): Promise<void> {
  const folder = await OutputFolder.create(out);
  const { config, small, weights, index } = await openInputs(source);
  try {
    const text = await join(config.chunks);
    for (const file of weights) await folder.write(file.name, shown(file.name, file.bytes, file.chunks));
    if (index) await folder.write(index.name, [new TextEncoder().encode(index.text)]);
    await folder.write(config.name, [text]);
    for (const file of small) await folder.write(file.name, file.chunks);
    const { torch_dtype: dtype } = JSON.parse(new TextDecoder().decode(text)) as { torch_dtype?: string };
    await folder.finish(DTYPES[dtype ?? ""] ?? "f32");
  } catch (error) {
    await folder.discard();
    throw error;
  }
  console.log(out);
}
