import { createHash } from "node:crypto";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Finds a model directory per task, in `MOBILEBERT_MODELS` or among the project's own models. */
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
    throw new Error("the tests need a question-answering and a classification model; set MOBILEBERT_MODELS");
  }
  return found;
}

/** Makes copies of a model with one fault each; returns their folders and a function that removes them. */
export async function damagedCopies(folder, faults) {
  const parent = await mkdtemp(join(tmpdir(), "mobilebert-damaged-"));
  const folders = [];
  for (const [name, damage] of Object.entries(faults)) {
    const copy = join(parent, name);
    await mkdir(copy);
    await cp(folder, copy, { recursive: true });
    // With checksums, every fault would give the same error.
    await rm(join(copy, "files.json"), { force: true });
    await damage(copy);
    folders.push(copy);
  }
  return { folders, remove: () => rm(parent, { recursive: true }) };
}

/** Modifies a file's bytes. */
export async function edit(path, change) {
  await writeFile(path, change(await readFile(path)));
}

/** Writes `files.json` for the files in a folder. */
export async function writeManifest(folder) {
  const entries = (await readdir(folder)).map(async (name) => {
    const bytes = await readFile(join(folder, name));
    return { name, bytes: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") };
  });
  await writeFile(join(folder, "files.json"), JSON.stringify(await Promise.all(entries)));
}
