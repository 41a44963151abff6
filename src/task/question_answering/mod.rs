//! Answers from start and end logits, as in BERT's SQuAD code.
//!
//! A *span* is a run of at most `max_answer_tokens` context tokens inside a window that is the max-context window of its
//! first token, so that every span of the text counts once. Its score is the sum of its start logit and its end logit.
//! The score of the *null* answer is the minimum over all windows of the sum of the two logits at `[CLS]`: a question has
//! no answer only if it has none in every window. Probabilities are a softmax over all spans of all windows and the null
//! answer. It is exact, although only the best spans are listed.
//!
//! BERT's own code considers pairs of the twenty best starts and twenty best ends of a window. This module considers all
//! pairs, which isn't slower and finds the same best answer if it is among BERT's pairs.

mod search;
mod spans;

pub use search::{Answer, Answers, NoAnswer, Search, SearchOptions};
pub use spans::{RankedSpans, Span, log_sum_exp};
