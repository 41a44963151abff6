//! Opens model directories.

use std::path::Path;

use super::{Directory, Loader, Model, ModelFiles};
use crate::config::Head;
use crate::error::{Error, Result};
use crate::session::{Device, SessionOptions};

impl Model {
    /// Opens a directory with `config.json`, `model.safetensors` or `pytorch_model.bin` (or shards and their index)
    /// and, for text, `tokenizer.json` or `vocab.txt`. If there is a `files.json`, sizes and hashes are checked.
    ///
    /// # Errors
    /// Any missing or invalid part, with the name of the file, tensor or field.
    pub async fn open(directory: impl AsRef<Path>, options: &SessionOptions) -> Result<Self> {
        Self::open_as(directory.as_ref(), options, None).await
    }

    /// Like [`Model::open`], for a task that needs this head, whatever `architectures` in `config.json` says.
    /// [`Head::Encoder`] drops the model's head. If the checkpoint doesn't have the head, the model has another one.
    ///
    /// # Errors
    /// Same as [`Model::open`].
    pub async fn open_for(directory: impl AsRef<Path>, head: Head, options: &SessionOptions) -> Result<Self> {
        Self::open_as(directory.as_ref(), options, Some(head)).await
    }

    /// Like [`Model::open`], without the model's head.
    ///
    /// # Errors
    /// Same as [`Model::open`].
    pub async fn open_encoder(directory: impl AsRef<Path>, options: &SessionOptions) -> Result<Self> {
        Self::open_for(directory, Head::Encoder, options).await
    }

    async fn open_as(directory: &Path, options: &SessionOptions, head: Option<Head>) -> Result<Self> {
        match Self::open_on(directory, options, head).await {
            // Only a GPU reports these, and it wasn't requested.
            Err(error @ (Error::OutOfMemory { .. } | Error::DeviceLost { .. }))
                if options.device == Device::Auto =>
            {
                let options = SessionOptions { device: Device::Cpu, ..options.clone() };
                let mut model = Self::open_on(directory, &options, head).await?;
                model.session.set_reason(format!("{error}; the CPU took over"));
                Ok(model)
            }
            other => other,
        }
    }

    async fn open_on(directory: &Path, options: &SessionOptions, head: Option<Head>) -> Result<Self> {
        let directory = Directory::new(directory)?;
        let config = directory.config_json()?;
        let index = directory.shard_index()?;
        let small_files = directory.small_files()?;
        let files = ModelFiles { config: &config, small: Some(&small_files), index: index.as_ref(), head };
        // All sizes first: a missing shard fails before anything is loaded.
        let sized = |name: String| directory.bytes(&name).map(|bytes| (name, bytes));
        let weights = directory.weight_files()?.into_iter().map(sized).collect::<Result<Vec<_>>>()?;
        let mut loader = Loader::new(&files, options).await?;
        for (name, bytes) in weights {
            loader.begin_file(&name, Some(bytes))?;
            directory.stream(&name, |chunk| loader.push_and_choose(chunk))?;
        }
        loader.finish().await
    }
}
