//! Embeddings of texts.

use super::task::{declare_task, output};
use crate::config::Head;
use crate::error::Result;
use crate::task::pooling;
use crate::text::sequence;

declare_task! {
    /// A model without a head. `open` drops the head of a model that has one; see also
    /// [`ModelFiles::encoder_only`](super::ModelFiles::encoder_only).
    Encoder, "encoding", Head::Encoder, open_encoder
}

/// Pooling of the tokens' vectors to one vector.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pooling {
    /// Their mean.
    #[default]
    Mean,
    /// The vector of `[CLS]`.
    First,
    /// No pooling: one vector per token.
    None,
}

/// Options of encoding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EncodeOptions {
    /// Pooling of the tokens' vectors to one vector.
    pub pooling: Pooling,
    /// Whether to scale each vector to length 1.
    pub normalize: bool,
}

/// The embedding of a text.
#[derive(Clone, Debug, PartialEq)]
pub struct Embedding {
    /// `[hidden_size]`; without pooling `[tokens, hidden_size]`, row-major, with rows for `[CLS]` and `[SEP]`.
    pub vector: Vec<f32>,
    /// Whether the text was too long and lost its end.
    pub truncated: bool,
}

impl Encoder {
    /// One embedding per text, in order.
    ///
    /// # Errors
    /// As [`crate::session::Session::run`]; the model stays usable.
    pub async fn encode(&mut self, texts: &[&str], options: EncodeOptions) -> Result<Vec<Embedding>> {
        let run = self.0.run_task(
            |tokenizer, max_length| {
                texts.iter().map(|text| sequence::encode(tokenizer, text, None, max_length)).collect()
            },
            |model, encoded, outputs| {
                let hidden_size = model.config.hidden_size;
                let hidden = &output(outputs, "last_hidden_state")?.data;
                let mut vector = match options.pooling {
                    Pooling::Mean => pooling::mean(hidden, hidden_size, &vec![1; encoded.ids.len()])?,
                    Pooling::First => hidden[..hidden_size].to_vec(),
                    Pooling::None => hidden.to_vec(),
                };
                if options.normalize {
                    vector.chunks_exact_mut(hidden_size).for_each(pooling::normalize);
                }
                Ok(Embedding { vector, truncated: encoded.truncated })
            },
        );
        run.await.map(|(embeddings, _)| embeddings)
    }
}
