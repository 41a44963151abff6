//! Bytes of a model's files, as they arrive → a [`Model`]. Weights go to the device tensor by tensor.

use super::sentence::{self, SentenceSettings};
use super::{Model, SmallFiles, ahead, question_answering};
use crate::config::{Config, Head};
use crate::error::{Error, Result};
use crate::plan::Network;
use crate::session::{DeviceReport, Limits, PendingSession, Session, SessionOptions};
use crate::text::Tokenizer;
use crate::weights::{Assembler, Converted, ShardIndex, Storage, Stream};

/// What is known of a model directory before its weights.
#[derive(Clone, Copy, Debug, Default)]
pub struct ModelFiles<'a> {
    /// `config.json`.
    pub config: &'a [u8],
    /// The small files, with the tokenizer; not needed for raw runs over token ids.
    pub small: Option<&'a SmallFiles>,
    /// The index of sharded weights: `model.safetensors.index.json` or `pytorch_model.bin.index.json`.
    pub index: Option<&'a [u8]>,
    /// The head that the caller's task needs, for a checkpoint whose `architectures` names another class or none;
    /// [`Head::Encoder`] drops the head.
    pub head: Option<Head>,
}

/// Takes weight files chunk by chunk, in the order of their bytes, after [`Loader::begin_file`] for each file.
pub struct Loader {
    config: Config,
    tokenizer: Option<Tokenizer>,
    sentence: SentenceSettings,
    stage: Stage,
    stream: Option<Stream>,
    /// The format to convert weights to as they arrive; none keeps them as stored.
    storage: Option<Storage>,
}

/// Which tensors exist is known at once from the index of a sharded model, else from the header of the only file.
enum Stage {
    Waiting(PendingSession),
    Loading {
        session: Box<Session>,
        assembler: Assembler,
    },
    /// After an error.
    Failed,
}

impl Loader {
    /// Checks the small files and selects the device.
    ///
    /// # Errors
    /// Whatever is wrong with the files or the device; see [`Error`].
    pub async fn new(files: &ModelFiles<'_>, options: &SessionOptions) -> Result<Self> {
        let mut config = Config::for_task(files.config, files.head)?;
        let none = SmallFiles::default();
        let small = files.small.unwrap_or(&none);
        config.default_activation(sentence::activation_fn(small)?);
        let is_encoder = files.head.unwrap_or(config.head) == Head::Encoder;
        let sentence = if is_encoder { SentenceSettings::read(small)? } else { SentenceSettings::default() };
        let texts = small.tokenizer();
        let has_tokenizer = texts.tokenizer_json.is_some() || texts.vocab.is_some();
        let tokenizer = has_tokenizer.then(|| Tokenizer::from_files(texts)).transpose()?;
        if let Some(tokenizer) = &tokenizer {
            tokenizer.check_vocabulary(config.vocab_size)?;
        }
        let index =
            files.index.map(|json| ShardIndex::parse("model.safetensors.index.json", json)).transpose()?;
        let network = index.map(|index| sharded(&mut config, &index)).transpose()?;
        let started = PendingSession::new(options).await?;
        let stage = match network {
            Some(network) => Stage::loading(started, network)?,
            None => Stage::Waiting(started),
        };
        Ok(Loader { config, tokenizer, sentence, stage, stream: None, storage: None })
    }

    /// Converts weights to this format as they arrive, tensor by tensor, whatever their stored format. The model then
    /// computes the same as a directory quantized to this format. Call it before the first byte.
    pub fn convert_to(&mut self, storage: Storage) {
        self.storage = Some(storage);
    }

    /// Where the model will run, and why.
    pub fn device(&self) -> Option<&DeviceReport> {
        match &self.stage {
            Stage::Waiting(started) => Some(started.device()),
            Stage::Loading { session, .. } => Some(session.device()),
            Stage::Failed => None,
        }
    }

    /// Ends the previous file, if any, and begins the next. `total` is its length in bytes, if known.
    ///
    /// # Errors
    /// If the previous file was incomplete.
    pub fn begin_file(&mut self, name: &str, total: Option<u64>) -> Result<()> {
        self.end_file()?;
        self.stream = Some(Stream::new(name, total));
        Ok(())
    }

    /// Takes the next bytes of the file.
    ///
    /// # Errors
    /// Whatever is wrong with the file or a tensor; the loader can't be used any more then.
    pub fn push(&mut self, chunk: &[u8]) -> Result<()> {
        let result = self.take(chunk).map_err(|error| match &self.stream {
            Some(stream) => error.in_file(stream.file()),
            None => error,
        });
        if result.is_err() {
            self.stage = Stage::Failed;
        }
        result
    }

    /// The model, after all files have been pushed.
    ///
    /// # Errors
    /// [`Error::Tensor`] with the name of a missing tensor.
    pub async fn finish(mut self) -> Result<Model> {
        self.end_file()?;
        match self.stage {
            Stage::Loading { mut session, assembler } => {
                assembler.finish()?;
                session.settle().await?;
                Ok(Model {
                    config: self.config,
                    tokenizer: self.tokenizer,
                    sentence: self.sentence,
                    session: *session,
                    window_batches: question_answering::window_batches(),
                    explained: Default::default(),
                    sharing: ahead::sharing(),
                    helpers: None,
                })
            }
            Stage::Waiting(_) => Err(Error::corrupt("model.safetensors", "no data was received")),
            Stage::Failed => Err(Error::internal("load", "the loader has already failed")),
        }
    }

    fn take(&mut self, chunk: &[u8]) -> Result<()> {
        let stream = self.stream.get_or_insert_with(|| Stream::new("model.safetensors", None));
        let complete = stream.push(chunk)?;
        if let Some(header) = stream.header()
            && let Stage::Waiting(_) = self.stage
        {
            if let Some([outputs, _]) = header.get("classifier.weight").map(|entry| &entry.shape[..]) {
                self.config.fit_labels(*outputs);
            }
            let has = |name: &str| header.get(name).is_some();
            self.config.fit_head(&has)?;
            let network = Network::new(&self.config, &has)?;
            network.check_depth(header.tensors.iter().map(|entry| entry.name.as_str()))?;
            header.check(&network.parameters)?;
            if let Stage::Waiting(started) = std::mem::replace(&mut self.stage, Stage::Failed) {
                self.stage = Stage::loading(started, network)?;
            }
        }
        let Stage::Loading { session, assembler } = &mut self.stage else { return Ok(()) };
        for raw in complete {
            let Converted { tensor, scale } = match self.storage {
                Some(storage) => storage.convert(raw)?,
                None => Converted { tensor: raw, scale: None },
            };
            assembler.push(tensor)?;
            scale.map_or(Ok(()), |scale| assembler.push(scale))?;
            while let Some((id, values)) = assembler.next_ready()? {
                session.load(id, values)?;
            }
        }
        Ok(())
    }

    fn end_file(&mut self) -> Result<()> {
        match self.stream.take() {
            Some(stream) => stream.finish().map(|_| ()),
            None => Ok(()),
        }
    }
}

/// The network of a sharded checkpoint.
fn sharded(config: &mut Config, index: &ShardIndex) -> Result<Network> {
    config.fit_head(&|name| index.has(name))?;
    let network = Network::new(config, &|name| index.has(name))?;
    network.check_depth(index.weight_map.keys().map(String::as_str))?;
    Ok(network)
}

impl Stage {
    fn loading(started: PendingSession, network: Network) -> Result<Stage> {
        let limits = Limits {
            vocab_size: network.config.vocab_size,
            type_vocab_size: network.config.type_vocab_size,
            max_sequence: network.config.max_position_embeddings,
        };
        let assembler = Assembler::new(&network);
        Ok(Stage::Loading { session: Box::new(started.with_network(network, limits)?), assembler })
    }
}
