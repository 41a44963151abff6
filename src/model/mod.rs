//! A model directory → a model that performs a task: files to parameters on a device, and text to results.

mod ahead;
mod checkpoint;
#[cfg(not(target_arch = "wasm32"))]
mod choices;
mod contributions;
#[cfg(not(target_arch = "wasm32"))]
mod directory;
mod encoder;
mod explanation;
mod fill_mask;
mod helpers;
mod loader;
#[cfg(not(target_arch = "wasm32"))]
mod open;
mod question_answering;
mod sentence;
mod small_files;
mod task;
mod text_classification;
mod text_ranking;
mod token_classification;
mod tokenize;
mod zero_shot_classification;

pub use checkpoint::Checkpoint;
pub use contributions::{Contributions, MAX_WORDS, WordContribution};
#[cfg(not(target_arch = "wasm32"))]
pub use directory::{Directory, WEIGHTS, WEIGHTS_FILE};
pub use encoder::{Embedding, EncodeOptions, Encoder, PoolTokens};
pub use explanation::{AttentionHead, ExplainOptions, Explanation};
pub use fill_mask::{FillMask, Filled};
pub use helpers::{Finished, Helpers};
pub use loader::{Loader, ModelFiles};
pub use question_answering::{AskOptions, Progress, QuestionAnswering, Reply};
pub use small_files::SmallFiles;
pub use task::Timing;
pub use text_classification::{Classified, Text, TextClassification};
pub use text_ranking::{Ranking, TextRanking};
pub use token_classification::{LabelOptions, Labeled, TokenClassification};
pub use tokenize::Tokenized;
pub use zero_shot_classification::{ZeroShotClassification, ZeroShotClassified, ZeroShotOptions};

use sentence::SentenceSettings;

use crate::config::Config;
use crate::error::{Error, Result};
use crate::session::{DeviceReport, ExtraOutputs, Outputs, Sequence, Session};
use crate::text::Tokenizer;
use crate::text::windows::WindowOptions;
use crate::trial::Trial;

/// A loaded network with its configuration and, if its files have one, its tokenizer.
pub struct Model {
    config: Config,
    tokenizer: Option<Tokenizer>,
    /// For an encoder, how it turns texts into vectors.
    sentence: SentenceSettings,
    session: Session,
    /// Number of windows of a long text per run; measured.
    window_batches: Trial<usize>,
    /// Results for the window explained last.
    explained: explanation::Explained,
    /// Whether runs are shared with helpers; measured.
    sharing: Trial<bool>,
    /// Helpers for the next call.
    helpers: Option<Box<dyn Helpers>>,
}

impl Model {
    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The device that the model runs on, and why.
    pub fn device(&self) -> &DeviceReport {
        self.session.device()
    }

    /// The session, for raw runs.
    pub fn session(&mut self) -> &mut Session {
        &mut self.session
    }

    /// The session.
    pub fn into_session(self) -> Session {
        self.session
    }

    /// The tokenizer.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a model without a tokenizer.
    pub fn tokenizer(&self) -> Result<&Tokenizer> {
        self.tokenizer.as_ref().ok_or_else(|| Error::NotFound {
            file: "tokenizer.json".into(),
            hint: "text needs a tokenizer: put tokenizer.json or vocab.txt next to config.json".into(),
        })
    }

    /// The sizes of windows that this model can read.
    fn window_options(&self, max_length: usize, doc_stride: usize, max_question: usize) -> WindowOptions {
        WindowOptions { max_length: max_length.min(self.max_length()), doc_stride, max_question }
    }

    /// Maximum number of tokens of an input: the smaller of `max_position_embeddings` and the tokenizer's
    /// `model_max_length`.
    pub fn max_length(&self) -> usize {
        let limit = self.tokenizer.as_ref().and_then(Tokenizer::max_length);
        limit.map_or(self.config.max_position_embeddings, |limit| {
            limit.min(self.config.max_position_embeddings)
        })
    }

    /// Fails for an input with a token that has no embedding.
    fn check_ids(&self, ids: &[u32]) -> Result<()> {
        self.tokenizer()?.check_ids(ids, self.config.vocab_size)
    }

    /// Lets other workers run some of the next call's sequences. The results are the same as without them.
    pub fn set_helpers(&mut self, helpers: Option<Box<dyn Helpers>>) {
        self.helpers = helpers;
    }

    /// Raw outputs for token ids, one [`Outputs`] per sequence.
    ///
    /// # Errors
    /// Same as [`Session::run`].
    pub async fn run(&mut self, sequences: &[Sequence], extra: ExtraOutputs) -> Result<Vec<Outputs>> {
        self.session.run(sequences, extra).await
    }
}
