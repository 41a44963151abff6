import { showAnswer, showAnswerState, showPartial, showStopped } from "./answer.js";
import { buttons, byId } from "./elements.js";
import { passage, startPassage } from "./passage.js";
import { showWindows } from "./passage-size.js";

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
/** The best of what was read so far. @type {PartialAnswers | undefined} */
let partial;
let waiting = false;
/** @type {string[] | undefined} */
let suggested;
/** Whether a model is on its way. */
let loading = true;
/** @type {import("./main.js").CallListener} */
let listener;

/** @param {import("./main.js").CallListener} given */
export function startAsking(given) {
  listener = given;
  startPassage((questions) => {
    suggest(questions);
    reset();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    ask();
  });
  stopping.addEventListener("click", stopReading);
}

/** @param {string[]} questions */
function suggest(questions) {
  if (questions === suggested) return;
  suggested = questions;
  buttons("chips", questions, (index) => {
    field.value = questions[index] ?? "";
    ask();
  });
}

/** @param {QuestionAnswering | undefined} loaded nothing while another model is loading: what is asked waits for it */
export function setAnswering(loaded) {
  model = loaded;
  loading = loaded === undefined;
  if (running) {
    end();
    waiting = true;
  }
  if (!waiting) return;
  if (loaded) ask();
  else wait();
}

/** No model is on its way either. */
export function answeringMissing() {
  loading = false;
  if (waiting) wait();
}

function wait() {
  waiting = true;
  const when = loading
    ? "The model is still loading; the answer comes as soon as it is here."
    : "There is no model yet; the answer comes as soon as one is loaded.";
  showAnswerState(when, "waiting");
}

/** Nothing is read any more. The keyboard does not stay on a button that is gone. */
function end() {
  running?.abort();
  running = undefined;
  if (document.activeElement === stopping) asking.focus({ preventScroll: true });
  stopping.hidden = true;
}

/** What was found so far stays. */
function stopReading() {
  const best = partial;
  const context = passage();
  end();
  if (best?.answers[0]) showStopped(best, context);
  else showAnswerState("Reading was stopped before anything was found.", "stopped");
}

function reset() {
  end();
  waiting = false;
  showAnswerState("", "empty");
}

/** A new question stops the one before it. */
async function ask() {
  end();
  waiting = false;
  const question = field.value.trim();
  const context = passage();
  if (context.trim() === "") return showAnswerState("There is no passage yet: paste one, or pick a sample.", "stopped");
  if (question === "") return showAnswerState("Type a question, or tap one of those below it.", "stopped");
  if (!model) return wait();
  const asked = model;
  const stop = new AbortController();
  const { signal } = stop;
  running = stop;
  partial = undefined;
  showAnswerState("Reading …", "reading");
  stopping.hidden = false;
  try {
    const result = await asked.ask(question, context, {
      topK: 3,
      signal,
      onPartial(found) {
        if (signal.aborted) return;
        partial = found;
        showPartial(found, context);
      },
    });
    if (signal.aborted) return;
    end();
    showAnswer(result, context);
    showWindows(context, result.windows);
    listener.answered(asked.device);
  } catch (error) {
    if (signal.aborted) return;
    end();
    showAnswerState("No answer: see above.", "stopped");
    listener.failed(error);
  }
}
