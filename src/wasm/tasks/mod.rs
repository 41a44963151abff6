//! The methods of [`WasmModel`](super::WasmModel), one file per task: its options, its call, and its results as plain
//! objects in camel case with UTF-16 offsets as `start` and `end`.

mod encoder;
mod explanation;
mod fill_mask;
mod progress;
mod question_answering;
mod text_classification;
mod text_ranking;
mod token_classification;
mod tokenize;
mod zero_shot_classification;
