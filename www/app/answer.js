import { byId, make } from "./elements.js";
import { median, percent, plural, time } from "./format.js";
import { markSpans } from "./marks.js";
import { scrolling } from "./scrolling.js";

/**
 * @typedef {import("../pkg/dist/index.js").Answer} Answer
 * @typedef {import("../pkg/dist/index.js").AskResult} AskResult
 * @typedef {import("../pkg/dist/index.js").PartialAnswers} PartialAnswers
 */

const section = byId("answer", HTMLElement);
const line = byId("answer-line", HTMLElement);
const sentence = byId("answer-sentence", HTMLElement);
const list = byId("alternatives", HTMLOListElement);
const cut = byId("answer-cut", HTMLElement);
const timing = byId("answer-timing", HTMLElement);

/** Total times of all answers so far, in milliseconds. @type {number[]} */
const times = [];

/** @param {string} text @param {"empty" | "waiting" | "reading" | "stopped"} state */
export function showAnswerState(text, state) {
  section.dataset.state = state;
  line.textContent = text;
  sentence.replaceChildren();
  list.replaceChildren();
  timing.textContent = "";
  cut.hidden = true;
  markSpans([]);
}

/**
 * Shows the best answer so far in a long text. It isn't announced: the live region only changes once, at the end.
 * @param {PartialAnswers} partial
 * @param {string} context
 */
export function showPartial({ answers, windowsDone, windowsTotal }, context) {
  timing.textContent = `Read ${windowsDone} of ${windowsTotal} windows`;
  const best = answers[0];
  if (best) showSentence(context, best);
}

/**
 * @param {AskResult} result
 * @param {string} context
 */
export function showAnswer(result, context) {
  const { answers, noAnswer } = result;
  const best = answers[0];
  const noneFound = !best || noAnswer.probability > best.probability;
  section.dataset.state = noneFound ? "none" : "found";
  const found = noneFound ? `The passage does not say (${percent(noAnswer.probability)}).` : best.text;
  line.textContent = found;
  sentence.replaceChildren();
  if (best && !noneFound) showSentence(context, best);
  list.replaceChildren(...alternatives(answers, context));
  if (noAnswer.probability >= 0.001) list.append(bar("The passage does not say", noAnswer.probability));
  markSpans(noneFound ? [] : answers);
  cut.textContent = describeTruncation(result);
  cut.hidden = !result.truncated;
  times.push(result.timing.total);
  timing.textContent = describe(result);
  bringIntoView();
}

/**
 * Shows the best answer found before the user stopped.
 * @param {PartialAnswers} partial
 * @param {string} context
 */
export function showStopped({ answers, windowsDone, windowsTotal }, context) {
  section.dataset.state = "found";
  line.textContent = answers[0]?.text ?? "";
  if (answers[0]) showSentence(context, answers[0]);
  list.replaceChildren(...alternatives(answers, context));
  markSpans(answers);
  cut.textContent = `Stopped: best answer from ${windowsDone} of ${plural(windowsTotal, "window")}.`;
  cut.hidden = false;
  timing.textContent = "";
  bringIntoView();
}

/** Scrolls to the answer, unless the user is typing in another field. */
function bringIntoView() {
  const { activeElement } = document;
  if (activeElement?.id === "mood" || activeElement?.id === "passage") return;
  const last = sentence.hasChildNodes() ? sentence : line;
  last.scrollIntoView({ block: "nearest", behavior: scrolling() });
}

/** Says which part was not read. @param {AskResult} result */
function describeTruncation({ truncated, windows, windowsDone }) {
  if (!truncated) return "";
  if (windowsDone < windows) return `Only ${windowsDone} of ${plural(windows, "window")} were read.`;
  return "The question is too long: its end was cut off.";
}

/** @param {AskResult} result */
function describe({ timing: parts, windows }) {
  const each = `${time(parts.tokenize)} to tokenize, ${time(parts.compute)} to compute, ${time(parts.postprocess)} to search`;
  const usual = times.length > 1 ? ` · median of ${times.length} answers ${time(median(times))}` : "";
  return `${time(parts.total)}: ${each} · ${plural(windows, "window")}${usual}.`;
}

/** @param {Answer[]} answers @param {string} context */
function alternatives(answers, context) {
  return answers.map((answer, index) => alternative(answer, index, answers, context));
}

/**
 * An alternative answer; clicking it highlights it in the passage.
 * @param {Answer} answer
 * @param {number} index
 * @param {Answer[]} all
 * @param {string} context
 */
function alternative(answer, index, all, context) {
  const item = bar(answer.text, answer.probability, () => {
    markSpans([answer, ...all.filter((other) => other !== answer)]);
    showSentence(context, answer);
  });
  if (index === 0) item.className = "first";
  return item;
}

/**
 * @param {string} text
 * @param {number} probability
 * @param {() => void} [onPick]
 */
function bar(text, probability, onPick) {
  const meter = document.createElement("meter");
  meter.value = probability;
  meter.setAttribute("aria-label", `probability ${percent(probability)}`);
  const parts = [
    make("span", { className: "what", text }),
    make("span", { className: "share", text: percent(probability) }),
  ];
  if (!onPick) return make("li", {}, [make("span", { className: "pick" }, parts), meter]);
  const button = document.createElement("button");
  button.type = "button";
  button.className = "pick";
  button.append(...parts);
  button.addEventListener("click", onPick);
  return make("li", {}, [button, meter]);
}

/**
 * Shows the sentence that contains an answer.
 * @param {string} context
 * @param {Answer} answer
 */
function showSentence(context, { start, end }) {
  const before = context.slice(Math.max(0, start - 300), start);
  const from = start - (before.split(/(?<=[.!?。！？]["'”’)]?\s)|\n/u).at(-1)?.length ?? 0);
  const after = context.slice(end, end + 300);
  const stop = after.search(/[.!?。！？](\s|$)|\n/u);
  const to = end + (stop < 0 ? after.length : stop + 1);
  const mark = make("mark", { className: "best", text: context.slice(start, end) });
  sentence.replaceChildren(context.slice(from, start), mark, context.slice(end, to).trimEnd());
}
