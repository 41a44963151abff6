//! Answers from start and end logits, as in BERT's SQuAD code.
//!
//! A *span* is a run of at most `max_answer_tokens` context tokens inside a window that is the max-context
//! window of its first token, so that every span of the text counts once. Its score is the sum of its start
//! logit and its end logit, minus the costs of its length if the model has any ([`crate::config::SpanCosts`]):
//! the two logits are independent, so without costs a span may join two candidates.
//!
//! The score of the *null* answer is the minimum over all windows of the sum of the two logits at `[CLS]`: a
//! question has no answer only if it has none in every window. Probabilities are a softmax over all spans of all
//! windows and the null answer, at the model's temperature ([`crate::config::Calibration`]). They are exact,
//! although only the best spans are listed.
//!
//! Several spans often mean the same ("1871", "in 1871"). Spans that overlap, or that have the same text
//! elsewhere, are variants of one answer: greedily, the best remaining span represents an answer, and its
//! variants' probabilities are added. Answers keep the order of their best spans, so the first one is the
//! span that the metrics score. Variants are taken from the 256 best spans of the text (more if more answers
//! are requested) and the best spans that don't overlap, so a sum is exact except for spans worse than these.
//! [`SearchOptions::best_span`] omits all of this, for the SQuAD metrics.
//!
//! BERT's own code considers pairs of the twenty best starts and twenty best ends of a window. This module considers all
//! pairs, which isn't slower and finds the same best answer if it is among BERT's pairs.

mod answer;
mod costs;
mod groups;
mod rank;
mod search;
mod spans;

pub use answer::{Answer, Answers, Merge, NoAnswer, SearchOptions, Variant, Verdict};
pub use search::Search;
pub use spans::{DisjointSpans, RankedSpans, Span, log_sum_exp};
