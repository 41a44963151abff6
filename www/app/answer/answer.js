import { quantile } from "../../share/quantile.js";
import { byId } from "../elements.js";
import { percent, plural, time } from "../format.js";
import { hideInside, showInside } from "../inside/panel.js";
import { markSpans } from "../passage/marks.js";
import { scrolling } from "../scrolling.js";
import { hideRows, showRows } from "./alternatives.js";
import { hideSentence, showSentence } from "./sentence.js";

/**
 * @typedef {import("../../pkg/dist/index.js").Answer} Answer
 * @typedef {import("../../pkg/dist/index.js").AskResult} AskResult
 * @typedef {import("../../pkg/dist/index.js").PartialAnswers} PartialAnswers
 */

const card = byId("ask-card", HTMLElement);
const paper = byId("paper", HTMLElement);
const section = byId("answer", HTMLElement);
const line = byId("answer-line", HTMLElement);
const cut = byId("answer-cut", HTMLElement);
const timing = byId("answer-timing", HTMLElement);

/** An answer is shown if it has at least this share of the most probable one's probability. */
const LEAST_SHARE = 0.01;

/** Total times of all answers so far, in milliseconds. @type {number[]} */
const times = [];
/** The answers whose times are counted; each may be shown again. @type {WeakSet<AskResult>} */
const counted = new WeakSet();

/** @param {"empty" | "waiting" | "reading" | "stopped" | "found" | "none"} state */
function enter(state) {
  section.dataset.state = state;
  // On a phone, the passage becomes shorter, so that the answer fits on the screen.
  card.dataset.asked = String(state !== "empty");
}

/** @param {string} text @param {"empty" | "waiting" | "reading" | "stopped"} state */
export function showAnswerState(text, state) {
  enter(state);
  line.textContent = text;
  hideSentence();
  hideRows();
  timing.textContent = "";
  cut.hidden = true;
  hideInside();
  markSpans([]);
}

/** Shows what a waiting question is waiting for. @param {string} status */
export function showWaitingFor(status) {
  if (section.dataset.state === "waiting") timing.textContent = status;
}

/**
 * @param {AskResult} result
 * @param {string} context
 */
export function showAnswer(result, context) {
  const answers = worthShowing(result.answers);
  const [best] = answers;
  const choices = { answers, none: result.noAnswer.probability, guess: result.verdict === "unsure" ? best : undefined };
  showChoices(choices, result.verdict === "no-answer" ? undefined : best, context);
  cut.textContent = "The question is too long: its end was cut off.";
  cut.hidden = !result.truncated;
  if (!counted.has(result)) times.push(result.timing.total);
  counted.add(result);
  timing.textContent = describe(result);
}

/**
 * Shows the best answer found before the user stopped.
 * @param {PartialAnswers} partial
 * @param {string} context
 */
export function showStopped({ answers, windowsDone, windowsTotal }, context) {
  showChoices({ answers: worthShowing(answers), none: 0 }, answers[0], context);
  cut.textContent = `Stopped: best answer from ${windowsDone} of ${plural(windowsTotal, "section")}.`;
  cut.hidden = false;
  timing.textContent = "";
  bringAnswerIntoView();
}

/** Leaves out answers that are far less probable than the most probable one. @param {Answer[]} answers */
function worthShowing(answers) {
  const most = Math.max(...answers.map(({ probability }) => probability));
  return answers.filter(({ probability }, index) => index === 0 || probability >= LEAST_SHARE * most);
}

/**
 * Shows one of several answers in full, and all of them as rows; tapping a row shows that one.
 * @param {{ answers: Answer[], none: number, guess?: Answer | undefined }} choices `none`: the probability that the
 *   passage doesn't say; `guess`: an answer that the model is not sure of
 * @param {Answer | undefined} chosen undefined if the passage doesn't say
 * @param {string} context
 */
function showChoices(choices, chosen, context) {
  const { answers, none, guess } = choices;
  enter(chosen ? "found" : "none");
  const unsure = chosen && chosen === guess ? "Not sure, best guess: " : "";
  line.textContent = chosen ? unsure + chosen.text : noAnswer(none);
  if (chosen) showSentence(context, chosen);
  else hideSentence();
  showInside(chosen ?? answers[0]);
  markSpans(chosen ? [chosen, ...answers.filter((other) => other !== chosen)] : []);
  showRows(answers, none, chosen, (picked) => {
    showChoices(choices, picked, context);
    bringAnswerIntoView();
  });
}

/** Says that the passage has no answer, as surely as the model does. @param {number} probability */
function noAnswer(probability) {
  const share = `(${percent(probability)})`;
  if (probability < 0.5) return `The passage may not say ${share}.`;
  return `The passage ${probability < 0.9 ? "probably does" : "does"} not say ${share}.`;
}

/** Scrolls to the passage and the answer below it, unless the user is typing in another field. */
export function bringAnswerIntoView() {
  const { activeElement } = document;
  if (activeElement?.id === "mood" || activeElement?.id === "passage") return;
  const behavior = scrolling();
  const top = paper.getBoundingClientRect().top;
  const bottom = section.getBoundingClientRect().bottom;
  if (top >= 0 && bottom <= innerHeight) return;
  // From the top of the passage, if everything fits; otherwise the end of the answer.
  if (bottom - top <= innerHeight) paper.scrollIntoView({ block: "start", behavior });
  else if (bottom > innerHeight) section.scrollIntoView({ block: "nearest", behavior });
  else line.scrollIntoView({ block: "nearest", behavior });
}

/** @param {AskResult} result */
function describe({ timing: parts, windows }) {
  const each = `${time(parts.tokenize)} to tokenize, ${time(parts.compute)} to compute, ${time(parts.postprocess)} to search`;
  const sections = windows > 1 ? ` · ${plural(windows, "section")}` : "";
  const usual = times.length > 1 ? ` · median of ${times.length} answers ${time(quantile(times, 0.5))}` : "";
  return `${time(parts.total)}: ${each}${sections}${usual}.`;
}
