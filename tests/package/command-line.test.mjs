// The program `mobilebert` of the installed package, as `npx mobilebert` runs it.

import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { startHub } from "./support/hub.mjs";
import { install, temporaryFolder } from "./support/install.mjs";

const execute = promisify(execFile);
const typeform = "typeform/mobilebert-uncased-mnli";
const csarron = "csarron/mobilebert-uncased-squad-v2";
const xenova = "Xenova/mobilebert-uncased-mnli";

let temporary;
let mobilebert;
let hub;
before(async () => {
  temporary = await temporaryFolder();
  mobilebert = (await install(temporary.folder)).exports;
  hub = await startHub();
});
after(() => {
  hub?.stop();
  return temporary?.remove();
});

/** Runs the program in the project that has installed it; returns its exit code and output. */
async function run(args, environment = {}) {
  const env = { ...process.env, HF_ENDPOINT: hub.endpoint, ...environment };
  const program = join(temporary.folder, "node_modules/.bin/mobilebert");
  try {
    const { stdout, stderr } = await execute(program, args, { cwd: temporary.folder, env });
    return { code: 0, stdout, stderr };
  } catch ({ code, stdout, stderr }) {
    return { code, stdout, stderr };
  }
}

const file = (...parts) => join(temporary.folder, ...parts);

test("fetch writes a directory that loads, with sizes and hashes", async () => {
  assert.deepEqual(await run(["fetch", csarron]), {
    code: 0,
    stdout: "models/mobilebert-uncased-squad-v2\n",
    stderr: "",
  });
  const folder = file("models/mobilebert-uncased-squad-v2");
  const { files } = JSON.parse(await readFile(join(folder, "files.json"), "utf8"));
  const names = ["model.safetensors", "config.json", "vocab.txt", "tokenizer_config.json", "special_tokens_map.json"];
  assert.deepEqual(
    files.map(({ name }) => name),
    names,
  );
  assert.deepEqual((await readdir(folder)).sort(), [...names, "files.json"].sort());
  const qa = await mobilebert.QuestionAnswering.load(folder, { device: "wasm" });
  await qa.dispose();
  const again = await run(["fetch", csarron]);
  assert.equal(again.code, 1);
  assert.match(again.stderr, /^mobilebert: `out`: models\/mobilebert-uncased-squad-v2 is not empty/);
});

test("fetch keeps the type of the weights, which the model or its configuration states", async () => {
  const typeAfterFetch = async (model, out) => {
    assert.equal((await run(["fetch", model, "--out", out])).code, 0);
    return JSON.parse(await readFile(file(out, "files.json"), "utf8")).dtype;
  };
  assert.equal((await run(["quantize", csarron, "--dtype", "q8", "--out", "small"])).code, 0);
  assert.equal(await typeAfterFetch("./small", "small-copy"), "q8");
  await rm(file("small/files.json"));
  const config = JSON.parse(await readFile(file("small/config.json"), "utf8"));
  for (const [stated, expected] of [
    [{}, "f32"],
    [{ dtype: "float16" }, "f16"],
    [{ torch_dtype: "bfloat16" }, "bf16"],
  ]) {
    const { dtype: _, torch_dtype: __, ...rest } = config;
    await writeFile(file("small/config.json"), JSON.stringify({ ...rest, ...stated }));
    assert.equal(await typeAfterFetch("./small", `copy-${expected}`), expected);
  }
});

/** Starts a host of a model whose configuration arrives, but whose weights never do. */
async function stallingHost() {
  const host = createServer((request, response) => {
    const isSmall = /config\.json$/.test(request.url);
    if (isSmall) response.end(JSON.stringify({ model_type: "mobilebert" }));
    else if (/\.safetensors$/.test(request.url)) response.write("0");
    else response.writeHead(404).end();
  });
  await once(host.listen(0, "127.0.0.1"), "listening");
  const stop = () => {
    host.close();
    host.closeAllConnections();
  };
  return { model: `http://127.0.0.1:${host.address().port}/`, stop };
}

test("a command goes on where another one was interrupted", async () => {
  const { model, stop } = await stallingHost();
  const program = join(temporary.folder, "node_modules/.bin/mobilebert");
  const interrupted = spawn(program, ["fetch", model, "--out", "again"], { cwd: temporary.folder, stdio: "ignore" });
  const exited = once(interrupted, "exit");
  while (!(await readdir(file("again")).catch(() => [])).includes("model.safetensors")) {
    assert.equal(interrupted.exitCode, null, "it ended before it wrote anything");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  interrupted.kill("SIGINT");
  await exited;
  stop();
  assert.ok(!(await readdir(file("again"))).includes("files.json"));
  assert.equal((await run(["fetch", csarron, "--out", "again"])).code, 0);
  const { files } = JSON.parse(await readFile(file("again/files.json"), "utf8"));
  assert.deepEqual((await readdir(file("again"))).sort(), [...files.map(({ name }) => name), "files.json"].sort());
});

test("quantize writes the same bytes as the command line in Rust", async () => {
  assert.equal((await run(["fetch", typeform, "--out", "original"])).code, 0);
  const rust = process.env.MOBILEBERT_BIN;
  assert.ok(rust, "MOBILEBERT_BIN is not set: run these tests with `cargo xtask test --only package`");
  for (const dtype of ["f16", "q8", "q4"]) {
    const quantized = await run(["quantize", typeform, "--dtype", dtype, "--out", `js-${dtype}`]);
    assert.deepEqual(quantized, { code: 0, stdout: `js-${dtype}\n`, stderr: "" });
    await execute(rust, ["quantize", "--model", file("original"), "--dtype", dtype, "--out", file(`rust-${dtype}`)]);
    const names = (await readdir(file(`rust-${dtype}`))).sort();
    assert.deepEqual((await readdir(file(`js-${dtype}`))).sort(), names);
    for (const name of names) {
      const [js, rust] = await Promise.all(
        [`js-${dtype}`, `rust-${dtype}`].map((folder) => readFile(file(folder, name))),
      );
      assert.ok(js.equals(rust), `${dtype} ${name}`);
    }
  }
  // A directory on the disk is a model as well.
  assert.equal((await run(["quantize", "./original", "--dtype", "q8", "--out", "local-q8"])).code, 0);
  const [local, remote] = await Promise.all(
    ["local-q8", "js-q8"].map((folder) => readFile(file(folder, "files.json"))),
  );
  assert.ok(local.equals(remote));
});

test("failures are one line and exit code 1, and leave no directory behind that looks complete", async () => {
  const missing = await run(["fetch", "nobody/nothing", "--out", "nothing"]);
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, /^mobilebert: config\.json: not found in .*nobody\/nothing.*401.*\n$/);
  const onnx = await run(["quantize", xenova, "--dtype", "q8", "--out", "onnx"]);
  assert.equal(onnx.code, 1);
  assert.match(onnx.stderr, /^mobilebert: "Xenova.*only ONNX files.*typeform.*\n$/);
  assert.equal((await run(["quantize", xenova, "--dtype", "q8", "--out", "onnx", "--follow-base-model"])).code, 0);
  await mkdir(file("broken"));
  await writeFile(file("broken/config.json"), '{"model_type": "bert"}');
  await writeFile(file("broken/model.safetensors"), "not weights");
  const broken = await run(["quantize", "./broken", "--dtype", "q8", "--out", "broken-q8"]);
  assert.equal(broken.code, 1);
  assert.match(broken.stderr, /^mobilebert: model\.safetensors: not a model file.*\n$/);
  await assert.rejects(readFile(file("broken-q8/files.json")));
});

test("a full disk ends the copy, which names the file and leaves nothing behind", async () => {
  const program = join(temporary.folder, "node_modules/.bin/mobilebert");
  // A limit on the size of files is how a full disk looks to a program.
  const script = ["-c", 'trap "" XFSZ; ulimit -f 4; exec "$@"', "sh", program, "fetch", csarron, "--out", "full"];
  const env = { ...process.env, HF_ENDPOINT: hub.endpoint };
  const failed = await execute("sh", script, { cwd: temporary.folder, env }).catch((error) => error);
  assert.equal(failed.code, 1);
  assert.match(failed.stderr, /^mobilebert: full\/model\.safetensors: EFBIG.*\n$/);
  assert.doesNotMatch(failed.stderr, /a bug/);
  await assert.rejects(readdir(file("full")));
});

test("a folder that can't be made ends the command, which names the file", async () => {
  const program = join(temporary.folder, "node_modules/.bin/mobilebert");
  // A program that hangs is killed, and has no exit code then.
  const options = { cwd: temporary.folder, timeout: 60_000, killSignal: "SIGKILL" };
  const { model, stop } = await stallingHost();
  for (const out of ["/proc/new", "/proc/new/folder"]) {
    const failed = await execute(program, ["fetch", model, "--out", out], options).catch((error) => error);
    assert.equal(failed.code, 1, failed.stderr);
    assert.match(failed.stderr, /^mobilebert: \/proc\/new\S*\/model\.safetensors: E[A-Z]+: .*\n$/);
  }
  stop();
});

test("a token is sent to the Hub only, without the newline at its end", async () => {
  const seen = [];
  const host = createServer(({ url, headers }, response) => {
    seen.push([url, headers.authorization]);
    response.writeHead(404).end();
  }).listen(0, "127.0.0.1");
  await once(host, "listening");
  const address = `http://127.0.0.1:${host.address().port}`;
  try {
    const environment = { HF_TOKEN: "hf_secret\n", HF_ENDPOINT: address };
    assert.equal((await run(["fetch", `${address}/model/`], environment)).code, 1);
    assert.equal((await run(["fetch", "owner/name"], environment)).code, 1);
  } finally {
    host.close();
  }
  assert.ok(seen.length > 2);
  for (const [url, authorization] of seen) {
    assert.equal(authorization, url.startsWith("/model/") ? undefined : "Bearer hf_secret", url);
  }
});

test("wrong usage is exit code 2 with the usage", async () => {
  for (const [args, words] of [
    [[], /no command/],
    [["download", csarron], /unknown command download/],
    [["fetch"], /takes one model/],
    [["quantize", csarron, "--out", "x"], /--dtype f16, q8 or q4/],
    [["quantize", csarron, "--dtype", "int8", "--out", "x"], /--dtype f16, q8 or q4/],
    [["quantize", csarron, "--dtype", "q8"], /--out DIR/],
    [["fetch", csarron, "--depth", "1"], /--depth/],
    [["fetch", csarron, "--out", ""], /--out is empty/],
    [["fetch", csarron, "--endpoint="], /--endpoint is empty/],
  ]) {
    const { code, stdout, stderr } = await run(args);
    assert.equal(code, 2, args.join(" "));
    assert.equal(stdout, "");
    assert.match(stderr, words);
    assert.match(stderr, /Usage:/);
  }
  assert.match((await run(["--help"])).stdout, /^Usage:/);
  assert.match((await run(["--version"])).stdout, /^\d+\.\d+\.\d+\n$/);
});
