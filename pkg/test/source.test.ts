import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { MobileBertError } from "../src/errors.ts";
import { fileUrl, resolveSource } from "../src/files/source.ts";
import type { ModelSource } from "../src/types.ts";

async function base(model: string | URL, options = {}): Promise<string> {
  const place = await resolveSource(model, options);
  assert.equal(place.kind, "directory");
  return place.kind === "directory" ? place.base : "";
}

test("an id with two parts is resolved on the Hub, with its revision and mirror", async () => {
  assert.equal(await base("google/mobilebert"), "https://huggingface.co/google/mobilebert/resolve/main/");
  assert.equal(await base("a/b@v1.0"), "https://huggingface.co/a/b/resolve/v1.0/");
  assert.equal(await base("a/b@refs/pr/1"), "https://huggingface.co/a/b/resolve/refs%2Fpr%2F1/");
  assert.equal(await base("a/b", { revision: "dev" }), "https://huggingface.co/a/b/resolve/dev/");
  assert.equal(
    await base("a/b", { endpoint: "https://mirror.example/hf/" }),
    "https://mirror.example/hf/a/b/resolve/main/",
  );
});

test("an id that names a revision contradicts no option", async () => {
  assert.equal(await base("a/b@dev", { revision: "dev" }), "https://huggingface.co/a/b/resolve/dev/");
  const both = resolveSource("a/b@dev", { revision: "v1" });
  await assert.rejects(both, (error) => error instanceof MobileBertError && error.detail.field === "revision");
});

test("anything else is a directory URL, relative to the working directory", async () => {
  const here = `file://${process.cwd()}/`;
  assert.equal(await base("models/x/"), `${here}models/x/`);
  assert.equal(await base("./models/x"), `${here}models/x/`);
  assert.equal(await base("/models/x"), "file:///models/x/");
  assert.equal(await base("https://example.org/m"), "https://example.org/m/");
  assert.equal(await base(new URL("https://example.org/m/")), "https://example.org/m/");
});

test("in Node, a name without a scheme is a path, whatever characters it contains", async () => {
  const folder = await mkdtemp(join(tmpdir(), "50% #1 "));
  try {
    await mkdir(join(folder, "own", "er"), { recursive: true });
    const place = pathToFileURL(join(folder, "own", "er")).href;
    assert.equal(await base(join(folder, "own", "er")), `${place}/`);
    const here = process.cwd();
    process.chdir(folder);
    try {
      // An existing folder takes precedence over a Hugging Face id.
      assert.equal(await base("own/er"), `${place}/`);
      assert.equal(await base("own/er2"), "https://huggingface.co/own/er2/resolve/main/");
    } finally {
      process.chdir(here);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("file URLs keep the query of a signed directory URL", async () => {
  const directory = await base("https://example.org/m?key=1");
  assert.equal(fileUrl(directory, "config.json"), "https://example.org/m/config.json?key=1");
  assert.equal(fileUrl("https://example.org/m/", "a b.json"), "https://example.org/m/a%20b.json");
});

test("files may be a list, a map or an object", async () => {
  const file = new File(["{}"], "config.json");
  const list: ModelSource = { 0: file, length: 1 };
  for (const files of [[file], list, new Map([["config.json", file]]), { "config.json": file }]) {
    const place = await resolveSource(files, {});
    assert.ok(place.kind === "files" && place.files.get("config.json") === file);
  }
});

test("files of a selected folder are named relative to the topmost `config.json`", async () => {
  const names = async (files: unknown) => {
    const place = await resolveSource(files as File[], {});
    assert.equal(place.kind, "files");
    return place.kind === "files" ? [...place.files.keys()].sort() : [];
  };
  const inFolder = (path: string) => {
    const file = new File(["{}"], path.split("/").at(-1) ?? "");
    return Object.assign(file, { webkitRelativePath: path });
  };
  const files = ["m/config.json", "m/vocab.txt", "m/onnx/config.json", "m/onnx/model.onnx"].map(inFolder);
  // A `FileList` isn't an array.
  const list = { ...files, length: files.length, [Symbol.iterator]: () => files.values() };
  assert.deepEqual(await names(list), ["config.json", "onnx/config.json", "onnx/model.onnx", "vocab.txt"]);
  const file = new File(["{}"], "config.json");
  assert.deepEqual(await names({ "a/b/config.json": file, "a/b/vocab.txt": file, "a/x.txt": file }), [
    "config.json",
    "vocab.txt",
  ]);
  await assert.rejects(
    names({ "a/config.json": file, "b/config.json": file }),
    /several models were selected \(a\/, b\/\)/,
  );
  await assert.rejects(names([5]), (error) => error instanceof MobileBertError && error.detail.field === "model");
});

test("an endpoint needs a scheme, without which Node would take it for a path", async () => {
  for (const endpoint of ["hf-mirror.com", "localhost:1234", "ftp://example.org", "/mirror/"]) {
    await assert.rejects(base("a/b", { endpoint }), (error) => {
      assert.ok(
        error instanceof MobileBertError && error.code === "invalid-input" && error.detail.field === "endpoint",
      );
      return error.message.includes(`"${endpoint}" doesn't begin with https:// or http://`);
    });
  }
  assert.equal(await base("a/b", { endpoint: " http://localhost:1/ " }), "http://localhost:1/a/b/resolve/main/");
});

test("in a page, an endpoint may be a path of its host", async () => {
  Object.assign(globalThis, { document: { baseURI: "https://page.example/app/" } });
  try {
    assert.equal(await base("a/b", { endpoint: "/hub/" }), "https://page.example/hub/a/b/resolve/main/");
    assert.equal(await base("a/b", { endpoint: "//cdn.example" }), "https://cdn.example/a/b/resolve/main/");
    await assert.rejects(base("a/b", { endpoint: "hf-mirror.com" }), /doesn't begin with/);
  } finally {
    Reflect.deleteProperty(globalThis, "document");
  }
});

test("a URL with a user name or password is rejected without showing them", async () => {
  const rejects = (work: Promise<unknown>, field: string) =>
    assert.rejects(work, (error) => {
      assert.ok(error instanceof MobileBertError && error.code === "invalid-input", String(error));
      assert.equal(error.detail.field, field);
      assert.match(error.message, /headers: \{ authorization \}/);
      return !/ada|secret/.test(error.message);
    });
  await rejects(base("https://ada:secret@example.org/m/"), "model");
  await rejects(base(new URL("https://ada@example.org/m/")), "model");
  await rejects(base("a/b", { endpoint: "https://ada:secret@example.org" }), "endpoint");
});

test("files and URLs may be of another realm", async () => {
  /** What `Object.prototype.toString` sees. */
  const tagged = (tag: string, members: object) => Object.assign(members, { [Symbol.toStringTag]: tag });
  const file = tagged("File", { name: "config.json", size: 2 }) as unknown as File;
  for (const files of [[file], { "config.json": tagged("Blob", { size: 2 }) as unknown as Blob }]) {
    const place = await resolveSource(files, {});
    assert.ok(place.kind === "files" && place.files.has("config.json"));
  }
  const url = tagged("URL", { toString: () => "https://example.org/m/" });
  assert.equal(await base(url as unknown as URL), "https://example.org/m/");
});

test("an invalid model source is rejected", async () => {
  const wrong = (model: unknown) => resolveSource(model as string, {});
  const expected = (error: unknown) => error instanceof MobileBertError && error.code === "invalid-input";
  await assert.rejects(wrong(""), expected);
  await assert.rejects(wrong("http://["), expected);
  await assert.rejects(wrong({ "config.json": "text" }), expected);
  await assert.rejects(wrong(new Map([[1, new Blob()]])), expected);
});
