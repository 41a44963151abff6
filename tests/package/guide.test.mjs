import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { findModels } from "../browser/support/models.mjs";
import { install, packageFolder, temporaryFolder } from "./support/install.mjs";

const execute = promisify(execFile);
const guide = await readFile(join(import.meta.dirname, "../../docs/from-transformers-js.md"), "utf8");
/** Each program in the guide with its stated output. */
const programs = [...guide.matchAll(/^```js\n(.*?)^```\n\n^```text\n(.*?)^```$/gms)];

let temporary;
before(async () => {
  const models = await findModels();
  temporary = await temporaryFolder();
  await install(temporary.folder);
  await mkdir(join(temporary.folder, "models"));
  await symlink(models.answers.folder, join(temporary.folder, "models/squad"), "junction");
  await symlink(models.sentiment.folder, join(temporary.folder, "models/sst2"), "junction");
});
after(() => temporary?.remove());

test("the first example in the package's README runs as it is", async () => {
  const readme = await readFile(join(packageFolder, "README.md"), "utf8");
  const [, program] = /```ts\n(.*?)```/s.exec(readme) ?? assert.fail("no program");
  const [, id] = /load\("([\w-]+\/[\w.-]+)"\)/.exec(program) ?? assert.fail("no model named by id");
  // Replaces the Hub: this project's model under that id, also for the package's worker.
  const { answers } = await findModels();
  const hub = join(temporary.folder, "hub.mjs");
  await writeFile(
    hub,
    `import { readFile } from "node:fs/promises";
const base = "https://huggingface.co/${id}/resolve/main/";
globalThis.fetch = async (input) => {
  const url = String(input?.url ?? input);
  const bytes = url.startsWith(base) && (await readFile(${JSON.stringify(`${answers.folder}/`)} + url.slice(base.length)).catch(() => null));
  return new Response(bytes || "not found", { status: bytes ? 200 : 404 });
};`,
  );
  const file = join(temporary.folder, "readme.mjs");
  await writeFile(file, program);
  const env = { ...process.env, NODE_OPTIONS: `--import=${pathToFileURL(hub)}` };
  const { stdout } = await execute(process.execPath, [file], { cwd: temporary.folder, env, timeout: 180_000 });
  const [, text, start] = /console\.log\(answers\[0\]\); \/\/ \{ text: "(.*?)", start: (\d+)/.exec(program);
  assert.ok(stdout.includes(`text: '${text}'`) && stdout.includes(`start: ${start}`), stdout);
});

test("every program in the guide is followed by its output", () => {
  assert.equal(programs.length, guide.match(/^```js$/gm).length);
  assert.ok(programs.length >= 5, `${programs.length} programs`);
});

for (const [i, [, program, printed]] of programs.entries()) {
  test(`program ${i + 1} in "From transformers.js" prints the stated output`, async () => {
    const file = join(temporary.folder, `program-${i + 1}.mjs`);
    await writeFile(file, program);
    const { stdout } = await execute(process.execPath, [file], { cwd: temporary.folder, timeout: 180_000 });
    assert.equal(stdout, printed);
  });
}
