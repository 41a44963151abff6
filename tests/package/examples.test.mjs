import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { promisify, stripVTControlCharacters } from "node:util";
import { chromium, newPage } from "../browser/support/browsers.mjs";
import { findModels } from "../browser/support/models.mjs";
import { startHost } from "./support/host.mjs";
import { npm, pack, temporaryFolder } from "./support/install.mjs";

const execute = promisify(execFile);
const examples = join(import.meta.dirname, "../../examples");
const WAIT = { timeout: 120_000 };

let temporary;
let tarball;
let model;
let browser;
before(async () => {
  temporary = await temporaryFolder();
  ({ tarball } = await pack(temporary.folder));
  model = (await findModels()).answers.folder;
  browser = await chromium();
});
after(async () => {
  await browser?.close();
  await temporary?.remove();
});

/** Copies an example and installs the packed package in it, as its README says. */
async function copyOf(name, ...flags) {
  const folder = join(temporary.folder, name);
  const source = (path) => !/node_modules|[/\\]dist$/.test(path.slice(examples.length));
  await cp(join(examples, name), folder, { recursive: true, filter: source });
  await npm(["install", ...flags, tarball], { cwd: folder });
  return folder;
}

/** Opens a page with the examples' form, submits it and returns the shown answer. */
async function askOn(address, inBrowser = browser) {
  const { page, faults } = await newPage(inBrowser);
  await page.goto(address);
  const line = () => page.$eval("#answer", (element) => element.textContent);
  await page.waitForSelector("#ask:not([disabled])", WAIT).catch(async () => assert.fail(await line()));
  await page.click("#ask");
  await page.waitForFunction(() => !/^(Ready|Loading|$)/.test(document.querySelector("#answer").textContent), WAIT);
  const shown = await line();
  // `files.json` is optional, but Chromium logs that it is missing.
  assert.deepEqual(
    faults.filter((fault) => !/404/.test(fault)),
    [],
  );
  await page.close();
  return shown;
}

test("html: works without a build step, under a strict policy", async () => {
  const folder = await copyOf("html", "--offline");
  const host = await startHost({ "/": folder, "/models/mobilebert-squad/": model });
  assert.match(await askOn(host.address), /4 October 1871/);
  host.stop();
});

test("node: prints the answers with their offsets", async () => {
  const folder = await copyOf("node", "--offline");
  const text = "Ships sank here. The lighthouse was built by Marta Holm. 🗼";
  await writeFile(join(folder, "passage.txt"), text);
  const run = (...args) => execute(process.execPath, ["answer.mjs", ...args], { cwd: folder, timeout: 120_000 });
  const { stdout } = await run(model, "passage.txt", "Who built the lighthouse?");
  const [, start, end, answer] = /^\d+\.\d%\s+(\d+)-(\d+)\s+(.*)$/m.exec(stdout) ?? assert.fail(stdout);
  assert.equal(answer, "Marta Holm");
  assert.equal(text.slice(start, end), answer);
  const failed = await run("./nowhere/", "passage.txt", "Who?").catch((error) => error);
  assert.equal(failed.code, 1);
  assert.match(failed.stderr, /^not-found: config\.json/);
  const textless = await run(model, "nowhere.txt", "Who?").catch((error) => error);
  assert.equal(textless.code, 1);
  assert.match(textless.stderr, /^ENOENT: .*nowhere\.txt.*\n$/);
});

test("custom-element: answers questions about its page and highlights the answer, under a strict policy", async () => {
  const folder = await copyOf("custom-element", "--offline");
  const host = await startHost({ "/": folder, "/models/mobilebert-squad/": model });
  const { page, faults } = await newPage(browser);
  const requests = [];
  page.on("request", (request) => requests.push(request.url()));
  await page.goto(host.address);
  await page.waitForFunction(() => customElements.get("question-answerer"), WAIT);
  assert.ok(!requests.some((url) => url.includes("/models/")), "a model was loaded before the first question");
  const ask = (question) =>
    page.evaluate(async (question) => {
      const element = document.querySelector("question-answerer");
      await element.ask(question);
      const marked = [...(CSS.highlights.get("question-answerer") ?? [])].map((range) => range.toString());
      return { shown: element.shadowRoot.querySelector("output").textContent, marked };
    }, question);
  // One answer spans two elements, another one contains a character reference.
  for (const [question, expected] of [
    ["Who built the lighthouse?", "Marta Holm"],
    ["How tall is the tower?", "38\u00a0metres"],
    ["What did the lamp burn?", "rapeseed oil"],
  ]) {
    const { shown, marked } = await ask(question);
    assert.ok(shown.includes(expected), `"${question}" gave "${shown}"`);
    assert.deepEqual(marked, [shown]);
  }
  // Type a question; the element must show the error.
  await page.evaluate(() => document.querySelector("question-answerer").setAttribute("model", "nowhere/"));
  await page.evaluate(() => {
    const element = document.querySelector("question-answerer");
    element.remove();
    document.body.prepend(element);
    const input = element.shadowRoot.querySelector("input");
    input.value = "Who?";
    input.form.requestSubmit();
  });
  await page.waitForFunction(
    () =>
      /config\.json/.test(document.querySelector("question-answerer").shadowRoot.querySelector("output").textContent),
    WAIT,
  );
  // The browser only logs the missing file.
  assert.deepEqual(
    faults.filter((fault) => !/404/.test(fault)),
    [],
  );
  await page.close();
  host.stop();
});

test("bundlers: webpack, Rollup and esbuild build a page that works under a strict policy and any path", async () => {
  const folder = await copyOf("bundlers", "--prefer-offline");
  const built = join(folder, "public");
  const host = await startHost({
    "/": temporary.folder,
    "/some/prefix/": built,
    "/some/prefix/models/mobilebert-squad/": model,
  });
  for (const bundler of ["webpack", "rollup", "esbuild"]) {
    for (const part of ["dist", "wasm"]) await rm(join(built, part), { recursive: true, force: true });
    const { stdout, stderr } = await npm(["run", bundler], { cwd: folder });
    assert.doesNotMatch(`${stdout}${stderr}`, /critical dependency|unresolved/i);
    assert.match(await askOn(`${host.address}some/prefix/`), /4 October 1871/, bundler);
  }
  host.stop();
});

test("bundlers: webpack's files may be on another origin than the page", async () => {
  const folder = join(temporary.folder, "bundlers");
  const headers = { "access-control-allow-origin": "*" };
  const cdn = await startHost({ "/": join(folder, "public") }, "", { headers });
  const host = await startHost({ "/": join(folder, "public"), "/models/mobilebert-squad/": model }, "");
  await npm(["run", "webpack", "--", "--output-public-path", `${cdn.address}dist/`], { cwd: folder });
  assert.match(await askOn(host.address), /4 October 1871/);
  host.stop();
  cdn.stop();
});

test("extension: a Manifest V3 background script answers", async () => {
  const folder = await copyOf("extension", "--offline");
  await cp(model, join(folder, "models/mobilebert-squad"), { recursive: true });
  const chrome = await chromium({ extension: folder });
  try {
    const background = await chrome.waitForTarget((target) => target.url().endsWith("/background.js"), WAIT);
    assert.match(await askOn(new URL("popup.html", background.url()).href, chrome), /4 October 1871/);
  } finally {
    await chrome.close();
  }
});

test("vite: works when built, under a strict policy and any path, and on the development server", async (context) => {
  const wanted = JSON.parse(await readFile(join(examples, "vite/package-lock.json"), "utf8"));
  const { engines } = wanted.packages["node_modules/vite"];
  if (!satisfies(process.versions.node, engines.node)) {
    console.error(`NOT RUN: the Vite example: Vite needs Node ${engines.node}`);
    return context.skip(`Vite needs Node ${engines.node}`);
  }
  const folder = await copyOf("vite", "--prefer-offline");
  await mkdir(join(folder, "public/models"), { recursive: true });
  await cp(model, join(folder, "public/models/mobilebert-squad"), { recursive: true });

  const host = await startHost({ "/": temporary.folder, "/some/prefix/": join(folder, "dist") });
  await npm(["run", "build"], { cwd: folder });
  assert.match(await askOn(`${host.address}some/prefix/`), /4 October 1871/);

  // With explicit URLs, as the README shows.
  const readme = await readFile(join(folder, "README.md"), "utf8");
  const [, imports, load] =
    /```ts\n(.*?)\n\n(const qa = .*?)\n```/s.exec(readme) ?? assert.fail("no program in README.md");
  const main = await readFile(join(folder, "src/main.ts"), "utf8");
  const named = main.replace(/const qa = .*;/, `${load}\n  progress;`);
  assert.notEqual(named, main);
  await writeFile(join(folder, "src/main.ts"), `${imports}\n${named}`);
  await npm(["run", "build"], { cwd: folder });
  assert.match(await askOn(`${host.address}some/prefix/`), /4 October 1871/);
  host.stop();

  const vite = join(folder, "node_modules/vite/bin/vite.js");
  const server = spawn(process.execPath, [vite, "--host", "127.0.0.1"], {
    cwd: folder,
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    assert.match(await askOn(await addressOf(server)), /4 October 1871/);
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

/** Whether a version satisfies a range of the form `^20.19.0 || >=22.12.0`. */
function satisfies(version, range) {
  const [major, minor] = version.split(".").map(Number);
  return range.split("||").some((part) => {
    const [, sign, wantedMajor, wantedMinor] = /([\^>=]+)\s*(\d+)\.(\d+)/.exec(part) ?? [];
    if (major === Number(wantedMajor)) return minor >= Number(wantedMinor);
    return sign === ">=" && major > Number(wantedMajor);
  });
}
