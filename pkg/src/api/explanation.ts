import { invalidInput } from "../errors.js";
import type { CallOptions, Timing } from "../types.js";

/** A word of a model's input. Pieces of one word (`light`, `##house`) are shown as one. */
export interface ExplainedWord {
  /** The word as in its text: a run of letters and digits, or one punctuation mark. For a special token, its spelling. */
  text: string;
  /** The part of the input that it belongs to: the question, the context, or neither (`[CLS]`, `[SEP]`). The offsets are in that text. */
  source: "question" | "context" | "special";
  /** Start offset in UTF-16 units; 0 for special tokens. */
  start: number;
  /** End offset in UTF-16 units, exclusive; 0 for special tokens. */
  end: number;
  /**
   * Probability, 0 to 1, that the answer starts here: a softmax over the start logits of all tokens of the window, summed
   * over the word's tokens. `[CLS]` has that of "no answer".
   */
  startProbability: number;
  /** Probability, 0 to 1, that the answer ends here. */
  endProbability: number;
}

/** The part of the context in which an answer was found, word by word. */
export interface Explanation {
  /** The words of the window in the order in which the model reads them, special tokens included. */
  words: ExplainedWord[];
  /**
   * If a layer and a head were given: attention between the words. What word `i` gives is
   * `attention.subarray(i * words.length, (i + 1) * words.length)`, and adds up to 1: the mean over the word's tokens of
   * what they give to another word's tokens together.
   */
  attention?: Float32Array;
  /** Number of layers of the model. */
  layers: number;
  /** Number of attention heads per layer. */
  heads: number;
  /** Index of the window. */
  window: number;
  /** Number of windows that the context was split into. */
  windows: number;
  /** Timing in milliseconds. */
  timing: Timing;
}

/** An {@link Explanation} with the attention of a head. */
export interface ExplanationWithAttention extends Explanation {
  /** Attention between the words; see {@link Explanation.attention}. */
  attention: Float32Array;
}

/** A span of the context, for example an {@link Answer}. */
export interface Span {
  /** Start offset in UTF-16 units. */
  start: number;
  /** End offset in UTF-16 units, exclusive. */
  end: number;
}

/** Options of {@link QuestionAnswering.explain}. */
export interface ExplainOptions extends CallOptions {
  /** The answer whose window is explained. Default: the best one, which `ask` is called for. */
  answer?: Span | undefined;
  /** The layer whose attention is returned, from 0; needs `head`. Default: none. */
  layer?: number | undefined;
  /** The head whose attention is returned, from 0; needs `layer`. Default: none. */
  head?: number | undefined;
  /** Distance in tokens between the starts of two windows, as for the answer. Default: 128. */
  docStride?: number | undefined;
  /** Length of a window in tokens, including the question, as for the answer. Default: 384. */
  maxLength?: number | undefined;
  /** Maximum question length in tokens, as for the answer. Default: 64. */
  maxQuestionTokens?: number | undefined;
}

/** An answer as the wasm module takes it: only its offsets. */
export function spanOf({ start, end }: Span, context: string): Span {
  if (start < end && end <= context.length) return { start, end };
  throw invalidInput("answer", `${start} to ${end} is not a span of the context, which has ${context.length} units`);
}

/** Takes the words' text from its source, because unpaired surrogates get lost on their way into the module. */
export function withTexts(explanation: Explanation, question: string, context: string): Explanation {
  for (const word of explanation.words) {
    if (word.source !== "special") {
      word.text = (word.source === "question" ? question : context).slice(word.start, word.end);
    }
  }
  return explanation;
}
