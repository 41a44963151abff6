import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { chromium, newPage } from "../browser/support/browsers.mjs";
import { examples, prepareExamples, WAIT } from "./support/examples.mjs";
import { startHost } from "./support/host.mjs";
import { npm } from "./support/install.mjs";

const execute = promisify(execFile);

let prepared;
before(async () => {
  prepared = await prepareExamples();
});
after(() => prepared?.end());

test("html: works without a build step, under a strict policy", async () => {
  const folder = await prepared.copyOf("html", "--offline");
  const host = await startHost({ "/": folder, "/models/mobilebert-squad/": prepared.model });
  assert.match(await prepared.askOn(host.address), /4 October 1871/);
  host.stop();
});

test("html: leaves it to the model's calibration whether there is an answer", async () => {
  const folder = await prepared.copyOf("html", "--offline");
  const config = JSON.parse(await readFile(join(prepared.model, "config.json"), "utf8"));
  // For this model, every text says nothing.
  config.calibration = { ...config.calibration, null_threshold: -1e6 };
  const answer = (path, response) => {
    if (path.endsWith("/config.json")) response.end(JSON.stringify(config));
    else if (path.endsWith("/files.json")) response.writeHead(404).end();
    else return false;
    return true;
  };
  const host = await startHost({ "/": folder, "/models/mobilebert-squad/": prepared.model }, undefined, { answer });
  assert.equal(await prepared.askOn(host.address), "The text doesn't say.");
  host.stop();
});

test("cdn: imports the package and its worker from another origin, under the README's policy", async () => {
  const headers = { "access-control-allow-origin": "*" };
  const cdn = await startHost(
    { "/mobilebert@0.1.0/": join(await prepared.copyOf("html", "--offline"), "node_modules/mobilebert") },
    "",
    { headers },
  );
  const main = await readFile(join(examples, "cdn/main.js"), "utf8");
  const local = main.replace("https://cdn.jsdelivr.net/npm/", cdn.address);
  assert.notEqual(local, main);
  const answer = (path, response) => {
    if (path === "/main.js") response.writeHead(200, { "content-type": "text/javascript" }).end(local);
    return path === "/main.js";
  };
  const origin = new URL(cdn.address).origin;
  const sources = `script-src 'self' 'wasm-unsafe-eval' ${origin}; connect-src 'self' ${origin}; worker-src blob: ${origin}`;
  const folders = { "/": join(examples, "cdn"), "/models/mobilebert-squad/": prepared.model };
  const host = await startHost(folders, `default-src 'self'; ${sources}`, { answer });
  assert.match(await prepared.askOn(host.address), /4 October 1871/);
  host.stop();
  cdn.stop();
});

test("node: prints the answers with their offsets", async () => {
  const folder = await prepared.copyOf("node", "--offline");
  const text = "Ships sank here. The lighthouse was built by Marta Holm. 🗼";
  await writeFile(join(folder, "passage.txt"), text);
  const run = (...args) => execute(process.execPath, ["answer.mjs", ...args], { cwd: folder, timeout: 120_000 });
  const { stdout } = await run(prepared.model, "passage.txt", "Who built the lighthouse?");
  const [, start, end, answer] = /^\d+\.\d%\s+(\d+)-(\d+)\s+(.*)$/m.exec(stdout) ?? assert.fail(stdout);
  assert.equal(answer, "Marta Holm");
  assert.equal(text.slice(start, end), answer);
  const failed = await run("./nowhere/", "passage.txt", "Who?").catch((error) => error);
  assert.equal(failed.code, 1);
  assert.match(failed.stderr, /^not-found: config\.json/);
  const textless = await run(prepared.model, "nowhere.txt", "Who?").catch((error) => error);
  assert.equal(textless.code, 1);
  assert.match(textless.stderr, /^ENOENT: .*nowhere\.txt.*\n$/);
});

for (const [runtime, program, ...args] of [
  ["Deno", "deno", "run", "--allow-all"],
  ["Bun", "bun", "run"],
]) {
  test(`node: ${runtime} runs the same program`, async (context) => {
    const folder = await prepared.copyOf("node", "--offline");
    const tools = join(prepared.folder, program);
    await mkdir(tools);
    // npm's packages contain the program for most platforms.
    const added = await npm(["install", "--prefer-offline", "--prefix", tools, program], { cwd: tools }).catch(
      (error) => error,
    );
    if (added instanceof Error) {
      console.error(`NOT RUN: ${runtime}: npm could not install it`);
      return context.skip(`npm could not install ${program}: ${added.message}`);
    }
    const { stdout } = await execute(
      join(tools, "node_modules/.bin", program),
      [...args, "answer.mjs", prepared.model, "passage.txt", "Who built the lighthouse?"],
      // Deno crashes at its end after using a software Vulkan driver; without one, the CPU answers.
      { cwd: folder, timeout: 120_000, env: { ...process.env, VK_DRIVER_FILES: "none", VK_ICD_FILENAMES: "none" } },
    ).catch((error) => {
      // Even without a driver, one of forty runs ends so after everything is printed and disposed.
      if (runtime === "Deno" && (error.signal === "SIGSEGV" || error.code === 139)) return error;
      throw error;
    });
    assert.match(stdout, /^\d+\.\d% {2}\d+-\d+ {2}Marta Holm$/m);
  });
}

test("custom-element: answers questions about its page and highlights the answer, under a strict policy", async () => {
  const folder = await prepared.copyOf("custom-element", "--offline");
  const host = await startHost({ "/": folder, "/models/mobilebert-squad/": prepared.model });
  const { page, faults } = await newPage(prepared.browser);
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

test("extension: a Manifest V3 background script answers", async () => {
  const folder = await prepared.copyOf("extension", "--offline");
  await cp(prepared.model, join(folder, "models/mobilebert-squad"), { recursive: true });
  const chrome = await chromium({ extension: folder });
  try {
    const background = await chrome.waitForTarget((target) => target.url().endsWith("/background.js"), WAIT);
    assert.match(await prepared.askOn(new URL("popup.html", background.url()).href, chrome), /4 October 1871/);
  } finally {
    await chrome.close();
  }
});
