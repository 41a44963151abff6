//! Model directories on a disk, in Hugging Face's layout.

use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use super::{Loader, Model, ModelFiles};
use crate::error::{Error, Result};
use crate::session::SessionOptions;
use crate::text::TokenizerFiles;
use crate::weights::manifest::FileHash;
use crate::weights::{Manifest, ShardIndex};

/// Weights in one file.
pub const WEIGHTS_FILE: &str = "model.safetensors";
/// Names the files of sharded weights.
pub const WEIGHTS_INDEX_FILE: &str = "model.safetensors.index.json";
const CONFIG_FILE: &str = "config.json";
const MANIFEST_FILE: &str = "files.json";
const CHUNK: usize = 1 << 20;

impl Model {
    /// Opens a directory with `config.json`, `model.safetensors` (or shards and their index), and for text
    /// `tokenizer.json` or `vocab.txt`. With a `files.json`, sizes and hashes of the weights are checked.
    ///
    /// # Errors
    /// Whatever is missing or wrong, by file, tensor or field.
    pub async fn open(directory: impl AsRef<Path>, options: &SessionOptions) -> Result<Self> {
        Self::open_as(directory.as_ref(), options, false).await
    }

    /// Like [`Model::open`], and leaves a head that the model has out.
    ///
    /// # Errors
    /// As [`Model::open`].
    pub async fn open_encoder(directory: impl AsRef<Path>, options: &SessionOptions) -> Result<Self> {
        Self::open_as(directory.as_ref(), options, true).await
    }

    async fn open_as(directory: &Path, options: &SessionOptions, encoder_only: bool) -> Result<Self> {
        let directory = Directory::new(directory)?;
        let config = directory.required(CONFIG_FILE)?;
        let index = directory.optional(WEIGHTS_INDEX_FILE)?;
        let tokenizer_json = directory.optional_text("tokenizer.json")?;
        let tokenizer_config = directory.optional_text("tokenizer_config.json")?;
        let vocab = directory.optional_text("vocab.txt")?;
        let manifest = directory.optional(MANIFEST_FILE)?.map(|json| Manifest::parse(&json)).transpose()?;
        let files = ModelFiles {
            config: &config,
            tokenizer: TokenizerFiles {
                tokenizer_json: tokenizer_json.as_deref(),
                tokenizer_config: tokenizer_config.as_deref(),
                vocab: vocab.as_deref(),
            },
            index: index.as_deref(),
            encoder_only,
        };
        let weights = directory.weights(index.as_deref())?;
        let mut loader = Loader::new(&files, options).await?;
        for name in weights {
            directory.stream(&name, manifest.as_ref(), &mut loader)?;
        }
        loader.finish().await
    }
}

struct Directory<'a>(&'a Path);

impl<'a> Directory<'a> {
    fn new(path: &'a Path) -> Result<Self> {
        if path.join(CONFIG_FILE).is_file() {
            return Ok(Directory(path));
        }
        let hint = if path.is_dir() {
            "a model directory holds config.json, model.safetensors and tokenizer.json".to_string()
        } else {
            format!("{} is not a directory", path.display())
        };
        Err(Error::NotFound { file: path.join(CONFIG_FILE).display().to_string(), hint })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn failed(&self, name: &str, source: std::io::Error) -> Error {
        Error::Io { file: self.path(name).display().to_string(), source }
    }

    fn required(&self, name: &str) -> Result<Vec<u8>> {
        fs::read(self.path(name)).map_err(|source| self.failed(name, source))
    }

    fn optional(&self, name: &str) -> Result<Option<Vec<u8>>> {
        match fs::read(self.path(name)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(source) if source.kind() == ErrorKind::NotFound => Ok(None),
            Err(source) => Err(self.failed(name, source)),
        }
    }

    fn optional_text(&self, name: &str) -> Result<Option<String>> {
        let Some(bytes) = self.optional(name)? else { return Ok(None) };
        String::from_utf8(bytes).map(Some).map_err(|error| {
            Error::corrupt(name, format!("byte {} is not UTF-8", error.utf8_error().valid_up_to()))
        })
    }

    fn weights(&self, index: Option<&[u8]>) -> Result<Vec<String>> {
        if self.path(WEIGHTS_FILE).is_file() || index.is_none() {
            return Ok(vec![WEIGHTS_FILE.to_string()]);
        }
        let index = ShardIndex::parse(WEIGHTS_INDEX_FILE, index.unwrap_or_default())?;
        Ok(index.files().into_iter().map(str::to_string).collect())
    }

    fn stream(&self, name: &str, manifest: Option<&Manifest>, loader: &mut Loader) -> Result<()> {
        let mut file = File::open(self.path(name)).map_err(|source| match source.kind() {
            ErrorKind::NotFound => Error::NotFound {
                file: self.path(name).display().to_string(),
                hint: "weights are needed as safetensors; convert other formats with transformers' save_pretrained".into(),
            },
            _ => self.failed(name, source),
        })?;
        let total = file.metadata().map_err(|source| self.failed(name, source))?.len();
        loader.begin_file(name, Some(total))?;
        let mut hash =
            manifest.and_then(|manifest| manifest.get(name)).map(|stated| (stated, FileHash::default()));
        let mut chunk = vec![0; CHUNK];
        loop {
            match file.read(&mut chunk).map_err(|source| self.failed(name, source))? {
                0 => break,
                read => {
                    if let Some((_, hash)) = &mut hash {
                        hash.update(&chunk[..read]);
                    }
                    loader.push(&chunk[..read])?;
                }
            }
        }
        hash.map_or(Ok(()), |(stated, hash)| stated.check(hash))
    }
}
