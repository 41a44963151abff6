//! The parts of a model directory that some commands read without loading the weights.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use mobilebert::config::Config;
use mobilebert::error::{Error, Result};
use mobilebert::text::{Tokenizer, TokenizerFiles};
use mobilebert::weights::{Header, ShardIndex, Stream};

use crate::input::Source;

/// The single file of weights.
pub const WEIGHTS: &str = "model.safetensors";
/// The index of weights in several files.
pub const INDEX: &str = "model.safetensors.index.json";

/// `config.json`.
pub fn config(directory: &Path) -> Result<Config> {
    let path = directory.join("config.json");
    match std::fs::read(&path) {
        Ok(json) => Config::from_json(json),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(Error::NotFound {
            file: path.display().to_string(),
            hint: "--model takes a directory with config.json, model.safetensors and a tokenizer".into(),
        }),
        Err(source) => Err(Error::Io { file: path.display().to_string(), source }),
    }
}

/// The tokenizer, from whichever of its files there are.
pub fn tokenizer(directory: &Path) -> Result<Tokenizer> {
    let [tokenizer_json, tokenizer_config, vocab] =
        ["tokenizer.json", "tokenizer_config.json", "vocab.txt"].map(|name| optional(&directory.join(name)));
    let (tokenizer_json, tokenizer_config, vocab) = (tokenizer_json?, tokenizer_config?, vocab?);
    if tokenizer_json.is_none() && vocab.is_none() {
        return Err(Error::NotFound {
            file: directory.join("tokenizer.json").display().to_string(),
            hint: "a model directory needs tokenizer.json or vocab.txt".into(),
        });
    }
    Tokenizer::from_files(TokenizerFiles {
        tokenizer_json: tokenizer_json.as_deref(),
        tokenizer_config: tokenizer_config.as_deref(),
        vocab: vocab.as_deref(),
    })
}

fn optional(path: &Path) -> Result<Option<String>> {
    if !path.exists() {
        return Ok(None);
    }
    Source::File(path.to_owned()).read("file").map(Some)
}

/// Names of the files that hold the weights.
pub fn weight_files(directory: &Path) -> Result<Vec<String>> {
    let index = directory.join(INDEX);
    if directory.join(WEIGHTS).exists() || !index.exists() {
        return Ok(vec![WEIGHTS.to_owned()]);
    }
    let json =
        std::fs::read(&index).map_err(|source| Error::Io { file: index.display().to_string(), source })?;
    let index = ShardIndex::parse(INDEX, &json)?;
    Ok(index.files().into_iter().map(str::to_owned).collect())
}

/// The header of a file of weights; its data is not read.
pub fn header(directory: &Path, name: &str) -> Result<Header> {
    let path = directory.join(name);
    let failed = |source: std::io::Error| {
        let file = path.display().to_string();
        match source.kind() {
            std::io::ErrorKind::NotFound => {
                Error::NotFound { file, hint: "a model directory needs its weights".into() }
            }
            _ => Error::Io { file, source },
        }
    };
    let mut file = File::open(&path).map_err(failed)?;
    let total = file.metadata().map_err(failed)?.len();
    let mut stream = Stream::new(name, Some(total));
    let mut chunk = vec![0; 1 << 16];
    while stream.header().is_none() {
        let read = file.read(&mut chunk).map_err(failed)?;
        if read == 0 {
            break;
        }
        stream.push(&chunk[..read])?;
    }
    stream
        .header()
        .cloned()
        .ok_or_else(|| Error::corrupt(name, "ends before its header does; fetch it again"))
}
