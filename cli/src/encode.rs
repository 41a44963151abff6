//! `encode`: one vector per text.

use std::path::PathBuf;

use mobilebert::error::Result;
use mobilebert::model::{EncodeOptions, Encoder, Pooling};

use crate::arguments::ModelArguments;
use crate::input::TextArguments;
use crate::npy;
use crate::output::{Output, OutputFile, note, progress};

/// Number of texts per call.
const CHUNK: usize = 64;

/// Arguments of `encode`.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    model: ModelArguments,
    #[command(flatten)]
    texts: TextArguments,
    /// Scale every vector to length 1
    #[arg(long)]
    normalize: bool,
    /// Write all vectors to a NumPy file, instead of one JSON array per line
    #[arg(long, value_name = "FILE.npy")]
    output: Option<PathBuf>,
}

impl Arguments {
    /// Encodes and prints or writes, in the order of the texts.
    pub fn run(self) -> Result<()> {
        let texts = self.texts.read()?;
        let file = self.output.as_deref().map(OutputFile::create).transpose()?;
        let mut model = Encoder::new(self.model.open_encoder()?)?;
        let options = EncodeOptions { pooling: Pooling::Mean, normalize: self.normalize };
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
