import type { LoadedModel } from "../api/model.js";
import { MobileBertError, renamed } from "../errors.js";
import type { PipelineBase, Texts } from "./types.js";

/** Options as errors of the classes name them, and as they are called in pipelines. */
const OPTIONS = {
  docStride: "doc_stride",
  hypothesisTemplate: "hypothesis_template",
  maxLength: "max_seq_len",
  maxQuestionTokens: "max_question_len",
};

/** Adds the members of every pipeline to its call. */
export function callable<Arguments extends unknown[], Result>(
  task: string,
  model: LoadedModel,
  work: (...given: Arguments) => Promise<Result>,
): ((...given: Arguments) => Promise<Result>) & PipelineBase {
  const call = (...given: Arguments) =>
    work(...given).catch((error) => {
      throw error instanceof MobileBertError ? renamed(error, OPTIONS) : error;
    });
  const dispose = () => model.dispose();
  const tokenize: PipelineBase["tokenize"] = (text, options) => model.tokenize(text, options);
  const pipeline = Object.assign(call, { task, model, tokenize, dispose });
  // Browsers without this symbol would get a member named "undefined".
  if (Symbol.asyncDispose) Object.assign(pipeline, { [Symbol.asyncDispose]: dispose });
  return pipeline as typeof call & PipelineBase;
}

/** Applies a call to one text or to each of several; the model's queue keeps the order. */
export function forEach<T>(texts: Texts, work: (text: string) => Promise<T>): Promise<T | T[]> {
  return typeof texts === "string" ? work(texts) : Promise.all(texts.map(work));
}
