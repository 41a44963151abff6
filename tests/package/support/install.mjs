import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";

const execute = promisify(execFile);
const root = join(import.meta.dirname, "../../..");

/** The package's source folder. */
export const packageFolder = join(root, "pkg");

/** Runs npm and returns its output. `environment` adds environment variables. */
export function npm(args, { cwd, environment = {} }) {
  const env = { ...process.env, npm_config_audit: "false", npm_config_fund: "false", ...environment };
  return execute("npm", args, { cwd, env, maxBuffer: 1 << 24 });
}

/** Creates a temporary folder; returns a function that removes it. */
export async function temporaryFolder() {
  const folder = await mkdtemp(join(tmpdir(), "mobilebert-package-"));
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** Packs the package as npm would publish it; returns the tarball's path and its files. */
export async function pack(destination) {
  const { stdout } = await npm(["pack", "--json", "--pack-destination", destination], { cwd: packageFolder });
  const printed = JSON.parse(stdout);
  const [{ filename, files }] = Array.isArray(printed) ? printed : Object.values(printed);
  return { tarball: join(destination, filename), files: files.map(({ path }) => path).sort() };
}

/** Installs the packed package into an empty project, as a user would, and returns its exports. */
export async function install(folder) {
  await writeFile(join(folder, "package.json"), JSON.stringify({ name: "user", private: true, type: "module" }));
  const { tarball } = await pack(folder);
  await npm(["install", "--offline", tarball], { cwd: folder });
  // Import it from there by its name.
  const entry = join(folder, "entry.mjs");
  await writeFile(entry, 'export * from "mobilebert";\n');
  return { folder, tarball, exports: await import(pathToFileURL(entry).href) };
}
