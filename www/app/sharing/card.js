/** An answer to share: what its link contains, and how it reads. */
import { fromFragment, linkTo } from "../../share/link.js";
import { from, integer, objectOf, orNull, textUpTo } from "../../share/readers.js";
import { time } from "../format.js";

/**
 * @typedef {object} Card
 * @property {string} question
 * @property {string} answer
 * @property {string} sentence the one around the answer; empty if the passage doesn't say
 * @property {string} model
 * @property {string} device
 * @property {number | null} milliseconds on the device of the person who asked
 * @property {string | null} passage only if that person wanted it in the link
 */

const KEY = "#answer=";

/** Many apps cut off longer links. */
export const LONGEST_LINK = 8000;

const LONGEST_LINE = 4000;
const line = textUpTo(LONGEST_LINE);
const read = objectOf({
  format: integer(1, 1),
  question: line,
  answer: line,
  sentence: line,
  model: line,
  device: line,
  milliseconds: orNull(from(0, 86_400_000)),
  passage: orNull(textUpTo(1_000_000)),
});

/** Cuts off a text that would make the link unreadable. @param {string} text */
export function lineOf(text) {
  return text.length > LONGEST_LINE ? `${text.slice(0, LONGEST_LINE - 1)}…` : text;
}

/** @param {Card} card */
export function linkToCard(card) {
  return linkTo(KEY, { format: 1, ...card });
}

/** Returns whether a fragment contains a card. @param {string} fragment */
export function isCard(fragment) {
  return fragment.startsWith(KEY);
}

/** @param {string} fragment @returns {Promise<Card>} rejects with `Unreadable` */
export function cardIn(fragment) {
  return fromFragment(KEY, fragment, (value) => read(value, "link"));
}

/** Names the model, the device and the time. @param {Card} card */
export function sourceOf({ model, device, milliseconds }) {
  const took = milliseconds === null ? "" : ` in ${time(milliseconds)}`;
  return `Found by ${model}${took} (${device}), without sending the text anywhere.`;
}

/** The card as text, for a message. @param {Card} card */
export function textOf(card) {
  const { question, answer, sentence } = card;
  return [question, answer, ...(sentence ? [`“${sentence}”`] : []), sourceOf(card)].join("\n");
}
