// This project's package: tokenizer, network and span search, as a page would call it.
import { QuestionAnswering } from "mobilebert";
import { MAX_ANSWER_TOKENS, TOP } from "../check.mjs";

/** `stored`: reads the copy in the wanted dtype instead of converting the floats. */
export async function load(specification) {
  const { device, dtype, schedule, simd, threads = 1, worker = threads > 1, stored = false, ...rest } = specification;
  const options = {
    device,
    dtype,
    threads,
    worker,
    ...(schedule && { schedule }),
    ...(simd && { simd }),
    ...rest.options,
  };
  const own = await QuestionAnswering.load(stored && dtype !== "f32" ? `/${dtype}/` : "/model/", options);
  return {
    about: {
      version: "this commit",
      device: `${own.device.kind} ${own.device.simd?.set ?? own.device.adapter}`.trim(),
      why: own.device.reason,
    },
    async run(input) {
      const length = input.input_ids.length;
      const asked = { topK: TOP, maxAnswerTokens: MAX_ANSWER_TOKENS, maxLength: length };
      const { answers, windows } = await own.ask(input.question, input.context, asked);
      if (windows !== 1) throw new Error(`${length} tokens took ${windows} windows, not one`);
      // Each word has four letters, followed by a space.
      return { spans: answers.map(({ start, end, score }) => ({ start: start / 5, end: (end - 4) / 5, score })) };
    },
    end: () => own.dispose(),
  };
}
