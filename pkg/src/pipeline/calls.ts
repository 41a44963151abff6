import type { LoadedModel } from "../api/model.js";
import type { PipelineBase, Texts } from "./types.js";

/** Adds the members of every pipeline to its call. */
export function callable<F extends object>(
  task: string,
  model: Pick<LoadedModel, "dispose" | "tokenize">,
  call: F,
): F & PipelineBase {
  const dispose = () => model.dispose();
  const tokenize: PipelineBase["tokenize"] = (text, options) => model.tokenize(text, options);
  const pipeline = Object.assign(call, { task, tokenize, dispose });
  // Browsers without this symbol would get a member named "undefined".
  if (Symbol.asyncDispose) Object.assign(pipeline, { [Symbol.asyncDispose]: dispose });
  return pipeline as F & PipelineBase;
}

/** Applies a call to one text or to each of several; the model's queue keeps the order. */
export function forEach<T>(texts: Texts, work: (text: string) => Promise<T>): Promise<T | T[]> {
  return typeof texts === "string" ? work(texts) : Promise.all(texts.map(work));
}
