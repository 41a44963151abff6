/** Opens links to answers. They fill in the question, and the passage if it is included, but never over the user's own. */
import { Unreadable } from "../../share/readers.js";
import { askedTexts, takeQuestion } from "../ask.js";
import { byId } from "../elements.js";
import { given, isOwn } from "../samples.js";
import { cardIn, isCard, sourceOf } from "./card.js";

/** @typedef {import("./card.js").Card} Card */

const dialog = byId("shared", HTMLDialogElement);
const title = byId("shared-title", HTMLElement);
const remark = byId("shared-remark", HTMLElement);
const use = byId("shared-use", HTMLButtonElement);

/** @type {Card | undefined} */
let shared;

export function startShared() {
  use.addEventListener("click", () => {
    if (shared) takeQuestion(shared.question, shared.passage);
    dialog.close();
  });
  byId("shared-close", HTMLButtonElement).addEventListener("click", () => dialog.close());
  addEventListener("hashchange", follow);
  follow();
}

async function follow() {
  const fragment = location.hash;
  if (!isCard(fragment)) return;
  try {
    const card = await cardIn(fragment);
    if (location.hash === fragment) show(card);
  } catch (error) {
    if (location.hash === fragment) refuse(error);
  }
}

/** @param {Card} card */
function show(card) {
  shared = card;
  title.textContent = "An answer was shared with you";
  fill(card.question, card.answer, card.sentence, sourceOf(card));
  const what = card.passage === null ? "question" : "question and passage";
  given.add(card.question).add(card.passage ?? "");
  const own = Object.values(askedTexts()).some(isOwn);
  if (!own) takeQuestion(card.question, card.passage);
  const included = card.passage === null ? " The link doesn't include the passage." : "";
  const now = own
    ? "You have texts of your own here; they are kept."
    : `The ${what} ${card.passage === null ? "is" : "are"} filled in.`;
  remark.textContent = `This comes from a link; your device has not computed it.${included} ${now}`;
  use.textContent = `Use this ${what}`;
  use.hidden = !own;
  open("shown");
}

/** @param {unknown} error */
function refuse(error) {
  shared = undefined;
  const known = error instanceof Unreadable && error.message.startsWith("the link") ? error.message : undefined;
  title.textContent = "This link can't be opened";
  fill("", "", "", "");
  const why = known ?? "the link is incomplete, damaged, or made by another version of this page";
  remark.textContent = `${why.charAt(0).toUpperCase()}${why.slice(1)}. Ask for it again. Nothing on this page has changed.`;
  use.hidden = true;
  open("refused");
}

/** @param {string[]} texts of the question, the answer, its sentence and its source */
function fill(...texts) {
  for (const [index, name] of ["question", "answer", "sentence", "source"].entries()) {
    byId(`shared-${name}`, HTMLElement).textContent = texts[index] ?? "";
  }
}

/** @param {"shown" | "refused"} state */
function open(state) {
  dialog.dataset.state = state;
  if (!dialog.open) dialog.showModal();
}
