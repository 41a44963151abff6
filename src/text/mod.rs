//! Text → token ids, windows over long contexts, and offsets back to the source.
//!
//! - [`Tokenizer`] reads `tokenizer.json`, or `vocab.txt` with `tokenizer_config.json`, and splits text into [`Piece`]s
//!   with their byte ranges in the source.
//! - [`sequence`] adds `[CLS]` and `[SEP]` to a text or a pair and truncates what is too long.
//! - [`windows`] slides over a context of any length as BERT's `run_squad` does.
//! - [`Utf16Index`] converts byte offsets into the UTF-16 units of JavaScript.
//!
//! Offsets in this module are UTF-8 bytes of the caller's text, before any normalization.
//!
//! **Special tokens written in a text** (`"[SEP]"` typed by a user) are plain text: `[`, `sep`, `]`. BERT's own
//! `run_squad` does the same; `transformers`' fast tokenizer would turn them into the control token, so a passage could
//! end its own segment. Only [`Tokenizer::encode_with_masks`], which fill-mask uses, reads the mask token. Tokens
//! that a model's author *added* (`"[E1]"`, `"<user>"`) are recognized, special or not.
//!
//! **Where the references disagree**, this module follows the `tokenizers` crate, with which current models were trained:
//! lowercasing goes character by character (a final `Σ` becomes `σ`, but `ς` in Google's Python code), private-use
//! characters are dropped, and a word of more than 100 characters is unknown. On SQuAD dev none of this makes a difference.

mod added;
mod files;
mod form;
mod offsets;
mod piece;
mod record;
pub mod sequence;
mod settings;
mod tokenizer;
pub mod windows;

pub use files::TokenizerFiles;
pub use offsets::{Utf16Index, whole_characters};
pub use piece::Piece;
pub use record::WindowRecord;
pub use tokenizer::{SpecialIds, Tokenizer};
