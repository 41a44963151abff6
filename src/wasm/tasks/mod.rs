//! The methods of [`WasmModel`](super::WasmModel), one file per task: its options, its call, and its results as plain
//! objects in camel case with UTF-16 offsets as `start` and `end`.

mod encoder;
mod fill_mask;
mod question_answering;
mod text_classification;
mod token_classification;
