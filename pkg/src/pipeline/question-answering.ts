import { QuestionAnswering } from "../api/question-answering.js";
import { invalidInput } from "../errors.js";
import { type Checks, checkOptions, isBoolean, isCount } from "../options.js";
import type { LoadOptions, ModelSource } from "../types.js";
import { callable } from "./calls.js";
import { checkTexts, TEXT_CALL } from "./options.js";
import type { ManyResults, OneOrMany, PerText, PipelineBase, PipelineCallOptions, Texts } from "./types.js";

/** Options of a question, as in transformers.js and Python's `transformers`. */
export interface PipelineQuestionOptions extends PipelineCallOptions {
  /** Number of answers. With 1, the default, the result is the answer itself, otherwise an array. */
  top_k?: number | undefined;
  /** Include "no answer" as an empty answer. Default: false. */
  handle_impossible_answer?: boolean | undefined;
  /** True if answers are extended to whole words. Default: false, as in transformers.js; true in Python. */
  align_to_words?: boolean | undefined;
  /** Maximum length of an answer in tokens. Default: 30. */
  max_answer_len?: number | undefined;
  /** Maximum length of the question in tokens; a longer one is truncated. Default: 64. */
  max_question_len?: number | undefined;
  /** Length of a window in tokens, including the question. Default: 384. */
  max_seq_len?: number | undefined;
  /** Distance in tokens between the starts of two windows of a long context. Default: 128. */
  doc_stride?: number | undefined;
}

/** An answer as in transformers.js, plus its offsets. */
export interface PipelineAnswer {
  /** `context.slice(start, end)`; empty if the context doesn't contain the answer. */
  answer: string;
  /** Probability among all spans of the context, 0 to 1. */
  score: number;
  /** Start offset in UTF-16 units. */
  start: number;
  /** End offset in UTF-16 units, exclusive. */
  end: number;
}

/** The result of `pipeline("question-answering")`. */
export type QuestionAnsweringPipeline = PipelineBase &
  (<Q extends Texts, const O extends PipelineQuestionOptions = Record<never, never>>(
    question: Q,
    context: Q,
    options?: O,
  ) => Promise<PerText<Q, OneOrMany<ManyResults<O>, PipelineAnswer, PipelineAnswer[]>>>);

const QUESTION: Checks<PipelineQuestionOptions> = {
  top_k: isCount,
  handle_impossible_answer: isBoolean,
  align_to_words: isBoolean,
  max_answer_len: isCount,
  max_question_len: isCount,
  max_seq_len: isCount,
  doc_stride: isCount,
  ...TEXT_CALL,
};

/** Makes `pipeline("question-answering")`. */
export async function questionAnswering(source: ModelSource, load: LoadOptions): Promise<QuestionAnsweringPipeline> {
  const model = await QuestionAnswering.load(source, load);
  const one = async (question: string, context: string, options: PipelineQuestionOptions) => {
    const { top_k: topK = 1, handle_impossible_answer: maybeNone = false, signal } = options;
    const { answers, noAnswer } = await model.ask(question, context, {
      topK,
      distinct: false,
      alignToWords: options.align_to_words ?? false,
      maxAnswerTokens: options.max_answer_len,
      maxQuestionTokens: options.max_question_len,
      maxLength: options.max_seq_len,
      docStride: options.doc_stride,
      signal,
    });
    const found: PipelineAnswer[] = answers.map(({ text, probability, start, end }) => {
      return { answer: text, score: probability, start, end };
    });
    if (maybeNone || found.length === 0) found.push({ answer: "", score: noAnswer.probability, start: 0, end: 0 });
    found.sort((a, b) => b.score - a.score);
    return topK === 1 ? (found[0] as PipelineAnswer) : found.slice(0, topK);
  };
  const call = async (question: Texts, context: Texts, options: PipelineQuestionOptions = {}) => {
    checkTexts("question", question);
    checkTexts("context", context);
    checkOptions(options, QUESTION);
    if (typeof question === "string" && typeof context === "string") return await one(question, context, options);
    if (typeof question === "string" || typeof context === "string" || question.length !== context.length) {
      throw invalidInput("context", "pass one context per question");
    }
    return await Promise.all(question.map((text, i) => one(text, context[i] as string, options)));
  };
  return callable("question-answering", model, call) as QuestionAnsweringPipeline;
}
