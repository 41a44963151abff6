import { type Checks, checkOptions, isCount, isFunction } from "./check.js";
import { invalidInput, MobileBertError } from "./errors.js";
import { LoadedModel, open } from "./model.js";
import { CALL } from "./options.js";
import type { CallOptions, LoadOptions, ModelSource, Timing } from "./types.js";

/** A span of the context: `context.slice(start, end) === text`. */
export interface Answer {
  /** `context.slice(start, end)`. */
  text: string;
  /** First unit in the context, in UTF-16 units, as JavaScript counts. */
  start: number;
  /** One past the last UTF-16 unit. */
  end: number;
  /** 0 to 1: share of this span among all spans of all windows and, for models that know it, "no answer". */
  probability: number;
  /** Sum of the start's and the end's logit. */
  score: number;
}

/** What a question gave. */
export interface AskResult {
  /** The best spans, most probable first. */
  answers: Answer[];
  /** That the context does not hold the answer: its probability, 0 to 1, and its sum of logits. */
  noAnswer: { probability: number; score: number };
  /** How many windows the context was cut into. */
  windows: number;
  /** How many of the windows were read: fewer where `maxWindows` says so. */
  windowsDone: number;
  /** Whether part of the question or the context was left unread. */
  truncated: boolean;
  /** Milliseconds. */
  timing: Timing;
}

/** The best answers of the windows read so far. */
export interface PartialAnswers {
  /** The best spans so far, most probable first. */
  answers: Answer[];
  /** How many windows were read so far. */
  windowsDone: number;
  /** How many windows there are. */
  windowsTotal: number;
}

/** Options of {@link QuestionAnswering.ask}. */
export interface AskOptions extends CallOptions {
  /** How many answers. Default 3. */
  topK?: number;
  /** Longest answer in word pieces. Default 30. */
  maxAnswerTokens?: number;
  /** Word pieces between the beginnings of two windows. Default 128. */
  docStride?: number;
  /** Length of a window in word pieces, question included. Default 384. */
  maxLength?: number;
  /** Longest question in word pieces; the rest is cut. Default 64. */
  maxQuestionTokens?: number;
  /** Stops after this many windows. */
  maxWindows?: number;
  /** Called between windows with the best answers so far. */
  onPartial?: (partial: PartialAnswers) => void;
}

const ASK: Checks<AskOptions> = {
  ...CALL,
  topK: isCount,
  maxAnswerTokens: isCount,
  docStride: isCount,
  maxLength: isCount,
  maxQuestionTokens: isCount,
  maxWindows: isCount,
  onPartial: isFunction,
};

/** Answers questions with spans of a context. */
export class QuestionAnswering extends LoadedModel {
  /** Loads a model with a question-answering head. */
  static load(model: ModelSource, options: LoadOptions = {}): Promise<QuestionAnswering> {
    return open(QuestionAnswering, "question-answering", model, options);
  }

  /** Finds the answer to a question in a context of any length. */
  async ask(question: string, context: string, options: AskOptions = {}): Promise<AskResult> {
    if (typeof question !== "string") throw invalidInput("question", "not a string");
    if (typeof context !== "string") throw invalidInput("context", "not a string");
    checkOptions(options, ASK);
    const { signal, onPartial, topK = 3, ...rest } = options;
    const partial = onPartial && ((value: unknown) => onPartial(sliced(value as PartialAnswers, context)));
    const call = this.call("ask", [question, context, { topK, ...rest }], signal ? { signal } : {}, partial);
    const result = await call.catch(respelled);
    return sliced(result as AskResult, context);
  }
}

/** Half a surrogate pair does not survive the way into the module; in an answer it stands as in the context. */
function sliced<T extends { answers: Answer[] }>(result: T, context: string): T {
  for (const answer of result.answers) answer.text = context.slice(answer.start, answer.end);
  return result;
}

/** The module names options as Rust spells them. */
function respelled(error: unknown): never {
  if (!(error instanceof MobileBertError) || error.code !== "invalid-input") throw error;
  const camel = (text: string) =>
    text
      .replace(/\bmax_question\b/g, "max_question_tokens")
      .replace(/\b(?:top|doc|max)(?:_[a-z]+)+/g, (name) => name.replace(/_(.)/g, (_, letter) => letter.toUpperCase()));
  const { field, ...detail } = error.detail;
  throw new MobileBertError(error.code, camel(error.message), field ? { ...detail, field: camel(field) } : detail);
}
