import { readFile } from "node:fs/promises";
import { startEngine } from "../engine/engine.js";
import { untilTrap } from "../engine/trap.js";
import { WEIGHTS } from "../files/model-files.js";
import { join } from "../files/streams.js";
import { OutputFolder, shown } from "./output.js";
import { type CliSource, openInputs } from "./source.js";

/** Writes a smaller copy of a model to a new folder. The weights are quantized as they arrive. */
export async function quantizeModel(source: CliSource, dtype: string, out: string): Promise<void> {
  const folder = await OutputFolder.create(out);
  const inputs = await openInputs(source);
  const config = await join(inputs.config.chunks);
  // Relative to the bundle in `dist/cli`.
  const wasmBytes = await readFile(new URL("../../wasm/mobilebert_bg.wasm", import.meta.url));
  const engine = await startEngine({ wasmUrl: undefined, wasmBytes });
  const quantizer = await untilTrap(() =>
    engine.Quantizer.create(new TextDecoder().decode(config), inputs.index?.text, dtype),
  );
  for (const file of inputs.weights) {
    await untilTrap(() => quantizer.beginFile(file.name, file.bytes));
    for await (const chunk of shown(file.name, file.bytes, file.chunks)) await untilTrap(() => quantizer.push(chunk));
  }
  try {
    await folder.write(
      WEIGHTS,
      parts(() => quantizer.nextPart()),
    );
    await folder.write("config.json", [config]);
    for (const file of inputs.small) await folder.write(file.name, file.chunks);
    await folder.finish(dtype);
  } catch (error) {
    await folder.discard();
    throw error;
  }
  console.log(out);
}

async function* parts(next: () => Uint8Array | undefined): AsyncGenerator<Uint8Array> {
  for (;;) {
    const part = await untilTrap(next);
    if (!part) return;
    yield part;
  }
}
