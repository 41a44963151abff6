// Checks the package's types as a user's compiler sees them with `exactOptionalPropertyTypes` and explicit resource
// management; compiled by `contents.test.mjs`, which adds a line for each exported options type.
import { Encoder, pipeline, QuestionAnswering } from "mobilebert";

type OptionalKey<T> = { [K in keyof T]-?: Record<never, never> extends Pick<T, K> ? K : never }[keyof T];
/** The options that can be omitted, but not be `undefined`. */
type Refuses<T> = {
  [K in OptionalKey<T>]: { [P in K]: undefined } extends Pick<T, K> ? never : K;
}[OptionalKey<T>];
export type AcceptsUndefined<T> = [Refuses<T>] extends [never] ? true : Refuses<T>;

export async function ask(signal?: AbortSignal): Promise<number | undefined> {
  await using qa = await QuestionAnswering.load("models/x/", { signal });
  await using encoder = await Encoder.load("models/y/", { signal });
  await using classify = await pipeline("sentiment-analysis", "models/z/", { signal });
  await encoder.encode(["a"], { signal, pooling: undefined });
  await classify("a");
  const { answers } = await qa.ask("Who?", "Ada.", { signal });
  return answers[0]?.start;
}
