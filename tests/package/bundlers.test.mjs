import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { examples, prepareExamples } from "./support/examples.mjs";
import { startHost } from "./support/host.mjs";
import { npm } from "./support/install.mjs";

let prepared;
before(async () => {
  prepared = await prepareExamples();
});
after(() => prepared?.end());

test("bundlers: webpack, Rollup and esbuild build a page that works under a strict policy and any path", async () => {
  const folder = await prepared.copyOf("bundlers", "--prefer-offline");
  const built = join(folder, "public");
  const host = await startHost({
    "/": prepared.folder,
    "/some/prefix/": built,
    "/some/prefix/models/mobilebert-squad/": prepared.model,
  });
  for (const bundler of ["webpack", "rollup", "esbuild"]) {
    for (const part of ["dist", "wasm"]) await rm(join(built, part), { recursive: true, force: true });
    const { stdout, stderr } = await npm(["run", bundler], { cwd: folder });
    assert.doesNotMatch(`${stdout}${stderr}`, /critical dependency|unresolved/i);
    assert.match(await prepared.askOn(`${host.address}some/prefix/`), /4 October 1871/, bundler);
  }
  host.stop();
});

test("bundlers: webpack's files may be on another origin than the page", async () => {
  const folder = join(prepared.folder, "bundlers");
  const headers = { "access-control-allow-origin": "*" };
  const cdn = await startHost({ "/": join(folder, "public") }, "", { headers });
  const host = await startHost({ "/": join(folder, "public"), "/models/mobilebert-squad/": prepared.model }, "");
  await npm(["run", "webpack", "--", "--output-public-path", `${cdn.address}dist/`], { cwd: folder });
  assert.match(await prepared.askOn(host.address), /4 October 1871/);
  host.stop();
  cdn.stop();
});

for (const [name, output] of [
  ["next", "out"],
  ["sveltekit", "build"],
]) {
  test(`${name}: works when built, with the page rendered on the server first`, async () => {
    const folder = await prepared.copyOf(name, "--prefer-offline");
    await npm(["run", "build"], { cwd: folder, environment: { NEXT_TELEMETRY_DISABLED: "1" } });
    const page = await readFile(join(folder, output, "index.html"), "utf8");
    assert.match(page, /Loading the model/, "the page was not rendered on the server");
    // Both frameworks put scripts into the page, which a strict policy forbids.
    const host = await startHost({ "/": join(folder, output), "/models/mobilebert-squad/": prepared.model }, "");
    assert.match(await prepared.askOn(host.address), /4 October 1871/);
    host.stop();
  });
}

test("vite: works when built, under a strict policy and any path, and on the development server", async (context) => {
  const wanted = JSON.parse(await readFile(join(examples, "vite/package-lock.json"), "utf8"));
  const { engines } = wanted.packages["node_modules/vite"];
  if (!satisfies(process.versions.node, engines.node)) {
    console.error(`NOT RUN: the Vite example: Vite needs Node ${engines.node}`);
    return context.skip(`Vite needs Node ${engines.node}`);
  }
  const folder = await prepared.copyOf("vite", "--prefer-offline");
  await mkdir(join(folder, "public/models"), { recursive: true });
  await cp(prepared.model, join(folder, "public/models/mobilebert-squad"), { recursive: true });

  const host = await startHost({ "/": prepared.folder, "/some/prefix/": join(folder, "dist") });
  await npm(["run", "build"], { cwd: folder });
  assert.match(await prepared.askOn(`${host.address}some/prefix/`), /4 October 1871/);

  // With explicit URLs, as the README shows.
  const readme = await readFile(join(folder, "README.md"), "utf8");
  const [, imports, load] =
    /```ts\n(.*?)\n\n(const qa = .*?)\n```/s.exec(readme) ?? assert.fail("no program in README.md");
  const main = await readFile(join(folder, "src/main.ts"), "utf8");
  const named = main.replace(/const qa = .*;/, `${load}\n  progress;`);
  assert.notEqual(named, main);
  await writeFile(join(folder, "src/main.ts"), `${imports}\n${named}`);
  await npm(["run", "build"], { cwd: folder });
  assert.match(await prepared.askOn(`${host.address}some/prefix/`), /4 October 1871/);
  host.stop();

  const vite = join(folder, "node_modules/vite/bin/vite.js");
  const server = spawn(process.execPath, [vite, "--host", "127.0.0.1"], {
    cwd: folder,
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    assert.match(await prepared.askOn(await addressOf(server)), /4 October 1871/);
  } finally {
    const ended = once(server, "exit");
    server.kill();
    await ended;
  }
});

/** Returns the address that Vite's server prints. */
async function addressOf(server) {
  const printed = [];
  for await (const line of createInterface({ input: server.stdout })) {
    printed.push(line);
    const address = /https?:\/\/127\.0\.0\.1:\d+\//.exec(stripVTControlCharacters(line));
    if (address) return address[0];
  }
  return assert.fail(`Vite printed no address:\n${printed.join("\n")}`);
}

/** Returns whether a version satisfies a range of the form `^20.19.0 || >=22.12.0`. */
function satisfies(version, range) {
  const [major, minor] = version.split(".").map(Number);
  return range.split("||").some((part) => {
    const [, sign, wantedMajor, wantedMinor] = /([\^>=]+)\s*(\d+)\.(\d+)/.exec(part) ?? [];
    if (major === Number(wantedMajor)) return minor >= Number(wantedMinor);
    return sign === ">=" && major > Number(wantedMajor);
  });
}
