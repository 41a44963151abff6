import { createHash } from "node:crypto";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The model directories at hand, by task: those that `MOBILEBERT_MODELS` names, or the project's own. */
export async function findModels() {
  const own = join(import.meta.dirname, "../../../models");
  const found = {};
  for (const parent of [process.env.MOBILEBERT_MODELS, own]) {
    if (!parent) continue;
    for (const name of await readdir(parent).catch(() => [])) {
      const text = await readFile(join(parent, name, "config.json"), "utf8").catch(() => undefined);
      if (text === undefined) continue;
      const architecture = JSON.parse(text).architectures?.[0] ?? "";
      const model = { name, folder: join(parent, name) };
      if (architecture.endsWith("ForQuestionAnswering")) found.answers ??= model;
      if (architecture.endsWith("ForSequenceClassification")) found.sentiment ??= model;
    }
  }
  if (!found.answers || !found.sentiment) {
    throw new Error("the tests need a model for questions and one for classification: set MOBILEBERT_MODELS");
  }
  return found;
}

/** Copies of a model, each with one fault of its own; gives their folders and how to remove them. */
export async function spoiltCopies(folder, faults) {
  const parent = await mkdtemp(join(tmpdir(), "mobilebert-spoilt-"));
  const folders = [];
  for (const [name, spoil] of Object.entries(faults)) {
    const copy = join(parent, name);
    await mkdir(copy);
    await cp(folder, copy, { recursive: true });
    // A list of sums would give every fault the same name.
    await rm(join(copy, "files.json"), { force: true });
    await spoil(copy);
    folders.push(copy);
  }
  return { folders, remove: () => rm(parent, { recursive: true }) };
}

/** Changes a file's bytes. */
export async function edit(path, change) {
  await writeFile(path, change(await readFile(path)));
}

/** Writes `files.json` for the files that a folder holds. */
export async function writeManifest(folder) {
  const entries = (await readdir(folder)).map(async (name) => {
    const bytes = await readFile(join(folder, name));
    return { name, bytes: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") };
  });
  await writeFile(join(folder, "files.json"), JSON.stringify(await Promise.all(entries)));
}
