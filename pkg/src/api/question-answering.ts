import { invalidInput } from "../errors.js";
import { CALL, type Checks, checkOptions, isBoolean, isCount, isFunction, isIndex, isSpan } from "../options.js";
import type { CallOptions, LoadOptions, ModelSource, Timing } from "../types.js";
import {
  type ExplainOptions,
  type Explanation,
  type ExplanationWithAttention,
  spanOf,
  withTexts,
} from "./explanation.js";
import { LoadedModel } from "./model.js";
import { open } from "./open.js";

/** A span of the context: `context.slice(start, end) === text`. */
export interface AnswerVariant {
  /** `context.slice(start, end)`. */
  text: string;
  /** Start offset in the context in UTF-16 units. */
  start: number;
  /** End offset in UTF-16 units, exclusive. */
  end: number;
  /** Probability, 0 to 1, among all spans of all windows and, if the model supports it, "no answer". */
  probability: number;
  /** Sum of the start and end logits, minus the costs of the answer's length if the model has any. */
  score: number;
}

/** An answer: its best span, and the spans that say the same. `probability` is the sum over these. */
export interface Answer extends AnswerVariant {
  /** The spans that overlap the best one or repeat its text elsewhere, best first, beginning with the best one itself. */
  variants: AnswerVariant[];
}

/** The result of a question. */
export interface AskResult {
  /** Distinct answers, the one with the best span first. */
  answers: Answer[];
  /** The case that the context doesn't contain an answer: its probability, 0 to 1, and its sum of logits. */
  noAnswer: { probability: number; score: number };
  /**
   * The decision by the model's `calibration` (see "Calibration" in the guide to models): the first
   * answer, the first answer as a guess, or no answer. Without a calibration, no answer is the result if it
   * is more probable than the first answer.
   */
  verdict: "answer" | "unsure" | "no-answer";
  /** Number of windows that the context was split into. */
  windows: number;
  /** Number of windows that were read; less than `windows` if limited by `maxWindows`. */
  windowsDone: number;
  /** True if part of the question or the context was ignored. */
  truncated: boolean;
  /** Timing in milliseconds. */
  timing: Timing;
}

/** The best answers so far. */
export interface PartialAnswers {
  /** The answers in the windows read so far, in the same order. */
  answers: Answer[];
  /** Number of windows read so far. */
  windowsDone: number;
  /** Total number of windows. */
  windowsTotal: number;
}

/** Options of {@link QuestionAnswering.ask}. */
export interface AskOptions extends CallOptions {
  /** Number of answers. Default: 3. */
  topK?: number | undefined;
  /** Maximum answer length in tokens. Default: 30. */
  maxAnswerTokens?: number | undefined;
  /** Distance in tokens between the starts of two windows. Default: 128. */
  docStride?: number | undefined;
  /** Length of a window in tokens, including the question. Default: 384. */
  maxLength?: number | undefined;
  /** Maximum question length in tokens; longer questions are truncated. Default: 64. */
  maxQuestionTokens?: number | undefined;
  /** Maximum number of windows to read. Default: all. */
  maxWindows?: number | undefined;
  /**
   * True if overlapping spans are one answer. If false, only spans with the same text are, and answers come most
   * probable first. Default: true.
   */
  distinct?: boolean | undefined;
  /** True if answers are extended to whole words, `300km` instead of `300`. Default: true. */
  alignToWords?: boolean | undefined;
  /** Called after each window with the best answers so far. */
  onPartial?: ((partial: PartialAnswers) => void) | undefined;
}

const ASK: Checks<AskOptions> = {
  ...CALL,
  topK: isCount,
  maxAnswerTokens: isCount,
  docStride: isCount,
  maxLength: isCount,
  maxQuestionTokens: isCount,
  maxWindows: isCount,
  distinct: isBoolean,
  alignToWords: isBoolean,
  onPartial: isFunction,
};

const EXPLAIN: Checks<ExplainOptions> = {
  ...CALL,
  answer: isSpan,
  layer: isIndex,
  head: isIndex,
  docStride: isCount,
  maxLength: isCount,
  maxQuestionTokens: isCount,
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
    const partial = onPartial && ((value: unknown) => onPartial(withText(value as PartialAnswers, context)));
    const args = [question, context, { topK, ...rest }];
    return withText((await this.call("ask", args, options, partial)) as AskResult, context);
  }

  /** Explains an answer as below, with what every word of its window attends to in one head of one layer. */
  explain(
    question: string,
    context: string,
    options: ExplainOptions & { layer: number; head: number },
  ): Promise<ExplanationWithAttention>;
  /**
   * Explains an answer: where the model considered that it starts and ends, word by word, in the window where it was found.
   * Another head of the same layer needs no computation, another layer no more than the layers below it.
   */
  explain(question: string, context: string, options?: ExplainOptions): Promise<Explanation>;
  async explain(question: string, context: string, options: ExplainOptions = {}): Promise<Explanation> {
    if (typeof question !== "string") throw invalidInput("question", "not a string");
    if (typeof context !== "string") throw invalidInput("context", "not a string");
    checkOptions(options, EXPLAIN);
    const { signal, answer: given, layer, head, ...sizes } = options;
    const answer = given ?? (await this.ask(question, context, { topK: 1, signal, ...sizes })).answers[0];
    const place = answer ? { answer: spanOf(answer, context) } : {};
    const args = [question, context, { ...place, layer, head, ...sizes }];
    const result = await this.call("explain", args, options);
    return withTexts(result as Explanation, question, context);
  }
}

/** Takes the answers' text from the context, because unpaired surrogates get lost on their way into the module. */
function withText<T extends { answers: Answer[] }>(result: T, context: string): T {
  for (const answer of result.answers) {
    for (const span of [answer, ...answer.variants]) span.text = context.slice(span.start, span.end);
  }
  return result;
}
