import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { fetchModel } from "../src/cli/fetch.ts";
import { OutputFolder } from "../src/cli/output.ts";
import { nameOf, openInputs } from "../src/cli/source.ts";
import { MobileBertError } from "../src/errors.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "mobilebert-"));
});
afterEach(() => rm(folder, { recursive: true }));

const source = (model: string) => ({ model, followBaseModel: false });

/** Runs what prints the name of its output folder. */
async function quietly(work: () => Promise<void>): Promise<void> {
  const { log } = console;
  console.log = () => {};
  await work().finally(() => {
    console.log = log;
  });
}

test("a model's folder is named after its id, its path, or the path of its URL", async () => {
  for (const [model, name] of [
    ["owner/name", "name"],
    ["owner/name@refs/pr/1", "name"],
    ["models/sst2/", "sst2"],
    ["./f@2/my model", "my model"],
    ["f@2/deep/m/", "m"],
    ["C:\\models\\sst2\\", "sst2"],
    ["http://host/m/sst2/?sig=abc/def", "sst2"],
    ["http://host/m@2/sst2/#part/x", "sst2"],
    ["http://host/m/my%20model", "my model"],
    ["http://host/m/100%", "100%"],
    ["http://host/m/..%5C..%2f", "m"],
    ["http://host/", "model"],
    ["/", "model"],
  ] as const) {
    assert.equal(await nameOf(source(model)), name, model);
  }
});

test("a token that can't be sent is named without its value", async () => {
  const inputs = openInputs({ ...source("owner/name"), endpoint: "http://127.0.0.1:1", token: "secret\nx" });
  await assert.rejects(inputs, (error) => {
    assert.ok(error instanceof MobileBertError && error.code === "invalid-input", String(error));
    return error.detail.field === "HF_TOKEN" && !error.message.includes("secret");
  });
});

/** A safetensors file with one tensor of this many bytes. */
function safetensors(bytes: number): Uint8Array {
  const tensor = { dtype: "F32", shape: [bytes / 4], data_offsets: [0, bytes] };
  const header = Buffer.from(JSON.stringify({ __metadata__: { format: "pt" }, weight: tensor }));
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([prefix, header, Buffer.alloc(bytes)]);
}

/** Writes a model with these weights, and fetches it to `out`. */
async function fetchWith(weights: Uint8Array, out: string): Promise<void> {
  const model = join(folder, "model");
  await mkdir(model, { recursive: true });
  await writeFile(join(model, "config.json"), "{}");
  await writeFile(join(model, "model.safetensors"), weights);
  await quietly(() => fetchModel(source(model), out));
}

test("fetch copies weights only if they have the size that their header states", async () => {
  const out = join(folder, "out");
  // Larger than one chunk.
  const whole = safetensors(3 << 20);
  for (const damaged of [
    whole.subarray(0, whole.length - 1),
    whole.subarray(0, 50),
    whole.subarray(0, 5),
    new Uint8Array(),
    Buffer.concat([whole, Buffer.alloc(1)]),
    Buffer.from("some text, not a safetensors file"),
    Buffer.concat([Buffer.of(2, 0, 0, 0, 0, 0, 0, 0), Buffer.from("{]")]),
  ]) {
    await assert.rejects(fetchWith(damaged, out), (error) => {
      assert.ok(error instanceof MobileBertError && error.code === "corrupt", String(error));
      return error.detail.file === "model.safetensors";
    });
    await assert.rejects(readdir(out), { code: "ENOENT" });
  }
  await fetchWith(whole, out);
  const { files } = JSON.parse(await readFile(join(out, "files.json"), "utf8"));
  assert.equal(files[0].bytes, whole.length);
});

test("a command that fails removes only what it has written", async () => {
  const out = join(folder, "out");
  await mkdir(out);
  await assert.rejects(fetchWith(new Uint8Array(9), out));
  assert.deepEqual(await readdir(out), [], "the user's folder stays");

  await assert.rejects(fetchWith(new Uint8Array(9), join(folder, "a/b/c")));
  assert.ok(!(await readdir(folder)).includes("a"), "folders that it has created don't");

  const written = await OutputFolder.create(out);
  await written.write("1_Pooling/config.json", [Buffer.from("{}")]);
  await writeFile(join(out, "notes.txt"), "of someone else");
  await written.discard();
  assert.deepEqual(await readdir(out), ["notes.txt"]);
});

test("a command that fails keeps what an interrupted one has left marked as incomplete", async () => {
  const out = join(folder, "out");
  const interrupted = await OutputFolder.create(out);
  await interrupted.write("vocab.txt", [Buffer.from("[PAD]")]);
  await assert.rejects(fetchWith(new Uint8Array(9), out));
  assert.deepEqual((await readdir(out)).sort(), [".incomplete", "vocab.txt"]);
  await fetchWith(safetensors(8), out);
  assert.ok(!(await readdir(out)).includes(".incomplete"));
});
