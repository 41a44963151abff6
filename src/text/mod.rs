//! Text → token ids, windows over long contexts, and offsets back to the source.
//!
//! - [`Tokenizer`] reads `tokenizer.json` or `vocab.txt`, with the files that `transformers` writes next to them
//!   ([`TokenizerFiles`]), and splits text into [`Piece`]s with their byte ranges in the source.
//! - [`sequence`] adds `[CLS]` and `[SEP]`, or the tokens specified by the post-processor in
//!   `tokenizer.json`, to a text or a pair, and truncates what is too long.
//! - [`sliding`] covers a long text with overlapping spans, and finds the one that shows a piece with the most context.
//! - [`windows`] slides over a context of any length as BERT's `run_squad` does.
//! - [`Utf16Index`] converts byte offsets into the UTF-16 units of JavaScript.
//!
//! Offsets in this module are UTF-8 bytes of the caller's text, before any normalization.
//!
//! **Special tokens written in a text** (`"[SEP]"` typed by a user) are plain text in the passages and
//! questions of question answering ([`Tokenizer::encode`]): `[`, `sep`, `]`. BERT's own `run_squad` does the
//! same, so a passage can't end its own segment. In other tasks they are recognized, as in `transformers`
//! ([`Tokenizer::encode_with_special_tokens`]). [`Tokenizer::set_split_special_tokens`] makes both do the
//! same. Tokens that a model's author *added* (`"[E1]"`, `"<user>"`) are always recognized, special or not.
//!
//! **The files** are read the way the fast tokenizers of `transformers` 4.57 read them. Version 5 reads the
//! same files, but ignores the normalizer, the pre-tokenizer and the post-processor of a `tokenizer.json`
//! unless `tokenizer_class` is a generic one.
//!
//! **Where the references disagree**, this module follows the `tokenizers` crate, with which current models were trained:
//! lowercasing goes character by character (a final `Σ` becomes `σ`, but `ς` in Google's Python code), private-use
//! characters are dropped, and a word of more than 100 characters is unknown. On SQuAD dev none of this makes a difference.

mod added_tokens;
mod ascii;
mod encoding;
mod files;
mod fit;
mod form;
mod matcher;
mod normalizer;
mod offsets;
mod piece;
mod record;
mod segments;
pub mod sequence;
mod settings;
pub mod sliding;
mod special_tokens;
mod template;
mod tokenizer;
mod vocabulary;
pub mod windows;
mod words;

pub use files::TokenizerFiles;
pub use offsets::{Utf16Index, byte_at, whole_characters};
pub use piece::Piece;
pub use record::WindowRecord;
pub use tokenizer::{SpecialIds, Tokenizer};
