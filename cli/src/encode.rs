//! `encode`: one vector per text.

use std::path::PathBuf;

use clap::ValueEnum;
use mobilebert::config::Head;
use mobilebert::error::Result;
use mobilebert::model::{EncodeOptions, Encoder, PoolTokens};
use mobilebert::task::pooling::Pooling;

use crate::arguments::ModelArguments;
use crate::input::{Source, TextArguments};
use crate::npy;
use crate::output::{Output, note, progress};
use crate::output_file::OutputFile;

/// Number of texts per call.
const CHUNK: usize = 64;

/// Arguments of `encode`.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    model: ModelArguments,
    #[command(flatten)]
    texts: TextArguments,
    /// Pooling of the token vectors [default: that of the directory's 1_Pooling, otherwise mean]
    #[arg(long, value_name = "NAME")]
    pooling: Option<PoolingName>,
    /// Scale every vector to length 1, even if the directory has no 2_Normalize
    #[arg(long)]
    normalize: bool,
    /// Write all vectors to a NumPy file, instead of one JSON array per line
    #[arg(long, value_name = "FILE.npy")]
    output: Option<PathBuf>,
}

/// `--pooling`
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "lower")]
enum PoolingName {
    /// The vector of [CLS]
    Cls,
    /// The largest value of each component
    Max,
    /// The mean
    Mean,
    /// The sum divided by the square root of the number of tokens
    #[value(name = "mean_sqrt_len")]
    MeanSqrtLen,
    /// The mean weighted by the tokens' positions
    WeightedMean,
    /// The vector of the last token
    LastToken,
}

impl PoolingName {
    fn pooling(self) -> Pooling {
        match self {
            PoolingName::Cls => Pooling::Cls,
            PoolingName::Max => Pooling::Max,
            PoolingName::Mean => Pooling::Mean,
            PoolingName::MeanSqrtLen => Pooling::MeanSqrtLen,
            PoolingName::WeightedMean => Pooling::WeightedMean,
            PoolingName::LastToken => Pooling::LastToken,
        }
    }
}

impl Arguments {
    /// Encodes and prints or writes, in the order of the texts.
    pub fn run(self) -> Result<()> {
        let texts = self.texts.read()?;
        let text_file = self.texts.source().and_then(Source::path);
        let inputs: Vec<PathBuf> = text_file.into_iter().chain(self.model.files()).collect();
        let create = |path| OutputFile::create("output", path, &inputs);
        let file = self.output.as_deref().map(create).transpose()?;
        let mut model = Encoder::new(self.model.open_for(Head::Encoder)?)?;
        let pooling = self.pooling.map_or(PoolTokens::AsDirectory, |name| PoolTokens::By(name.pooling()));
        let normalize = self.normalize.then_some(true);
        let options = EncodeOptions { pooling, normalize, max_length: None };
        let mut output = Output::new();
        let mut kept = Vec::new();
        let bar = progress(texts.len(), "texts");
        for chunk in texts.chunks(CHUNK) {
            let chunk: Vec<&str> = chunk.iter().map(String::as_str).collect();
            for embedding in pollster::block_on(model.encode(&chunk, options))? {
                if embedding.truncated {
                    note(&format!("text {} was too long and was truncated", bar.position() + 1));
                }
                match file {
                    Some(_) => kept.push(embedding.vector),
                    None => output.json(&embedding.vector)?,
                }
                bar.inc(1);
            }
        }
        bar.finish_and_clear();
        match file {
            Some(file) => file.write(&npy::matrix(&kept)?),
            None => output.flush(),
        }
    }
}
