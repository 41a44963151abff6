/**
 * Spans of the passage, marked. A text field cannot hold marks: they are drawn behind it, in the same letters. The text
 * behind stands there only while something is marked, so that typing costs what it costs in any text field.
 */
import { byId, make } from "./elements.js";
import { scrolling } from "./scrolling.js";

const area = byId("passage", HTMLTextAreaElement);
const marks = byId("passage-marks", HTMLElement);

area.addEventListener("scroll", follow, { passive: true });
// Another width breaks the lines elsewhere, and the field may then stand elsewhere in its text.
new ResizeObserver(follow).observe(area);

function follow() {
  if (marks.firstChild) marks.style.translate = `0 ${-area.scrollTop}px`;
}

/**
 * Marks spans of the passage, the first of them as the answer, and brings that into view; without spans nothing is.
 * @param {{ start: number, end: number }[]} spans
 */
export function markSpans(spans) {
  if (spans.length === 0) {
    if (marks.firstChild) marks.replaceChildren();
    return;
  }
  const text = area.value;
  const [best] = spans;
  /** @type {(Node | string)[]} */
  const parts = [];
  let at = 0;
  for (const span of withoutOverlap(spans)) {
    parts.push(text.slice(at, span.start));
    parts.push(make("mark", { className: span === best ? "best" : "other", text: text.slice(span.start, span.end) }));
    at = span.end;
  }
  // What comes after the last mark's paragraph moves no mark.
  const end = text.indexOf("\n", at);
  parts.push(text.slice(at, end < 0 ? text.length : end));
  marks.replaceChildren(...parts);
  follow();
  const mark = marks.querySelector("mark.best");
  if (mark) scrollTo(mark);
}

/** @param {{ start: number, end: number }[]} spans the first wins where two overlap */
function withoutOverlap(spans) {
  /** @type {typeof spans} */
  const kept = [];
  for (const span of spans) {
    if (kept.every((other) => span.end <= other.start || span.start >= other.end)) kept.push(span);
  }
  return kept.sort((a, b) => a.start - b.start);
}

/** @param {Element} mark */
function scrollTo(mark) {
  const inside = mark.getBoundingClientRect().top - marks.getBoundingClientRect().top;
  area.scrollTo({ top: Math.max(0, inside - area.clientHeight / 3), behavior: scrolling() });
}
