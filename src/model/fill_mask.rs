//! Words for the masks of a text.

use serde::Serialize;

use super::{Model, Timing};
use crate::clock::now_ms;
use crate::config::Head;
use crate::error::{Error, Result};
use crate::session::{Sequence, Wanted};
use crate::task::fill_mask::{Fill, fills, masks};
use crate::text::sequence;

/// The pieces for each mask, in the order of the masks.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Filled {
    /// One list a mask, the likeliest first.
    pub masks: Vec<Vec<Fill>>,
    /// Whether the text lost its end because it was too long.
    pub truncated: bool,
    /// Milliseconds.
    pub timing: Timing,
}

/// A model with a masked-language-model head.
pub struct FillMask(Model);

impl FillMask {
    /// Takes a model.
    ///
    /// # Errors
    /// Where its head is another, or it has no tokenizer.
    pub fn new(model: Model) -> Result<Self> {
        let fits = |head| matches!(head, Head::MaskedLanguageModel | Head::PreTraining);
        model.expect_head("fill-mask", fits)?;
        model.tokenizer()?;
        Ok(FillMask(model))
    }

    /// The model.
    pub fn model(&mut self) -> &mut Model {
        &mut self.0
    }

    /// The `top_k` likeliest pieces for every mask token in `text`.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for a text without a mask; the model stays usable.
    pub async fn fill(&mut self, text: &str, top_k: usize) -> Result<Filled> {
        let started = now_ms();
        let longest = self.0.config.max_position_embeddings;
        let tokenizer = self.0.tokenizer()?;
        let encoded = sequence::assemble(tokenizer, tokenizer.encode_with_masks(text)?, None, longest)?;
        let places = masks(tokenizer, &encoded.ids);
        if places.is_empty() {
            let problem = format!("holds no {} within {longest} tokens", tokenizer.mask_token());
            return Err(Error::invalid_input("text", problem));
        }
        let tokenized = now_ms();
        let input = Sequence::new(encoded.ids.clone(), encoded.type_ids);
        let outputs = self.0.session.run(&[input], Wanted::default()).await?;
        let computed = now_ms();
        let name = if self.0.config.head == Head::PreTraining { "prediction_logits" } else { "logits" };
        let Some(logits) = outputs.first().and_then(|outputs| outputs.get(name)) else {
            return Err(Error::internal(name, "is not among the results of the plan"));
        };
        let width = logits.shape.last().copied().unwrap_or_default();
        let masks = places
            .into_iter()
            .map(|place| {
                let row = logits
                    .data
                    .get(place * width..(place + 1) * width)
                    .ok_or_else(|| Error::internal(name, "fewer rows than tokens"))?;
                fills(self.0.tokenizer()?, &encoded.ids, place, row, top_k)
            })
            .collect::<Result<Vec<_>>>()?;
        let ended = now_ms();
        let timing = Timing {
            tokenize: tokenized - started,
            compute: computed - tokenized,
            search: ended - computed,
            total: ended - started,
        };
        Ok(Filled { masks, truncated: encoded.truncated, timing })
    }
}
