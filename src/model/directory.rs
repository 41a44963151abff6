//! A model directory on disk, in Hugging Face's layout: finds and reads its files.

use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::SmallFiles;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::text::Tokenizer;
use crate::weights::manifest::{self, FileHash};
use crate::weights::{Header, Manifest, ShardIndex, Stream};

/// Name of an unsharded weights file.
pub const WEIGHTS_FILE: &str = "model.safetensors";
/// Name of the index of sharded weights.
pub const WEIGHTS_INDEX_FILE: &str = "model.safetensors.index.json";
const CONFIG_FILE: &str = "config.json";
const CHUNK: usize = 1 << 20;

/// A folder with the files of a model. If there is a `files.json`, files are checked against it as they are read.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    manifest: Option<Manifest>,
}

impl Directory {
    /// The directory at `path`. Reads only its `files.json`, if there is one.
    ///
    /// # Errors
    /// Whatever is wrong with `files.json`.
    pub fn new(path: impl Into<PathBuf>) -> Result<Self> {
        let mut directory = Directory { path: path.into(), manifest: None };
        directory.manifest =
            directory.optional(manifest::FILE)?.map(|json| Manifest::parse(&json)).transpose()?;
        Ok(directory)
    }

    /// Whether there is a `files.json`.
    pub fn has_manifest(&self) -> bool {
        self.manifest.is_some()
    }

    /// Path of the file with this name, whether it exists or not.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The configuration.
    ///
    /// # Errors
    /// `NotFound`, `Io`, and those of [`Config::from_json`].
    pub fn config(&self) -> Result<Config> {
        Config::from_json(self.config_json()?)
    }

    /// The content of the configuration file.
    ///
    /// # Errors
    /// `NotFound` if there is none, `Io`, `Integrity`.
    pub fn config_json(&self) -> Result<Vec<u8>> {
        self.optional(CONFIG_FILE)?.ok_or_else(|| self.not_found())
    }

    /// The tokenizer, from the files that exist.
    ///
    /// # Errors
    /// `NotFound` if there is none; whatever is wrong with the files.
    pub fn tokenizer(&self) -> Result<Tokenizer> {
        let small_files = self.small_files()?;
        let files = small_files.tokenizer();
        if files.tokenizer_json.is_none() && files.vocab.is_none() {
            return Err(Error::NotFound {
                file: self.file("tokenizer.json").display().to_string(),
                hint: "a model directory needs tokenizer.json or vocab.txt".into(),
            });
        }
        Tokenizer::from_files(files)
    }

    /// The small files that exist.
    ///
    /// # Errors
    /// `Io`, `Integrity`, `Corrupt` for a file that isn't UTF-8.
    pub fn small_files(&self) -> Result<SmallFiles> {
        let named = |name: &str| Ok(self.optional_text(name)?.map(|text| (name.to_owned(), text)));
        SmallFiles::NAMES.iter().filter_map(|name| named(name).transpose()).collect()
    }

    /// The index of sharded weights; none if there is a single file, which takes precedence.
    ///
    /// # Errors
    /// `Io`, `Integrity`.
    pub fn weights_index(&self) -> Result<Option<Vec<u8>>> {
        if self.file(WEIGHTS_FILE).is_file() { Ok(None) } else { self.optional(WEIGHTS_INDEX_FILE) }
    }

    /// Names of the weight files.
    ///
    /// # Errors
    /// As [`Self::weights_index`]; `Corrupt` for the index.
    pub fn weight_files(&self) -> Result<Vec<String>> {
        let index = self.weights_index()?;
        let Some(index) = index else { return Ok(vec![WEIGHTS_FILE.to_owned()]) };
        let index = ShardIndex::parse(WEIGHTS_INDEX_FILE, &index)?;
        Ok(index.files().into_iter().map(str::to_owned).collect())
    }

    /// The header of a weight file. Doesn't read its data.
    ///
    /// # Errors
    /// `NotFound`, `Io`, `Corrupt`.
    pub fn header(&self, name: &str) -> Result<Header> {
        let (mut file, bytes) = self.open(name)?;
        let mut stream = Stream::new(name, Some(bytes));
        let mut chunk = vec![0; 1 << 16];
        while stream.header().is_none() {
            match self.read(name, &mut file, &mut chunk)? {
                [] => break,
                read => stream.push(read)?,
            };
        }
        let header = stream.header().cloned();
        header.ok_or_else(|| Error::corrupt(name, "ends inside its header; fetch it again"))
    }

    /// Size of a weight file in bytes.
    ///
    /// # Errors
    /// `NotFound`, `Io`.
    pub fn bytes(&self, name: &str) -> Result<u64> {
        self.open(name).map(|(_, bytes)| bytes)
    }

    /// Reads a weight file in chunks and passes them to `take`. Returns the time spent hashing.
    ///
    /// # Errors
    /// `NotFound`, `Io`, `Integrity`, and errors of `take`.
    pub fn stream(&self, name: &str, mut take: impl FnMut(&[u8]) -> Result<()>) -> Result<Duration> {
        let (mut file, _) = self.open(name)?;
        let expected = self.manifest.as_ref().and_then(|manifest| manifest.get(name));
        let mut hash = FileHash::default();
        let mut hashing = Duration::ZERO;
        let mut chunk = vec![0; CHUNK];
        loop {
            let read = self.read(name, &mut file, &mut chunk)?;
            if read.is_empty() {
                break;
            }
            if expected.is_some() {
                let before = Instant::now();
                hash.update(read);
                hashing += before.elapsed();
            }
            take(read)?;
        }
        expected.map_or(Ok(()), |expected| expected.check(hash))?;
        Ok(hashing)
    }

    /// The content of an optional file.
    ///
    /// # Errors
    /// `Io`, `Integrity`.
    pub fn optional(&self, name: &str) -> Result<Option<Vec<u8>>> {
        let bytes = match fs::read(self.file(name)) {
            Ok(bytes) => bytes,
            Err(source) if [ErrorKind::NotFound, ErrorKind::NotADirectory].contains(&source.kind()) => {
                return Ok(None);
            }
            Err(source) => return Err(self.failed(name, source)),
        };
        if let Some(expected) = self.manifest.as_ref().and_then(|manifest| manifest.get(name)) {
            let mut hash = FileHash::default();
            hash.update(&bytes);
            expected.check(hash)?;
        }
        Ok(Some(bytes))
    }

    fn not_found(&self) -> Error {
        let hint = if self.path.is_dir() {
            "a model directory has config.json, model.safetensors and tokenizer.json or vocab.txt".to_owned()
        } else {
            format!("{} is not a directory", self.path.display())
        };
        Error::NotFound { file: self.file(CONFIG_FILE).display().to_string(), hint }
    }

    fn open(&self, name: &str) -> Result<(File, u64)> {
        let file = File::open(self.file(name)).map_err(|source| match source.kind() {
            ErrorKind::NotFound => Error::NotFound {
                file: self.file(name).display().to_string(),
                hint: if name == WEIGHTS_FILE {
                    "weights must be in safetensors format; convert other formats with transformers' save_pretrained".into()
                } else {
                    format!("{WEIGHTS_INDEX_FILE} lists this shard of the weights; fetch it too")
                },
            },
            _ => self.failed(name, source),
        })?;
        let bytes = file.metadata().map_err(|source| self.failed(name, source))?.len();
        Ok((file, bytes))
    }

    fn read<'a>(&self, name: &str, file: &mut File, chunk: &'a mut [u8]) -> Result<&'a [u8]> {
        loop {
            match file.read(chunk) {
                Ok(read) => return Ok(&chunk[..read]),
                Err(source) if source.kind() == ErrorKind::Interrupted => {}
                Err(source) => return Err(self.failed(name, source)),
            }
        }
    }

    fn optional_text(&self, name: &str) -> Result<Option<String>> {
        let Some(bytes) = self.optional(name)? else { return Ok(None) };
        String::from_utf8(bytes).map(Some).map_err(|error| {
            Error::corrupt(name, format!("byte {} is not UTF-8", error.utf8_error().valid_up_to()))
        })
    }

    fn failed(&self, name: &str, source: std::io::Error) -> Error {
        Error::Io { file: self.file(name).display().to_string(), source }
    }
}
