import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { findModels } from "../browser/support/models.mjs";
import { install, temporaryFolder } from "./support/install.mjs";

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
