//! A model directory on disk, in Hugging Face's layout: finds and reads its files.

use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::{Checkpoint, SmallFiles};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::text::Tokenizer;
use crate::weights::manifest::{self, FileHash};
use crate::weights::{Header, Manifest, ShardIndex, Stream};

/// Name of an unsharded weights file.
pub const WEIGHTS_FILE: &str = "model.safetensors";
/// Files with all weights, and indexes of sharded ones. The first that exists is read, as in `transformers`. The npm
/// package has the same list in `pkg/src/files/model-files.ts`.
pub const WEIGHTS: [&str; 4] =
    [WEIGHTS_FILE, "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json"];
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
    /// Any problem with `files.json`.
    pub fn new(path: impl Into<PathBuf>) -> Result<Self> {
        let mut directory = Directory { path: path.into(), manifest: None };
        directory.manifest =
            directory.optional(manifest::FILE)?.map(|json| Manifest::parse(&json)).transpose()?;
        Ok(directory)
    }

    /// Returns whether there is a `files.json`.
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
    /// `NotFound` if there is none; any problem with the files.
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

    /// The index of sharded weights; `None` if the weights are a single file.
    ///
    /// # Errors
    /// `Io`, `Integrity`; those of [`ShardIndex::parse`].
    pub fn shard_index(&self) -> Result<Option<ShardIndex>> {
        let weights = self.weights();
        let json = if is_index(weights) { self.optional(weights)? } else { None };
        json.map(|json| ShardIndex::parse(weights, &json)).transpose()
    }

    /// Names of the weight files.
    ///
    /// # Errors
    /// Same as [`Self::shard_index`].
    pub fn weight_files(&self) -> Result<Vec<String>> {
        Ok(self.files_of(self.shard_index()?.as_ref()))
    }

    /// The checkpoint, with the headers of all weight files. Doesn't read their data.
    ///
    /// # Errors
    /// Same as [`Self::config`], [`Self::weight_files`] and [`Self::header`]; those of [`Checkpoint::take`].
    pub fn checkpoint(&self) -> Result<Checkpoint> {
        let index = self.shard_index()?;
        let files = self.files_of(index.as_ref());
        let mut checkpoint = Checkpoint::new(self.config()?, index)?;
        for name in files {
            checkpoint.take(self.header(&name)?)?;
        }
        Ok(checkpoint)
    }

    fn files_of(&self, index: Option<&ShardIndex>) -> Vec<String> {
        let one = || vec![self.weights().to_owned()];
        index.map_or_else(one, |index| index.files().into_iter().map(str::to_owned).collect())
    }

    /// Name of the weights or of their index: the one listed in `files.json`, otherwise the one that exists.
    fn weights(&self) -> &'static str {
        let is_listed =
            |name: &&str| self.manifest.as_ref().is_some_and(|manifest| manifest.get(name).is_some());
        let exists = |name: &&str| self.file(name).is_file();
        let first = WEIGHTS.into_iter().find(is_listed).or_else(|| WEIGHTS.into_iter().find(exists));
        first.unwrap_or(WEIGHTS_FILE)
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
        let expected = self.manifest.as_ref().map(|manifest| {
            let problem = || format!("{} doesn't list it, so it can't be checked", manifest::FILE);
            manifest.get(name).ok_or_else(|| Error::Integrity { file: name.to_owned(), problem: problem() })
        });
        let expected = expected.transpose()?;
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

    /// The content of an optional file. A file listed in `files.json` isn't optional.
    ///
    /// # Errors
    /// `Io`, `Integrity`.
    pub fn optional(&self, name: &str) -> Result<Option<Vec<u8>>> {
        let listed = self.manifest.as_ref().and_then(|manifest| manifest.get(name));
        let bytes = match fs::read(self.file(name)) {
            Ok(bytes) => bytes,
            Err(source) if [ErrorKind::NotFound, ErrorKind::NotADirectory].contains(&source.kind()) => {
                let problem = format!("{} lists it, but it is missing", manifest::FILE);
                return listed.map_or(Ok(None), |_| Err(Error::Integrity { file: name.to_owned(), problem }));
            }
            Err(source) => return Err(self.failed(name, source)),
        };
        if let Some(expected) = listed {
            let mut hash = FileHash::default();
            hash.update(&bytes);
            expected.check(hash)?;
        }
        Ok(Some(bytes))
    }

    /// The advice for a missing weight file.
    fn weights_hint(&self) -> String {
        let weights = self.weights();
        if is_index(weights) {
            return format!("{weights} lists this shard of the weights; fetch it too");
        }
        if self.file("onnx").is_dir() || self.file("model.onnx").is_file() {
            return "the directory has ONNX files, which aren't read; fetch the model that they were made from".into();
        }
        "weights are model.safetensors or pytorch_model.bin; convert other formats with transformers' save_pretrained".into()
    }

    fn not_found(&self) -> Error {
        let hint = if self.path.is_dir() {
            "a model directory has config.json, model.safetensors (or pytorch_model.bin) and tokenizer.json or vocab.txt".to_owned()
        } else {
            format!("{} is not a directory", self.path.display())
        };
        Error::NotFound { file: self.file(CONFIG_FILE).display().to_string(), hint }
    }

    fn open(&self, name: &str) -> Result<(File, u64)> {
        let file = File::open(self.file(name)).map_err(|source| match source.kind() {
            ErrorKind::NotFound => {
                Error::NotFound { file: self.file(name).display().to_string(), hint: self.weights_hint() }
            }
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

fn is_index(name: &str) -> bool {
    name.ends_with(".json")
}
