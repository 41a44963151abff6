//! The tokens of a text, as read by a model's task.

use super::Model;
use crate::config::Head;
use crate::error::Result;
use crate::text::sequence;

/// A text or a pair as tokens, special tokens included; not truncated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tokenized {
    /// Token ids.
    pub ids: Vec<u32>,
    /// 0 for the first text, 1 for the second, unless the tokenizer's template says otherwise. As long as `ids`.
    pub type_ids: Vec<u32>,
    /// The tokens as the vocabulary spells them. As long as `ids`.
    pub pieces: Vec<String>,
    /// The origin of each token: the index of its text and its range of UTF-8 bytes; `None` for the
    /// template's special tokens. As long as `ids`.
    pub sources: Vec<Option<(usize, std::ops::Range<usize>)>>,
}

impl Model {
    /// The tokens of a text, or of a pair such as a question and its passage.
    ///
    /// # Errors
    /// [`crate::error::Error::NotFound`] for a model without a tokenizer.
    pub fn tokenize(&self, text: &str, pair: Option<&str>) -> Result<Tokenized> {
        let tokenizer = self.tokenizer()?;
        let encode = |text: &str| match self.config.head {
            Head::QuestionAnswering => tokenizer.encode(text),
            _ => tokenizer.encode_with_special_tokens(text),
        };
        let pair = pair.map(encode).transpose()?;
        let encoded = sequence::assemble(tokenizer, encode(text)?, pair, usize::MAX)?;
        let mut sources = vec![None; encoded.ids.len()];
        for (text, pieces) in [&encoded.pieces, &encoded.pair].into_iter().enumerate() {
            for (source, piece) in sources[encoded.positions[text]..].iter_mut().zip(pieces) {
                *source = Some((text, piece.range()));
            }
        }
        let spelled = |id: &u32| tokenizer.token(*id).unwrap_or_default();
        let pieces = encoded.ids.iter().map(spelled).collect();
        Ok(Tokenized { ids: encoded.ids, type_ids: encoded.type_ids, pieces, sources })
    }

    /// Sets whether special tokens written in a text, such as `[SEP]`, are plain text; see
    /// [`Tokenizer::split_special_tokens`](crate::text::Tokenizer::split_special_tokens).
    pub fn set_split_special_tokens(&mut self, split: Option<bool>) {
        if let Some(tokenizer) = &mut self.tokenizer {
            tokenizer.set_split_special_tokens(split);
        }
    }
}
