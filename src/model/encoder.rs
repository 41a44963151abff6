//! One vector a text.

use super::{Model, output};
use crate::config::Head;
use crate::error::Result;
use crate::session::{Sequence, Wanted};
use crate::task::pooling;
use crate::text::sequence;

/// How the tokens' vectors become one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pooling {
    /// Their mean.
    #[default]
    Mean,
    /// The vector of `[CLS]`.
    First,
    /// They stay apart.
    None,
}

/// How texts are encoded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EncodeOptions {
    /// How the tokens' vectors become one.
    pub pooling: Pooling,
    /// Whether vectors are scaled to length 1, each token's own where they stay apart.
    pub normalize: bool,
}

/// A vector, and whether its text lost its end because it was too long.
#[derive(Clone, Debug, PartialEq)]
pub struct Embedding {
    /// `hidden_size` values; without pooling as many for every token, `[CLS]` and `[SEP]` included, one after another.
    pub vector: Vec<f32>,
    /// Whether the text was cut.
    pub truncated: bool,
}

/// A bare encoder.
pub struct Encoder(Model);

impl Encoder {
    /// Takes a model without a head (see [`super::ModelFiles::encoder_only`]).
    ///
    /// # Errors
    /// Where it has a head, or no tokenizer.
    pub fn new(model: Model) -> Result<Self> {
        model.expect_head("encoding", |head| head == Head::Encoder)?;
        model.tokenizer()?;
        Ok(Encoder(model))
    }

    /// The model.
    pub fn model(&mut self) -> &mut Model {
        &mut self.0
    }

    /// One vector a text, in order.
    ///
    /// # Errors
    /// As [`crate::session::Session::run`]; the model stays usable.
    pub async fn encode(&mut self, texts: &[&str], options: EncodeOptions) -> Result<Vec<Embedding>> {
        let longest = self.0.config.max_position_embeddings;
        let tokenizer = self.0.tokenizer()?;
        let encoded = texts
            .iter()
            .map(|text| sequence::encode(tokenizer, text, None, longest))
            .collect::<Result<Vec<_>>>()?;
        let truncated: Vec<bool> = encoded.iter().map(|encoded| encoded.truncated).collect();
        let sequences: Vec<Sequence> =
            encoded.into_iter().map(|encoded| Sequence::new(encoded.ids, encoded.type_ids)).collect();
        let outputs = self.0.session.run(&sequences, Wanted::default()).await?;
        let width = self.0.config.hidden_size;
        let embed = |((outputs, sequence), truncated): ((_, &Sequence), bool)| {
            let hidden = output(outputs, "last_hidden_state")?;
            let mut vector = match options.pooling {
                Pooling::Mean => pooling::mean(hidden, width, &sequence.attention_mask)?,
                Pooling::First => hidden[..width].to_vec(),
                Pooling::None => hidden.to_vec(),
            };
            if options.normalize {
                vector.chunks_exact_mut(width).for_each(pooling::normalize);
            }
            Ok(Embedding { vector, truncated })
        };
        outputs.iter().zip(&sequences).zip(truncated).map(embed).collect()
    }
}
