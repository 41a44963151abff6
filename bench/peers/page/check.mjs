// Compares what an engine returned with the logits in float64.

/** Answers may have this many tokens. */
export const MAX_ANSWER_TOKENS = 30;
/** Spans compared. */
export const TOP = 20;

/**
 * Largest difference of an outcome over the rms of the logits, or words if there is no number for it. An outcome is
 * either logits, `{ starts, ends }`; or spans with their scores, `{ spans }`; or `{ answer }`, which is only compared
 * with the best span's text: `"the same answer"`.
 */
export function difference(input, outcome) {
  const best = bestSpans(input);
  const rms = Math.sqrt(mean([...input.start_logits, ...input.end_logits].map((value) => value * value)));
  if ("answer" in outcome) {
    const [{ start, end }] = best;
    return input.context
      .split(" ")
      .slice(start, end + 1)
      .join(" ") === outcome.answer
      ? "the same answer"
      : "another answer";
  }
  const scores = "spans" in outcome ? spanScores(input, outcome.spans) : logitScores(input, outcome, best);
  if (scores.length === 0) return "no answer";
  return Math.max(...scores.map(([found, ...expected]) => Math.max(...expected.map((e) => Math.abs(found - e))))) / rms;
}

/** The best spans of words by the logits in float64. */
function bestSpans(input) {
  const words = input.context.split(" ").length;
  const spans = [];
  for (let start = 0; start < words; start++)
    for (let end = start; end < Math.min(words, start + MAX_ANSWER_TOKENS); end++)
      spans.push({ start, end, score: scoreOf(input, input.start_logits, input.end_logits, start, end) });
  return spans.sort((a, b) => b.score - a.score).slice(0, TOP);
}

function scoreOf(input, starts, ends, start, end) {
  return starts[input.first + start] + ends[input.first + end];
}

/** Every span's score with the exact score of the same span; the first span must also score as the best one does. */
function spanScores(input, spans) {
  const [best] = bestSpans(input);
  return spans.map(({ start, end, score }, place) => {
    const same = scoreOf(input, input.start_logits, input.end_logits, start, end);
    return place === 0 ? [score, same, best.score] : [score, same];
  });
}

function logitScores(input, { starts, ends }, best) {
  return best.map(({ start, end, score }) => [scoreOf(input, starts, ends, start, end), score]);
}

function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
