//! Official metrics of SQuAD v1.1, SQuAD v2.0 and GLUE, in percent if the official script uses percent, and
//! the calibration error of probabilities.

mod agreement;
mod calibration;
mod normalize;
mod squad;

pub use agreement::{accuracy, f1, matthews, pearson, spearman};
pub use calibration::expected_calibration_error;
pub use normalize::normalize_answer;
pub use squad::{Squad1, Squad2, exact_match, token_f1};
