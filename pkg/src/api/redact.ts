import { invalidInput } from "../errors.js";
import { type Checks, checkOptions, shown } from "../options.js";

/** A span to replace: an entity of `label()`, of `pipeline("token-classification")`, or any other with offsets. */
export interface Redactable {
  /** Start offset in UTF-16 units. */
  start: number;
  /** End offset in UTF-16 units, exclusive. */
  end: number;
  /** The label, as in `label()`. */
  label?: string | undefined;
  /** The label, as in a pipeline that merges tokens. */
  entity_group?: string | undefined;
  /** The label, as in a pipeline that doesn't. */
  entity?: string | undefined;
}

/** Options of {@link redact}. */
export interface RedactOptions<Span extends Redactable = Redactable> {
  /** The text in place of a span, or a function that returns it. Default: the label in brackets, `[PER]`. */
  replacement?: string | ((span: Span) => string) | undefined;
}

const REDACT: Checks<RedactOptions> = {
  replacement: (value) =>
    typeof value === "string" || typeof value === "function"
      ? undefined
      : `${shown(value)} is not a string or a function`,
};

/**
 * Replaces spans of a text, for example the names that `label()` found. Spans may have any order. Of spans that overlap,
 * the whole range is replaced once, for the span that begins first (of several, the longest).
 */
export function redact<Span extends Redactable>(
  text: string,
  spans: readonly Span[],
  options: RedactOptions<Span> = {},
): string {
  if (typeof text !== "string") throw invalidInput("text", "not a string");
  if (!Array.isArray(spans)) throw invalidInput("entities", `${shown(spans)} is not an array of entities`);
  checkOptions(options as RedactOptions, REDACT);
  for (const [at, span] of spans.entries()) checkSpan(text, span, `entities[${at}]`);
  const { replacement = bracketed } = options;
  const replaced = (span: Span): string => {
    const found = typeof replacement === "string" ? replacement : replacement(span);
    if (typeof found !== "string") throw invalidInput("replacement", `returned ${shown(found)}, not a string`);
    return found;
  };
  let redacted = "";
  let read = 0;
  const sorted = spans.filter(({ start, end }) => start < end).sort((a, b) => a.start - b.start || b.end - a.end);
  for (const span of sorted) {
    const [start, end] = wholeCharacters(text, span);
    if (start >= read) redacted += text.slice(read, start) + replaced(span);
    read = Math.max(read, end);
  }
  return redacted + text.slice(read);
}

function checkSpan(text: string, span: Redactable, field: string): void {
  const { start, end } = Object(span) as Redactable;
  const valid = Number.isInteger(start) && Number.isInteger(end) && 0 <= start && start <= end && end <= text.length;
  if (valid) {
    const label = labelOf(span) as unknown;
    if (typeof label === "string") return;
    throw invalidInput(field, `its label ${shown(label)} is not a string`);
  }
  throw invalidInput(
    field,
    `its offsets ${start} and ${end} are not a range of the text, which has ${text.length} units`,
  );
}

/** Widens a span that splits a surrogate pair, half of which would otherwise remain. */
function wholeCharacters(text: string, { start, end }: Redactable): [number, number] {
  const splits = (at: number) => (text.codePointAt(at - 1) ?? 0) > 0xffff;
  return [splits(start) ? start - 1 : start, splits(end) ? end + 1 : end];
}

/** `[PER]`, without the prefix of a single token's label. */
function bracketed(span: Redactable): string {
  return `[${labelOf(span).replace(/^[BIELSU]-/, "")}]`;
}

function labelOf({ label, entity_group: group, entity }: Redactable): string {
  return label ?? group ?? entity ?? "REDACTED";
}
