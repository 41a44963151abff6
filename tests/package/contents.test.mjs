import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { devNull } from "node:os";
import { dirname, join, normalize } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { install, npm, pack, packageFolder, temporaryFolder } from "./support/install.mjs";

const execute = promisify(execFile);

/** Files of the package, apart from its types. */
const parts = [
  "LICENSE",
  "README.md",
  "dist/cli/main.js",
  "dist/index.js",
  "dist/index.js.map",
  "dist/mobilebert.js",
  "dist/mobilebert.js.map",
  "dist/service-worker.js",
  "dist/service-worker.js.map",
  "dist/worker.js",
  "dist/worker.js.map",
  "package.json",
  "wasm/mobilebert_bg.wasm",
];

let temporary;
before(async () => {
  temporary = await temporaryFolder();
  await install(temporary.folder);
});
after(() => temporary?.remove());

/** Declarations that `entry` imports, directly or indirectly. */
async function reachableTypes(entry, found) {
  if (found.has(entry)) return found;
  found.add(entry);
  const text = await readFile(join(packageFolder, entry), "utf8");
  for (const [, specifier] of text.matchAll(/(?:from|import\()\s*"(\.[^"]+)\.js"/g)) {
    await reachableTypes(normalize(join(dirname(entry), `${specifier}.d.ts`)), found);
  }
  return found;
}

test("the package contains its code, types, wasm module, README and license, and nothing else", async () => {
  const { files } = await pack(temporary.folder);
  const types = new Set();
  for (const entry of ["dist/index.d.ts", "dist/service-worker.d.ts", "dist/worker/worker.d.ts"])
    await reachableTypes(entry, types);
  assert.deepEqual(files, [...parts, ...types].sort());
});

test("`npm publish --dry-run` gives no warning", async () => {
  // An empty local registry, so that neither an account nor the network is needed.
  const registry = createServer((_, response) =>
    response.writeHead(404, { "content-type": "application/json" }).end("{}"),
  );
  await new Promise((resolve) => registry.listen(0, "127.0.0.1", resolve));
  const host = `127.0.0.1:${registry.address().port}/`;
  const environment = { npm_config_userconfig: devNull, [`npm_config_//${host}:_authToken`]: "none" };
  try {
    const args = ["publish", "--dry-run", `--registry=http://${host}`];
    const { stdout, stderr } = await npm(args, { cwd: packageFolder, environment });
    const complaints = stderr.split("\n").filter((line) => /^npm (warn|error)/i.test(line));
    assert.deepEqual(complaints, []);
    assert.match(stdout, /^\+ mobilebert@\d/m);
  } finally {
    registry.close();
  }
});

test("importing it has no side effects: no globals are read or changed, and nothing keeps running", async () => {
  const script = join(temporary.folder, "bare.mjs");
  // In a separate process, because this one has loaded other modules.
  await writeFile(
    script,
    `const touched = [];
for (const name of ["window", "document", "navigator", "self", "location", "Worker", "caches", "indexedDB", "GPU",
  "fetch", "WebAssembly", "postMessage", "addEventListener", "performance", "crypto"]) {
  const value = globalThis[name];
  Object.defineProperty(globalThis, name, { configurable: true, get: () => (touched.push(name), value) });
}
const before = Reflect.ownKeys(globalThis).map(String);
const running = process.getActiveResourcesInfo().filter((name) => !/Pipe|TTY/.test(name));
const { QuestionAnswering } = await import("mobilebert");
const after = Reflect.ownKeys(globalThis).map(String);
const stillRunning = process.getActiveResourcesInfo().filter((name) => !/Pipe|TTY/.test(name));
const added = after.filter((name) => !before.includes(name));
console.log(JSON.stringify({ touched, added, running, stillRunning, type: typeof QuestionAnswering.load }));
`,
  );
  const { stdout } = await execute(process.execPath, [script]);
  const { touched, added, running, stillRunning, type } = JSON.parse(stdout);
  assert.deepEqual({ touched, added }, { touched: [], added: [] });
  assert.deepEqual(stillRunning, running);
  assert.equal(type, "function");
});

/** Compiler flags of users: for a bundled page, for Node without DOM types, and the strictest. */
const compilers = {
  "a page, bundled": { module: "esnext", moduleResolution: "bundler", lib: "es2022,dom,dom.iterable", types: "" },
  "Node, without the DOM": { module: "nodenext", moduleResolution: "nodenext", lib: "es2023", types: "node" },
};
/** Compiles a file of this folder as a user's program, with lines added at its end. */
async function compile(name, flags, lines = []) {
  const text = await readFile(join(import.meta.dirname, name), "utf8");
  await compileTexts({ [name]: [text, ...lines, ""].join("\n") }, flags);
}

/** Compiles a user's programs, by the names of their files. */
async function compileTexts(programs, flags) {
  const modules = join(packageFolder, "node_modules");
  const all = { strict: "true", target: "es2022", typeRoots: join(modules, "@types"), ...flags };
  const args = Object.entries(all).flatMap(([flag, value]) => [`--${flag}`, value]);
  for (const [name, text] of Object.entries(programs)) await writeFile(join(temporary.folder, name), text);
  const options = { cwd: temporary.folder };
  const tsc = execute(join(modules, ".bin/tsc"), ["--noEmit", ...args, ...Object.keys(programs)], options);
  await tsc.catch(({ stdout }) => assert.fail(stdout));
}

for (const [name, flags] of Object.entries(compilers)) {
  test(`the types compile in strict mode without skipLibCheck: ${name}`, () => compile("reader.ts", flags));
}

test("the programs in the guide for users of transformers.js compile in strict mode", async () => {
  const guide = await readFile(join(packageFolder, "../docs/from-transformers-js.md"), "utf8");
  const programs = [...guide.matchAll(/^```js\n(.*?)^```$/gms)].map(([, program], i) => [`guide-${i}.ts`, program]);
  assert.ok(programs.length > 3, `${programs.length} programs`);
  await compileTexts(Object.fromEntries(programs), compilers["a page, bundled"]);
});

test("a FileList is a model's files, also without `dom.iterable`, which says that it can be iterated", async () => {
  const lines = ["declare const picked: FileList;", "await QuestionAnswering.load(picked);"];
  for (const lib of ["es2022,dom", "es2022,dom,dom.iterable"]) {
    await compile("reader.ts", { ...compilers["a page, bundled"], lib }, lines);
  }
});

test("every option may be `undefined`, and every model can be held by `await using`", async () => {
  const index = await readFile(join(packageFolder, "src/index.ts"), "utf8");
  const types = index.match(/\b\w+Options\b/g);
  assert.ok(types.includes("LoadOptions") && types.includes("PipelineOptions"), types.join(", "));
  const checks = types.map((type) => `true satisfies AcceptsUndefined<import("mobilebert").${type}>;`);
  const lib = `${compilers["a page, bundled"].lib},esnext.disposable`;
  await compile("exact.ts", { ...compilers["a page, bundled"], lib, exactOptionalPropertyTypes: "true" }, checks);
});

test("the bundles contain no code from strings, and no `import()` that bundlers can't resolve", async () => {
  for (const name of ["index", "mobilebert", "worker", "service-worker"]) {
    const text = await readFile(join(packageFolder, `dist/${name}.js`), "utf8");
    assert.ok(!/\bnew Function\b|\beval\(/.test(text), name);
    const imports = [...text.matchAll(/\bimport\(([^)]*)\)/g)].map(([, specifier]) => specifier);
    // Node's built-in modules are marked for every bundler.
    const unmarked = imports.filter(
      (specifier) => !/^["'].*["']$|webpackIgnore.*turbopackIgnore.*@vite-ignore/.test(specifier),
    );
    assert.deepEqual(unmarked, [], name);
  }
});

test("the file for service workers contains neither workers nor `import()`, which they don't allow", async () => {
  const text = await readFile(join(packageFolder, "dist/service-worker.js"), "utf8");
  const forbidden = /\bimport\s*\(|\bnew\s+Worker\b|\bimportScripts\b|\bimport\s*["']|\bfrom\s*["']/;
  assert.equal(forbidden.exec(text)?.[0], undefined);
});
