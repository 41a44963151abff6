import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { toError } from "../errors.js";
import { fetchModel } from "./fetch.js";
import { quantizeModel } from "./quantize.js";
import { nameOf } from "./source.js";

const USAGE = `Usage:
  mobilebert fetch MODEL [--out DIR]                      downloads a model, by default to models/NAME
  mobilebert quantize MODEL --dtype f16|q8|q4 --out DIR   writes a smaller copy

MODEL is a Hugging Face id (owner/name or owner/name@revision), a directory, or a directory's URL.

Options:
  --endpoint URL       host for ids; by default HF_ENDPOINT or https://huggingface.co
  --revision NAME      branch, tag or commit of an id; by default main
  --follow-base-model  if an id has only ONNX files, take the model that it was made from
  --help, --version

HF_TOKEN gives access to private models; it is sent for ids only. The new directory has a files.json with sizes and hashes.`;

const OPTIONS = {
  out: { type: "string" },
  dtype: { type: "string" },
  endpoint: { type: "string" },
  revision: { type: "string" },
  "follow-base-model": { type: "boolean" },
  help: { type: "boolean" },
  version: { type: "boolean" },
} as const;

/** Wrong arguments: exit code 2. */
class UsageError extends Error {}

async function run(): Promise<void> {
  const { values, positionals } = parse();
  if (values.help) return console.log(USAGE);
  if (values.version) return console.log(await version());
  const empty = Object.entries(values).find(([, value]) => value === "");
  if (empty) throw new UsageError(`--${empty[0]} is empty`);
  const [command, model, ...rest] = positionals;
  if (command !== "fetch" && command !== "quantize") {
    throw new UsageError(command ? `unknown command ${command}` : "no command");
  }
  if (!model || rest.length > 0) throw new UsageError(`${command} takes one model`);
  const { endpoint = process.env.HF_ENDPOINT, revision } = values;
  const token = process.env.HF_TOKEN?.trim();
  const source = {
    model,
    followBaseModel: values["follow-base-model"] ?? false,
    ...(endpoint && { endpoint }),
    ...(revision && { revision }),
    ...(token && { token }),
  };
  if (command === "fetch") {
    if (values.dtype !== undefined) throw new UsageError("--dtype belongs to quantize");
    return await fetchModel(source, values.out ?? `models/${await nameOf(source)}`);
  }
  const { dtype, out } = values;
  if (!["f16", "q8", "q4"].includes(dtype ?? "")) throw new UsageError("quantize needs --dtype f16, q8 or q4");
  if (!out) throw new UsageError("quantize needs --out DIR");
  await quantizeModel(source, dtype as string, out);
}

function parse() {
  try {
    return parseArgs({ args: process.argv.slice(2), options: OPTIONS, allowPositionals: true });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

async function version(): Promise<string> {
  // Relative to the bundle in `dist/cli`.
  return JSON.parse(await readFile(new URL("../../package.json", import.meta.url), "utf8")).version;
}

run().catch((error) => {
  if (error instanceof UsageError) {
    console.error(`mobilebert: ${error.message}\n\n${USAGE}`);
    process.exitCode = 2;
    return;
  }
  // Whatever a server sent stays on one line.
  const line = `mobilebert: ${toError(error).message.replace(/\s+/g, " ")}\n`;
  // A response that isn't read would keep the process alive.
  process.stderr.write(line, () => process.exit(1));
});
