import { showAnswer, showAnswerState, showPartial } from "./answer.js";
import { buttons, byId } from "./elements.js";
import { passage, startPassage } from "./passage.js";

/** @typedef {import("../pkg/dist/index.js").QuestionAnswering} QuestionAnswering */

const form = byId("ask", HTMLFormElement);
const field = byId("question", HTMLInputElement);

/** @type {QuestionAnswering | undefined} */
let model;
/** @type {AbortController | undefined} */
let running;
let waiting = false;
/** @type {import("./main.js").CallListener} */
let listener;

/** @param {import("./main.js").CallListener} given */
export function startAsking(given) {
  listener = given;
  startPassage((questions) => {
    buttons("chips", questions, (index) => {
      field.value = questions[index] ?? "";
      ask();
    });
    reset();
  });
  byId("passage", HTMLTextAreaElement).addEventListener("input", reset);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    ask();
  });
}

/** @param {QuestionAnswering | undefined} loaded nothing while another model is loading: what is asked waits for it */
export function setAnswering(loaded) {
  model = loaded;
  if (running) {
    running.abort();
    running = undefined;
    wait();
  }
  if (loaded && waiting) ask();
}

function wait() {
  waiting = true;
  showAnswerState("The model is still loading; the answer comes as soon as it is here.", "waiting");
}

function reset() {
  running?.abort();
  waiting = false;
  showAnswerState("", "empty");
}

/** A new question stops the one before it. */
async function ask() {
  running?.abort();
  waiting = false;
  const question = field.value.trim();
  const context = passage();
  if (context.trim() === "") return showAnswerState("There is no passage yet: paste one, or pick a sample.", "stopped");
  if (question === "") return showAnswerState("Type a question, or tap one of those below it.", "stopped");
  if (!model) return wait();
  const asked = model;
  const stop = new AbortController();
  running = stop;
  showAnswerState("Reading …", "reading");
  try {
    const { signal } = stop;
    const onPartial = (/** @type {import("../pkg/dist/index.js").PartialAnswers} */ partial) => {
      if (!signal.aborted) showPartial(partial, context);
    };
    const result = await asked.ask(question, context, { topK: 3, signal, onPartial });
    if (!signal.aborted) showAnswer(result, context);
    listener.answered(asked.device);
  } catch (error) {
    if (stop.signal.aborted) return;
    showAnswerState("No answer: see above.", "stopped");
    listener.failed(error);
  } finally {
    if (running === stop) running = undefined;
  }
}
