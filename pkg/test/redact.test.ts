import assert from "node:assert/strict";
import { test } from "node:test";
import { redact } from "../src/api/redact.ts";
import { MobileBertError } from "../src/errors.ts";

const text = "👍 Zoë ate in Seoul.";
const span = (label: string, part: string) => {
  const start = text.indexOf(part);
  return { label, start, end: start + part.length };
};
const naming = (field: string) => (error: unknown) =>
  error instanceof MobileBertError && error.code === "invalid-input" && error.detail.field === field;

test("every entity is replaced by its label, in any order", () => {
  assert.equal(redact(text, [span("LOC", "Seoul"), span("PER", "Zoë")]), "👍 [PER] ate in [LOC].");
  assert.equal(redact(text, []), text);
  assert.equal(redact("", []), "");
  assert.equal(redact(text, [span("ALL", text)]), "[ALL]");
});

test("the entities of pipelines are accepted, without the prefixes of their labels", () => {
  const { start, end } = span("", "Zoë");
  assert.equal(redact(text, [{ entity_group: "PER", start, end }]), "👍 [PER] ate in Seoul.");
  assert.equal(redact(text, [{ entity: "B-PER", start, end }]), "👍 [PER] ate in Seoul.");
  assert.equal(redact(text, [{ start, end }]), "👍 [REDACTED] ate in Seoul.");
});

test("entities that overlap are replaced once, for the one that begins first", () => {
  const overlapping = [span("B", "ate in"), span("A", "Zoë ate"), span("C", "in"), span("D", "Zoë")];
  assert.equal(redact(text, overlapping), "👍 [A] Seoul.");
  assert.equal(redact(text, [span("A", "Zoë "), span("B", "ate")]), "👍 [A][B] in Seoul.", "adjacent, not overlapping");
});

test("the replacement can be a text or a function of the entity", () => {
  const entities = [span("PER", "Zoë"), span("LOC", "Seoul")];
  assert.equal(redact(text, entities, { replacement: "***" }), "👍 *** ate in ***.");
  assert.equal(redact(text, entities, { replacement: "$&" }), "👍 $& ate in $&.", "not a pattern");
  assert.equal(
    redact(text, entities, { replacement: ({ start, end }) => "█".repeat(end - start) }),
    "👍 ███ ate in █████.",
  );
});

test("half of a surrogate pair never remains", () => {
  assert.equal(redact(text, [{ label: "X", start: 1, end: 3 }]), "[X]Zoë ate in Seoul.");
  assert.equal(redact(text, [{ label: "X", start: 0, end: 1 }]), "[X] Zoë ate in Seoul.");
});

test("an empty entity replaces nothing", () => {
  assert.equal(redact(text, [{ label: "X", start: 5, end: 5 }]), text);
});

test("invalid arguments are named", () => {
  for (const bad of [
    { start: 0, end: 99 },
    { start: 3, end: 2 },
    { start: -1, end: 2 },
    { start: 0.5, end: 2 },
    { start: 0, end: 1, label: 5 },
    { start: 0, end: 1, entity: {} },
    {},
    null,
  ]) {
    assert.throws(() => redact(text, [span("A", "Zoë"), bad as never]), naming("entities[1]"));
  }
  assert.throws(() => redact(text, "Zoë" as never), naming("entities"));
  assert.throws(() => redact(5 as never, []), naming("text"));
  assert.throws(() => redact(text, [], { replacement: 5 as never }), naming("replacement"));
  assert.throws(() => redact(text, [span("A", "Zoë")], { replacement: (() => 5) as never }), naming("replacement"));
  assert.throws(() => redact(text, [], { with: "x" } as never), naming("with"));
});
