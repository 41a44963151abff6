//! Words for the masks of a text.

use serde::Serialize;

use super::Timing;
use super::task::{declare_task, output};
use crate::config::Head;
use crate::error::{Error, Result};
use crate::task::fill_mask::{Fill, Replaced, Targets, fills, masks};
use crate::text::sequence;

declare_task! {
    /// A model with a masked-language-model head.
    FillMask, "fill-mask", Head::MaskedLanguageModel | Head::PreTraining, Head::MaskedLanguageModel
}

/// The most probable tokens for each mask, in the order of the masks.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Filled {
    /// One list per mask, the most probable first.
    pub masks: Vec<Vec<Fill>>,
    /// The targets that aren't a single token of the vocabulary, with the tokens used instead.
    pub replaced: Vec<Replaced>,
    /// True if the text was too long and lost its end.
    pub truncated: bool,
    /// Timing of the call.
    pub timing: Timing,
}

impl FillMask {
    /// The `top_k` most probable tokens for every mask token in `text`.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for a text without a mask; the model stays usable.
    pub async fn fill(&mut self, text: &str, top_k: usize) -> Result<Filled> {
        self.fill_with(text, None, top_k).await
    }

    /// Like [`FillMask::fill`], restricted to `targets`: words, or tokens as spelled in the vocabulary.
    /// Probabilities are still those among all tokens.
    ///
    /// # Errors
    /// Same as [`FillMask::fill`] and [`Targets::find`].
    pub async fn fill_with(
        &mut self,
        text: &str,
        targets: Option<&[String]>,
        top_k: usize,
    ) -> Result<Filled> {
        let tokenizer = self.0.tokenizer()?;
        let targets = targets.map(|targets| Targets::find(tokenizer, targets)).transpose()?;
        let ids = targets.as_ref().map(|targets| targets.ids.as_slice());
        let run = self.0.run_once(
            |tokenizer, max_length| {
                let pieces = tokenizer.encode_with_masks(text)?;
                let encoded = sequence::assemble(tokenizer, pieces, None, max_length)?;
                if masks(tokenizer, &encoded.ids).is_empty() {
                    let problem = format!("has no {} within {max_length} tokens", tokenizer.mask_token());
                    return Err(Error::invalid_input("text", problem));
                }
                Ok(encoded)
            },
            |model, encoded, outputs| {
                let pretraining = model.config.head == Head::PreTraining;
                let name = if pretraining { "prediction_logits" } else { "logits" };
                let logits = output(outputs, name)?;
                let vocab_size = logits.shape.last().copied().unwrap_or_default();
                let tokenizer = model.tokenizer()?;
                let masks = masks(tokenizer, &encoded.ids)
                    .into_iter()
                    .map(|position| {
                        let row = logits
                            .data
                            .get(position * vocab_size..(position + 1) * vocab_size)
                            .ok_or_else(|| Error::internal(name, "fewer rows than tokens"))?;
                        fills(tokenizer, &encoded.ids, position, row, ids, top_k)
                    })
                    .collect::<Result<Vec<_>>>()?;
                Ok((masks, encoded.truncated))
            },
        );
        let ((masks, truncated), timing) = run.await?;
        let replaced = targets.map_or_else(Vec::new, |targets| targets.replaced);
        Ok(Filled { masks, replaced, truncated, timing })
    }
}
