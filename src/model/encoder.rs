//! Embeddings of texts.

use std::borrow::Cow;
use std::ops::ControlFlow;

use super::Model;
use super::task::{Stopwatch, declare_task, output};
use crate::config::Head;
use crate::error::{Error, Result};
use crate::session::Outputs;
use crate::task::pooling::{self, Pooling};
use crate::task::similarity::{Hit, cosine, nearest};
use crate::text::sequence::{self, Encoded};

declare_task! {
    /// A model without a head. `open` drops the head of a model that has one; see also
    /// [`ModelFiles::head`](super::ModelFiles::head).
    Encoder, "encoding", Head::Encoder, Head::Encoder
}

/// How token vectors are pooled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PoolTokens {
    /// As specified by the directory's sentence-transformers files; without them, the mean.
    #[default]
    AsDirectory,
    /// This pooling.
    By(Pooling),
    /// No pooling: one vector per token.
    Keep,
}

/// Encoding options. The defaults follow the directory's sentence-transformers files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EncodeOptions {
    /// Pooling of the token vectors to one vector.
    pub pooling: PoolTokens,
    /// Scale each vector to length 1; if `None`, as specified by the directory.
    pub normalize: Option<bool>,
    /// Maximum number of tokens per text, up to the model's limit; if `None`, the directory's maximum,
    /// otherwise the model's limit.
    pub max_length: Option<usize>,
}

/// The embedding of a text.
#[derive(Clone, Debug, PartialEq)]
pub struct Embedding {
    /// `[hidden_size]`, or a multiple of it if several poolings are concatenated; without pooling, row-major
    /// `[tokens, hidden_size]`, including rows for `[CLS]` and `[SEP]`.
    pub vector: Vec<f32>,
    /// True if the text was too long and lost its end.
    pub truncated: bool,
}

impl AsRef<[f32]> for Embedding {
    fn as_ref(&self) -> &[f32] {
        &self.vector
    }
}

impl Encoder {
    /// One embedding per text, in order. Apart from these, memory use doesn't depend on the number of texts.
    ///
    /// # Errors
    /// [`Error::Unsupported`] if the directory has a module that isn't supported and `pooling` follows it,
    /// [`Error::InvalidInput`] for a `max_length` without room for `[CLS]` and `[SEP]`, [`Error::Tensor`] for NaN or
    /// infinite vectors. The model stays usable.
    pub async fn encode(&mut self, texts: &[&str], options: EncodeOptions) -> Result<Vec<Embedding>> {
        self.encode_with(texts, options, async |_| ControlFlow::Continue(())).await
    }

    /// Like [`Encoder::encode`]. `progress` is called after each run with the number of finished texts and
    /// may stop the call.
    ///
    /// # Errors
    /// Same as [`Encoder::encode`], and [`Error::Aborted`] if `progress` stopped the call.
    pub async fn encode_with(
        &mut self,
        texts: &[&str],
        options: EncodeOptions,
        mut progress: impl AsyncFnMut(usize) -> ControlFlow<()>,
    ) -> Result<Vec<Embedding>> {
        let width = self.0.config.hidden_size;
        let pooling = PoolingPlan::new(&self.0, options)?;
        let max_length = self.0.sentence.max_length;
        let max_length = options.max_length.or(max_length).unwrap_or(usize::MAX);
        let encode = |model: &Model, index: usize| {
            let text = match model.sentence.lowercase {
                true => Cow::Owned(texts[index].chars().flat_map(char::to_lowercase).collect()),
                false => Cow::Borrowed(texts[index]),
            };
            let max_length = max_length.min(model.max_length());
            sequence::encode(model.tokenizer()?, &text, None, max_length)
        };
        let mut embeddings = Vec::with_capacity(texts.len());
        let mut take = |encoded: &Encoded, outputs: &Outputs| {
            let hidden = &output(outputs, "last_hidden_state")?.data;
            pooling::check(hidden)?;
            let vector = pooling.apply(hidden, width)?;
            embeddings.push(Embedding { vector, truncated: encoded.truncated });
            Ok(())
        };
        self.0.run_many(texts.len(), &encode, &mut take, &mut progress, &mut Stopwatch::start()).await?;
        Ok(embeddings)
    }

    /// The cosine similarity of two texts, −1 to 1.
    ///
    /// # Errors
    /// Same as [`Encoder::encode`].
    pub async fn similarity(&mut self, a: &str, b: &str) -> Result<f64> {
        let embeddings = self.encode(&[a, b], EncodeOptions::default()).await?;
        let [a, b] = &embeddings[..] else {
            return Err(Error::internal("encode", "two texts didn't give two embeddings"));
        };
        cosine(a.as_ref(), b.as_ref())
    }

    /// The `top_k` vectors of `corpus` that are most similar to a query, best first. The corpus consists of
    /// vectors that [`Encoder::encode`] has returned, now or earlier.
    ///
    /// # Errors
    /// Same as [`Encoder::encode`], and [`Error::InvalidInput`] for vectors of another length, with their
    /// index.
    pub async fn search<V: AsRef<[f32]>>(
        &mut self,
        query: &str,
        corpus: &[V],
        top_k: usize,
    ) -> Result<Vec<Hit>> {
        let query = self.encode(&[query], EncodeOptions::default()).await?;
        query.first().map_or(Ok(Vec::new()), |query| nearest(query.as_ref(), corpus, top_k))
    }
}

/// How token vectors become a text's vector.
struct PoolingPlan {
    /// Their results are concatenated; if there are none, the token vectors are kept.
    poolings: Vec<Pooling>,
    normalize: bool,
}

impl PoolingPlan {
    fn new(model: &Model, options: EncodeOptions) -> Result<Self> {
        let poolings = match options.pooling {
            PoolTokens::AsDirectory => model.sentence.modules()?.pooling.clone(),
            PoolTokens::By(pooling) => vec![pooling],
            PoolTokens::Keep => Vec::new(),
        };
        // If the caller chooses the pooling, an unsupported module after it is skipped.
        let of_directory = || model.sentence.modules().is_ok_and(|modules| modules.normalize);
        let normalize = options.normalize.unwrap_or_else(of_directory);
        Ok(PoolingPlan { poolings, normalize })
    }

    fn apply(&self, hidden: &[f32], width: usize) -> Result<Vec<f32>> {
        let mut vector = Vec::new();
        for pooling in &self.poolings {
            vector.extend(pooling.pool(hidden, width)?);
        }
        if self.poolings.is_empty() {
            vector.extend(hidden);
        }
        if self.normalize {
            let size = if self.poolings.is_empty() { width } else { vector.len() };
            vector.chunks_exact_mut(size).for_each(pooling::normalize);
        }
        Ok(vector)
    }
}
