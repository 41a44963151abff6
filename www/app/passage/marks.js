/**
 * Highlights spans of the passage. A text field can't contain marks, so they are drawn behind it, in the same font. The
 * text behind only exists while something is highlighted, so that typing is as fast as in any text field.
 */
import { byId, make } from "../elements.js";
import { scrolling } from "../scrolling.js";

const area = byId("passage", HTMLTextAreaElement);
const marks = byId("passage-marks", HTMLElement);

area.addEventListener("scroll", follow, { passive: true });
// A different width changes the line breaks, and possibly the scroll position.
new ResizeObserver(follow).observe(area);

function follow() {
  if (marks.firstChild) marks.style.translate = `0 ${-area.scrollTop}px`;
}

/**
 * Highlights spans of the passage, the first one as the answer, and scrolls to it. Without spans, removes all marks.
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
  // Text after the last mark's paragraph doesn't affect the position of any mark.
  const end = text.indexOf("\n", at);
  parts.push(text.slice(at, end < 0 ? text.length : end));
  marks.replaceChildren(...parts);
  follow();
  const mark = marks.querySelector("mark.best");
  if (mark) scrollTo(mark);
}

/** @param {{ start: number, end: number }[]} spans if two overlap, the first one wins */
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
