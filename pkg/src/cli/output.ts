import { createHash } from "node:crypto";
import { mkdir, open, readdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { invalidInput, MobileBertError } from "../errors.js";
import { MANIFEST } from "../files/verify.js";

/** In a directory that a command hasn't completed. */
const INCOMPLETE = ".incomplete";

/** A new model directory; its `files.json` is written last. */
export class OutputFolder {
  private readonly entries: { name: string; bytes: number; sha256: string }[] = [];

  private constructor(private readonly path: string) {}

  /** Refuses a folder that isn't empty, which could be someone's work, unless an interrupted command has left it. */
  static async create(path: string): Promise<OutputFolder> {
    const existing: string[] = await readdir(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return [];
      throw invalidInput("out", `${path}: ${error.message}`);
    });
    if (existing.length > 0 && !existing.includes(INCOMPLETE))
      throw invalidInput("out", `${path} is not empty; name a new directory`);
    return new OutputFolder(path);
  }

  /** Writes a file as its chunks arrive. */
  async write(name: string, chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<void> {
    const path = join(this.path, name);
    await stored(path, makeFolder(dirname(path)));
    if (this.entries.length === 0) await stored(path, writeFile(join(this.path, INCOMPLETE), ""));
    const file = await stored(path, open(path, "w"));
    const hash = createHash("sha256");
    let bytes = 0;
    try {
      for await (const chunk of chunks) {
        hash.update(chunk);
        bytes += chunk.length;
        await stored(path, file.writeFile(chunk));
      }
    } finally {
      await file.close();
    }
    this.entries.push({ name, bytes, sha256: hash.digest("hex") });
  }

  /** Writes `files.json`, as `mobilebert quantize` in Rust does. */
  async finish(dtype: string): Promise<void> {
    const json = JSON.stringify({ format: 1, dtype, files: this.entries }, null, 2);
    const path = join(this.path, MANIFEST);
    await stored(path, writeFile(path, `${json}\n`));
    await stored(path, rm(join(this.path, INCOMPLETE)));
  }

  /** Removes the directory, after an error. */
  async discard(): Promise<void> {
    await rm(this.path, { force: true, recursive: true }).catch(() => {});
  }
}

/** Makes a folder and those that contain it. Node's `recursive` never ends where a folder is refused with ENOENT, as in /proc. */
async function makeFolder(path: string): Promise<void> {
  const make = () =>
    mkdir(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error;
    });
  await make().catch(async (error: NodeJS.ErrnoException) => {
    const parent = dirname(path);
    if (error.code !== "ENOENT" || parent === path) throw error;
    await makeFolder(parent);
    await make();
  });
}

/** Names the file that could not be written: no room, or no permission. */
function stored<T>(path: string, work: Promise<T>): Promise<T> {
  return work.catch((error: Error) => {
    throw new MobileBertError("quota", `${path}: ${error.message}`, { file: path });
  });
}

/** Shows the progress of a file on a terminal. */
export async function* shown(
  name: string,
  total: number | undefined,
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const { stderr } = process;
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (stderr.isTTY) {
      const done = total ? `${Math.floor((100 * bytes) / total)} %` : `${(bytes / 1e6).toFixed(1)} MB`;
      stderr.write(`\r\x1b[K${name}: ${done}`);
    }
    yield chunk;
  }
  if (stderr.isTTY) stderr.write("\r\x1b[K");
}
