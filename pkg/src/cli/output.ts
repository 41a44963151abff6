import { createHash } from "node:crypto";
import { mkdir, open, readdir, rm, rmdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { invalidInput, MobileBertError } from "../errors.js";
import { MANIFEST } from "../files/verify.js";

/** In a directory that a command hasn't completed. */
const INCOMPLETE = ".incomplete";

/** A new model directory; its `files.json` is written last. */
export class OutputFolder {
  private readonly entries: { name: string; bytes: number; sha256: string }[] = [];
  /** Files that this command has begun to write. */
  private readonly files: string[] = [];
  /** Folders that this command has created, the outer ones first. */
  private readonly folders: string[] = [];

  private constructor(
    private readonly path: string,
    /** True if an interrupted command has left files. */
    private readonly resumes: boolean,
  ) {}

  /** Refuses a folder that isn't empty, which could be someone's work, unless an interrupted command has left it. */
  static async create(path: string): Promise<OutputFolder> {
    const existing: string[] = await readdir(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return [];
      throw invalidInput("out", `${path}: ${error.message}`);
    });
    if (existing.length > 0 && !existing.includes(INCOMPLETE))
      throw invalidInput("out", `${path} is not empty; name a new directory`);
    return new OutputFolder(path, existing.length > 0);
  }

  /** Writes a file as its chunks arrive. */
  async write(name: string, chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<void> {
    const path = join(this.path, name);
    await stored(path, makeFolder(dirname(path), this.folders));
    const isFirst = this.files.length === 0;
    this.files.push(path);
    if (isFirst) await stored(path, writeFile(join(this.path, INCOMPLETE), ""));
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
    this.files.push(path);
    await stored(path, writeFile(path, `${json}\n`));
    await stored(path, rm(join(this.path, INCOMPLETE)));
  }

  /** Removes what this command has written, after an error. What an interrupted one has left stays marked as incomplete. */
  async discard(): Promise<void> {
    if (!this.resumes) this.files.push(join(this.path, INCOMPLETE));
    for (const file of this.files) await rm(file, { force: true }).catch(() => {});
    // Fails for those with other files, which stay.
    for (const folder of this.folders.reverse()) await rmdir(folder).catch(() => {});
  }
}

/**
 * Makes a folder and those that contain it; adds them to `created`. Node's `recursive` never ends where a folder is refused
 * with ENOENT, as in /proc.
 */
async function makeFolder(path: string, created: string[]): Promise<void> {
  const make = () =>
    mkdir(path).then(
      () => void created.push(path),
      (error: NodeJS.ErrnoException) => {
        if (error.code !== "EEXIST") throw error;
      },
    );
  await make().catch(async (error: NodeJS.ErrnoException) => {
    const parent = dirname(path);
    if (error.code !== "ENOENT" || parent === path) throw error;
    await makeFolder(parent, created);
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
