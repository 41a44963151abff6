/** The panel that shares an answer: as a card, and with the passage only if the user asks for it. */
import { canShare, copy, send } from "../../share/send.js";
import { lastAnswer } from "../answer/last-answer.js";
import { usedDevice } from "../device.js";
import { byId } from "../elements.js";
import { modelFor } from "../footer.js";
import { addPanel } from "../panels.js";
import { LONGEST_LINK, lineOf, linkToCard, sourceOf, textOf } from "./card.js";

const text = (/** @type {string} */ id) => lineOf(byId(id, HTMLElement).textContent ?? "");
const withPassage = byId("share-passage", HTMLInputElement);
const length = byId("share-length", HTMLElement);
const link = byId("share-link", HTMLInputElement);
const sending = byId("share-send", HTMLButtonElement);
const done = byId("share-done", HTMLElement);

/** The card that the panel shows. @type {import("./card.js").Card | undefined} */
let card;

export function startSharing() {
  sending.textContent = canShare ? "Share" : "Copy as text with a link";
  addPanel("share-open", "share-panel", show);
  withPassage.addEventListener("change", show);
  sending.addEventListener("click", async () => {
    if (!card) return;
    done.textContent = await send({ title: "An answer by MobileBERT", text: textOf(card), url: link.value });
  });
  byId("share-copy", HTMLButtonElement).addEventListener("click", async () => {
    done.textContent = (await copy(link.value, "The link was copied.", link)).text;
  });
}

/** Shows the current answer as a card, and how long its link is. */
async function show() {
  const answered = lastAnswer();
  if (!answered) return;
  const { question, context, milliseconds = null } = answered;
  /** @type {import("./card.js").Card} */
  const made = {
    question: lineOf(question),
    answer: text("answer-line"),
    sentence: text("answer-sentence"),
    model: lineOf(modelFor("answers")?.label ?? "a model"),
    device: lineOf(usedDevice()),
    milliseconds: milliseconds && Math.round(milliseconds),
    passage: null,
  };
  card = made;
  done.textContent = "";
  byId("card-question", HTMLElement).textContent = made.question;
  byId("card-answer", HTMLElement).textContent = made.answer;
  byId("card-sentence", HTMLElement).textContent = made.sentence;
  byId("card-source", HTMLElement).textContent = sourceOf(made);
  const whole = withPassage.checked ? await linkToCard({ ...made, passage: context }) : undefined;
  const fits = whole !== undefined && whole.length <= LONGEST_LINK;
  const used = fits ? whole : await linkToCard(made);
  // Another answer may be shown meanwhile.
  if (card !== made) return;
  link.value = used;
  const cut = `many apps cut links off after ${LONGEST_LINK.toLocaleString("en")}`;
  const warning = used.length > LONGEST_LINK ? `, but ${cut}` : "";
  const size = `The link has ${used.length.toLocaleString("en")} characters, ${fits ? "with the whole passage" : "without the passage"}${warning}.`;
  if (whole && !fits) {
    withPassage.checked = false;
    length.textContent = `The passage is too long for a link: it would have ${whole.length.toLocaleString("en")} characters, and ${cut}. ${size}`;
  } else length.textContent = size;
}
