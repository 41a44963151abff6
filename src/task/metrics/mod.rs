//! Official scores: SQuAD v1.1 and v2.0, and those of GLUE. All in per cent where the official script says so.

mod agreement;
mod normalize;
mod squad;

pub use agreement::{accuracy, f1, matthews, pearson, spearman};
pub use normalize::normalize_answer;
pub use squad::{Squad1, Squad2, exact_match, token_f1};
