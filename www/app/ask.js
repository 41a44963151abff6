import { bringAnswerIntoView, showAnswer, showAnswerState, showStopped, showWaitingFor } from "./answer/answer.js";
import { noteAnswer } from "./answer/last-answer.js";
import { beginReading, endReading, showPartial } from "./answer/reading.js";
import { buttons, byId } from "./elements.js";
import { explainingMissing, offerInside, setExplaining, startInside } from "./inside/panel.js";
import { onStatus } from "./models/loading.js";
import { passage, startPassage, takePassage } from "./passage/passage.js";
import { showSections } from "./passage/passage-size.js";

/**
 * @typedef {import("../pkg/dist/index.js").QuestionAnswering} QuestionAnswering
 * @typedef {import("../pkg/dist/index.js").PartialAnswers} PartialAnswers
 */

const form = byId("ask", HTMLFormElement);
const field = byId("question", HTMLInputElement);
const asking = byId("ask-button", HTMLButtonElement);
const stopping = byId("answer-stop", HTMLButtonElement);

/** @type {QuestionAnswering | undefined} */
let model;
/** @type {AbortController | undefined} */
let running;
/** The best answers so far. @type {PartialAnswers | undefined} */
let partial;
/** The question that waits for a model. @type {string | undefined} */
let waiting;
/** @type {string[] | undefined} */
let suggested;
/** Shows the current answer again. @type {(() => void) | undefined} */
let showAgain;
/** The texts of the current question. */
let asked = { question: "", passage: "" };
/** True if a model is being loaded. */
let loading = true;
/** @type {import("./models/failures.js").CallListener} */
let listener;

/** @param {import("./models/failures.js").CallListener} given @param {{ passage: string, question: string }} [kept] */
export function startAsking(given, kept) {
  listener = given;
  const listening = {
    /** @param {string[]} questions */
    changed(questions) {
      suggest(questions);
      reset();
    },
    keep: keepAnswer,
  };
  startInside(given);
  startPassage(listening, kept?.passage);
  if (kept) field.value = kept.question;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
  onStatus(showWaitingFor);
  stopping.addEventListener("click", stopReading);
  document.addEventListener("keydown", ({ key, defaultPrevented }) => {
    // It may close a panel or a dialog instead.
    if (key === "Escape" && running && !defaultPrevented && !document.querySelector("dialog[open]")) stopReading();
  });
}

/** Returns the user's passage and question. */
export function askedTexts() {
  return { passage: passage(), question: field.value };
}

/**
 * Fills in the question of a link, and its passage if there is one; the user's own can be brought back.
 * @param {string} question
 * @param {string | null} context
 */
export function takeQuestion(question, context) {
  takePassage(context ?? passage(), `${context === null ? "The question is f" : "F"}illed in from the link.`);
  field.value = question;
}

/** Returns a function that restores the current question and answer, once the passage is the same again. */
function keepAnswer() {
  const question = field.value;
  const show = showAgain;
  return () => {
    field.value = question;
    showAgain = show;
    show?.();
  };
}

/** @param {string[]} questions */
function suggest(questions) {
  if (questions === suggested) return;
  suggested = questions;
  buttons("chips", questions, (index) => {
    field.value = questions[index] ?? "";
    submit();
  });
}

/** @param {QuestionAnswering | undefined} loaded undefined while another model is loading; questions wait for it */
export function setAnswering(loaded) {
  model = loaded;
  setExplaining(loaded);
  loading = loaded === undefined;
  if (running) {
    end();
    waiting = asked.question;
  }
  if (waiting === undefined) return;
  if (loaded) ask(waiting);
  else wait(waiting);
}

/** Called when no model is being loaded, either. */
export function answeringMissing() {
  loading = false;
  explainingMissing();
  if (waiting !== undefined) wait(waiting);
}

/** @param {string} question */
function wait(question) {
  waiting = question;
  const when = loading
    ? "The model is still loading. The answer will appear when it's ready."
    : "No model is loaded yet. The answer will appear once there is one.";
  showAnswerState(when, "waiting");
}

/** On a touch screen, a focused field keeps the keyboard open, which covers the answer. */
function hideKeyboard() {
  if (matchMedia("(pointer: coarse)").matches) field.blur();
}

/** Ends the current question; moves the focus off the Stop button, which disappears. */
function end() {
  running?.abort();
  running = undefined;
  if (document.activeElement === stopping) asking.focus({ preventScroll: true });
  endReading();
}

/** Stops reading and keeps the best answer so far. */
function stopReading() {
  const best = partial;
  const { question, passage: context } = asked;
  end();
  if (best?.answers[0])
    present(() => {
      showStopped(best, context);
      noteAnswer({ question, context });
    });
  else showAnswerState("Stopped before an answer was found.", "stopped");
}

/** Shows an answer, now and when it is restored. @param {() => void} show */
function present(show) {
  const { question, passage } = asked;
  showAgain = () => {
    offerInside(question, passage);
    show();
  };
  showAgain();
}

function reset() {
  end();
  waiting = undefined;
  showAgain = undefined;
  showAnswerState("", "empty");
}

/** Asks the question in the field, which the user has just submitted. */
function submit() {
  reset();
  const question = field.value.trim();
  if (passage().trim() === "")
    return showAnswerState("There is no passage yet. Paste one, or choose a sample.", "stopped");
  if (question === "") return showAnswerState("Type a question, or tap one of the suggestions.", "stopped");
  hideKeyboard();
  ask(question, bringAnswerIntoView);
}

/**
 * Asks a question, once there is a model.
 * @param {string} question
 * @param {() => void} [follow] called after each change of what is shown
 */
async function ask(question, follow = () => {}) {
  const context = passage();
  if (!model) {
    wait(question);
    return follow();
  }
  waiting = undefined;
  const answering = model;
  const stop = new AbortController();
  const { signal } = stop;
  running = stop;
  partial = undefined;
  asked = { question, passage: context };
  showAnswerState("Reading…", "reading");
  follow();
  beginReading();
  try {
    const result = await answering.ask(question, context, {
      topK: 3,
      signal,
      onPartial(found) {
        if (signal.aborted) return;
        partial = found;
        showPartial(found);
      },
    });
    if (signal.aborted) return;
    end();
    present(() => {
      showAnswer(result, context);
      noteAnswer({ question, context, milliseconds: result.timing.total });
    });
    follow();
    showSections(context, result.windows);
    listener.answered(answering.device);
  } catch (error) {
    if (signal.aborted) return;
    end();
    showAnswerState("No answer; see the message above.", "stopped");
    // For a model that is loaded again.
    waiting = question;
    listener.failed(error);
  }
}
