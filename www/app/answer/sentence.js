/** The sentence around an answer. */
import { byId, make } from "../elements.js";

const sentence = byId("answer-sentence", HTMLElement);

/** Characters of context considered on each side of an answer. */
const REACH = 300;

/**
 * Shows the sentence that contains an answer.
 * @param {string} context
 * @param {{ start: number, end: number }} answer
 */
export function showSentence(context, { start, end }) {
  const before = context.slice(Math.max(0, start - REACH), start);
  const from = start - (before.split(/(?<=[.!?。！？]["'”’)]?\s)|\n/u).at(-1)?.length ?? 0);
  const after = context.slice(end, end + REACH);
  const stop = after.search(/[.!?。！？](\s|$)|\n/u);
  const to = end + (stop < 0 ? after.length : stop + 1);
  const mark = make("mark", { className: "best", text: context.slice(start, end) });
  sentence.replaceChildren(context.slice(from, start), mark, context.slice(end, to).trimEnd());
}

/** Removes the sentence. */
export function hideSentence() {
  sentence.replaceChildren();
}
