//! Answers out of start and end logits, as BERT's SQuAD code finds them.
//!
//! A *span* is a run of at most `max_answer_tokens` context tokens inside one window whose first token has its
//! max-context there, so that every span of the text is counted once. Its score is its start logit plus its end logit.
//! The *null* answer's score is the smallest sum over all windows of the two logits at `[CLS]`: a question has no answer
//! only if no window thinks otherwise. Probabilities are a softmax over all spans of all windows and the null answer,
//! exact, though only the best spans are ever listed.
//!
//! BERT's own code looks at pairs out of the twenty best starts and twenty best ends of a window. Here all pairs are
//! looked at, which costs no more and finds the same best answer wherever that one is among those pairs.

mod search;
mod spans;

pub use search::{Answer, Answers, NoAnswer, Search, SearchOptions};
pub use spans::{RankedSpans, Span, log_sum_exp};
