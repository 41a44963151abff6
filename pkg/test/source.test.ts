import assert from "node:assert/strict";
import { test } from "node:test";
import { MobileBertError } from "../src/errors.ts";
import { fileUrl, resolveSource } from "../src/source.ts";

function base(model: string | URL, options = {}): string {
  const place = resolveSource(model, options);
  assert.equal(place.kind, "directory");
  return place.kind === "directory" ? place.base : "";
}

test("an id of two parts is the Hub's, with its revision and mirror", () => {
  assert.equal(base("google/mobilebert"), "https://huggingface.co/google/mobilebert/resolve/main/");
  assert.equal(base("a/b@v1.0"), "https://huggingface.co/a/b/resolve/v1.0/");
  assert.equal(base("a/b@refs/pr/1"), "https://huggingface.co/a/b/resolve/refs%2Fpr%2F1/");
  assert.equal(base("a/b", { revision: "dev" }), "https://huggingface.co/a/b/resolve/dev/");
  assert.equal(base("a/b", { endpoint: "https://mirror.example/hf/" }), "https://mirror.example/hf/a/b/resolve/main/");
});

test("anything else is a directory's address, relative to where the caller stands", () => {
  const here = `file://${process.cwd()}/`;
  assert.equal(base("models/x/"), `${here}models/x/`);
  assert.equal(base("./models/x"), `${here}models/x/`);
  assert.equal(base("/models/x"), "file:///models/x/");
  assert.equal(base("https://example.org/m"), "https://example.org/m/");
  assert.equal(base(new URL("https://example.org/m/")), "https://example.org/m/");
});

test("a file's address keeps the query of a signed directory", () => {
  const directory = base("https://example.org/m?key=1");
  assert.equal(fileUrl(directory, "config.json"), "https://example.org/m/config.json?key=1");
  assert.equal(fileUrl("https://example.org/m/", "a b.json"), "https://example.org/m/a%20b.json");
});

test("files may come as a list, a map or an object", () => {
  const file = new File(["{}"], "config.json");
  for (const files of [[file], new Map([["config.json", file]]), { "config.json": file }]) {
    const place = resolveSource(files, {});
    assert.ok(place.kind === "files" && place.files.get("config.json") === file);
  }
});

test("what is no model is said", () => {
  const wrong = (model: unknown) => () => resolveSource(model as string, {});
  const expected = (error: unknown) => error instanceof MobileBertError && error.code === "invalid-input";
  assert.throws(wrong(""), expected);
  assert.throws(wrong("http://["), expected);
  assert.throws(wrong({ "config.json": "text" }), expected);
});
