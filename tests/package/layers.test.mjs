import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { dirname, join, normalize, relative } from "node:path";
import { test } from "node:test";
import { packageFolder } from "./support/install.mjs";

/** Folders of the package's source, from the lowest layer to the highest; `docs/architecture.md` describes them. */
const LAYERS = [".", "files", "engine", "worker", "api", "pipeline", "cli"];
/** Entry points, which may import from every layer, and the benchmark, which isn't published. */
const EXEMPT = /^(index\.ts|service-worker\.ts|bench\.ts|bench\/.*)$/;

const source = join(packageFolder, "src");

/** Imports that point to a higher layer. */
function upwardImports(name, text) {
  const layer = LAYERS.indexOf(dirname(name));
  const targets = [...text.matchAll(/from "(\.[^"]+)"/g)].map(([, path]) => normalize(join(dirname(name), path)));
  return targets.filter((target) => LAYERS.indexOf(dirname(target)) > layer).map((target) => `${name} → ${target}`);
}

test("the package's modules only import from their own and lower layers", async () => {
  const entries = await readdir(source, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
  const names = files.map((file) => relative(source, file).replaceAll("\\", "/")).filter((name) => !EXEMPT.test(name));
  assert.deepEqual([...new Set(names.map((name) => dirname(name)))].sort(), [...LAYERS].sort());
  const upward = [];
  for (const name of names) upward.push(...upwardImports(name, await readFile(join(source, name), "utf8")));
  assert.deepEqual(upward, []);
});

test("an import from a higher layer is detected", () => {
  assert.deepEqual(upwardImports("files/fetch.ts", 'import { Host } from "../worker/host.js";'), [
    "files/fetch.ts → worker/host.js",
  ]);
});
