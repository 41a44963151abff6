//! The bytes of a model's files as they arrive → a [`Model`]. Weights go to the device tensor by tensor.

use super::checkpoint::{self, Checkpoint};
#[cfg(not(target_arch = "wasm32"))]
use super::choices::Choices;
use super::sentence::{self, SentenceSettings};
use super::{Model, SmallFiles, ahead, question_answering};
use crate::config::{Config, Head};
use crate::error::{Error, Result};
use crate::plan::Network;
use crate::session::{DeviceKind, DeviceReport, Limits, PendingSession, Session, SessionOptions};
use crate::text::Tokenizer;
use crate::weights::{
    Assembler, Converted, Dtype, Header, RawTensor, SCALE_SUFFIX, ShardIndex, Stream, WeightFormat,
};

/// The files of a model directory that are read before its weights.
#[derive(Clone, Copy, Debug, Default)]
pub struct ModelFiles<'a> {
    /// `config.json`.
    pub config: &'a [u8],
    /// The small files, including the tokenizer; not needed for raw runs over token ids.
    pub small: Option<&'a SmallFiles>,
    /// The index of sharded weights.
    pub index: Option<&'a ShardIndex>,
    /// The head that the caller's task needs, for a checkpoint whose `architectures` names another class or none;
    /// [`Head::Encoder`] drops the head.
    pub head: Option<Head>,
}

/// Reads weight files chunk by chunk, in the order of their bytes, after [`Loader::begin_file`] for each
/// file. Once [`Loader::choice_key`] returns a key, call [`Loader::choose`]: until then, tensors are kept in
/// memory.
pub struct Loader {
    checkpoint: Checkpoint,
    tokenizer: Option<Tokenizer>,
    sentence: SentenceSettings,
    stage: Stage,
    stream: Option<Stream>,
    /// The format to convert weights to as they arrive; `None` keeps the stored format.
    storage: Option<WeightFormat>,
    /// Choices of earlier processes.
    #[cfg(not(target_arch = "wasm32"))]
    choices: Option<Choices>,
}

/// The progress of a load.
enum Stage {
    /// Waiting for the network. The tensors have arrived before the one that determines its number of labels.
    Waiting(Box<PendingSession>, Vec<RawTensor>),
    Choosing(Box<Choosing>),
    Loading {
        session: Box<Session>,
        assembler: Assembler,
    },
    /// After an error.
    Failed,
}

/// The state of a load that is waiting for [`Loader::choose`].
struct Choosing {
    started: PendingSession,
    network: Network,
    storage: WeightFormat,
    tensors: Vec<RawTensor>,
}

impl Loader {
    /// Checks the small files and selects the device.
    ///
    /// # Errors
    /// Any problem with the files or the device; see [`Error`].
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
        let checkpoint = Checkpoint::new(config, files.index.cloned())?;
        let started = PendingSession::new(options).await?;
        let stage = Stage::Waiting(Box::new(started), Vec::new());
        Ok(Loader {
            checkpoint,
            tokenizer,
            sentence,
            stage,
            stream: None,
            storage: None,
            #[cfg(not(target_arch = "wasm32"))]
            choices: options.choices.clone().map(|folder| Choices::new(folder, options.threads)),
        })
    }

    /// Converts weights to this format as they arrive, tensor by tensor, whatever their stored format. The
    /// model's results are then those of a directory quantized to this format. Call it before the first byte.
    pub fn convert_to(&mut self, storage: WeightFormat) {
        self.storage = Some(storage);
    }

    /// The device that the model will run on, and the reason.
    pub fn device(&self) -> Option<&DeviceReport> {
        match &self.stage {
            Stage::Waiting(started, _) => Some(started.device()),
            Stage::Choosing(choosing) => Some(choosing.started.device()),
            Stage::Loading { session, .. } => Some(session.device()),
            Stage::Failed => None,
        }
    }

    /// Ends the previous file, if any, and starts the next. `total` is its length in bytes, if known.
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
    /// Any problem with the file or a tensor; afterwards, every call fails.
    pub fn push(&mut self, chunk: &[u8]) -> Result<()> {
        self.check()?;
        let result = self.take(chunk).map_err(|error| self.in_current_file(error));
        if result.is_err() {
            self.stage = Stage::Failed;
        }
        result
    }

    /// [`Loader::push`], then [`Loader::choose_when_due`].
    ///
    /// # Errors
    /// Same as both.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn push_and_choose(&mut self, chunk: &[u8]) -> Result<()> {
        self.push(chunk)?;
        self.choose_when_due()
    }

    /// Chooses the device if it is time to, and blocks until that is done. With [`SessionOptions::choices`],
    /// reuses the choice of an earlier process.
    ///
    /// # Errors
    /// Same as [`Loader::choose`].
    #[cfg(not(target_arch = "wasm32"))]
    pub fn choose_when_due(&mut self) -> Result<()> {
        let known = self.choices.clone().zip(self.choice_key());
        let remembered = known.as_ref().and_then(|(choices, key)| choices.read(key));
        let new = pollster::block_on(self.choose(remembered.as_deref()))?;
        if let (Some((choices, key)), Some(new)) = (known, new) {
            choices.write(&key, &new);
        }
        Ok(())
    }

    /// The key under which to store the choice, while the device hasn't been chosen.
    pub fn choice_key(&self) -> Option<String> {
        match &self.stage {
            Stage::Choosing(choosing) => choosing.started.choice_key(&choosing.network, choosing.storage),
            _ => None,
        }
    }

    /// Chooses the device and its schedules, and continues with the tensors that have arrived. `remembered`
    /// is the return value of an earlier visit. Returns the record to store, if something was measured.
    ///
    /// # Errors
    /// Same as [`PendingSession::choose`] and [`Loader::push`].
    pub async fn choose(&mut self, remembered: Option<&str>) -> Result<Option<String>> {
        let choosing = match std::mem::replace(&mut self.stage, Stage::Failed) {
            Stage::Choosing(choosing) => *choosing,
            other => {
                self.stage = other;
                return Ok(None);
            }
        };
        let Choosing { mut started, network, storage, tensors } = choosing;
        let record = started.choose(&network, storage, remembered).await?;
        // On a CPU, multiplying the weights would cost more arithmetic than it saves.
        let folds = storage == WeightFormat::F32 && started.device().kind == DeviceKind::Gpu;
        let network = if folds { network.folded()? } else { network };
        let mut stage = Stage::loading(started, network)?;
        stage.take(tensors, self.storage).map_err(|error| self.in_current_file(error))?;
        self.stage = stage;
        Ok(record)
    }

    /// The model, after all files have been pushed.
    ///
    /// # Errors
    /// [`Error::Tensor`] with the name of a missing tensor, [`Error::InvalidInput`] after an error.
    pub async fn finish(mut self) -> Result<Model> {
        self.check()?;
        self.end_file()?;
        self.choose(None).await?;
        match self.stage {
            Stage::Loading { mut session, assembler } => {
                assembler.finish()?;
                session.settle().await?;
                Ok(Model {
                    config: session.network().config.clone(),
                    tokenizer: self.tokenizer,
                    sentence: self.sentence,
                    session: *session,
                    window_batches: question_answering::window_batches(),
                    explained: Default::default(),
                    sharing: ahead::sharing(),
                    helpers: None,
                })
            }
            Stage::Waiting(..) if self.checkpoint.headers().is_empty() => {
                Err(Error::corrupt("model.safetensors", "no data was received"))
            }
            Stage::Waiting(..) => Err(checkpoint::missing()),
            Stage::Choosing(_) | Stage::Failed => Err(Error::internal("load", "the device wasn't chosen")),
        }
    }

    /// Fails if an earlier call has failed: its error said what was wrong.
    fn check(&self) -> Result<()> {
        match self.stage {
            Stage::Failed => Err(Error::invalid_input("load", "has failed before; begin again")),
            _ => Ok(()),
        }
    }

    fn in_current_file(&self, error: Error) -> Error {
        match &self.stream {
            Some(stream) => error.in_file(stream.file()),
            None => error,
        }
    }

    fn take(&mut self, chunk: &[u8]) -> Result<()> {
        let stream = self.stream.get_or_insert_with(|| Stream::new("model.safetensors", None));
        let knew_header = stream.header().is_some();
        let complete = stream.push(chunk)?;
        if let Some(header) = stream.header().filter(|_| !knew_header).cloned() {
            self.take_header(header)?;
        }
        self.stage.take(complete, self.storage)
    }

    /// Checks a file's header before its data arrives.
    fn take_header(&mut self, header: Header) -> Result<()> {
        let network = match &self.stage {
            Stage::Waiting(..) => None,
            Stage::Choosing(choosing) => Some(&choosing.network),
            Stage::Loading { session, .. } => Some(session.network()),
            Stage::Failed => return Ok(()),
        };
        if let Some(network) = network {
            return header.check(&network.parameters);
        }
        self.checkpoint.take(header)?;
        match self.checkpoint.take_network() {
            Some(network) => self.start(network),
            None => Ok(()),
        }
    }

    /// Continues once the network is known.
    fn start(&mut self, network: Network) -> Result<()> {
        let storage = self.storage.unwrap_or_else(|| stored_as(self.checkpoint.headers()));
        if let Stage::Waiting(started, tensors) = std::mem::replace(&mut self.stage, Stage::Failed) {
            self.stage = if started.has_gpu() {
                Stage::Choosing(Box::new(Choosing { started: *started, network, storage, tensors }))
            } else {
                let mut stage = Stage::loading(*started, network)?;
                stage.take(tensors, self.storage)?;
                stage
            };
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

/// The format of the layers' matrices, which take most of the time, or of another matrix if the first files have none
/// of them.
fn stored_as(headers: &[Header]) -> WeightFormat {
    let matrices = || {
        let all = headers.iter().flat_map(|header| &header.tensors);
        all.filter(|entry| entry.shape.len() == 2 && !entry.name.ends_with(SCALE_SUFFIX))
    };
    let in_layer = matrices().find(|entry| entry.name.contains(".layer."));
    match in_layer.or_else(|| matrices().next()).map(|entry| entry.dtype) {
        Some(Dtype::I8) => WeightFormat::Q8,
        Some(Dtype::U8) => WeightFormat::Q4,
        Some(Dtype::F16) => WeightFormat::F16,
        _ => WeightFormat::F32,
    }
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

    /// Takes tensors of the checkpoint, and converts them if requested; keeps them until the network is known
    /// and the device has been chosen.
    fn take(&mut self, tensors: Vec<RawTensor>, storage: Option<WeightFormat>) -> Result<()> {
        let (session, assembler) = match self {
            Stage::Loading { session, assembler } => (session, assembler),
            Stage::Choosing(choosing) => {
                choosing.tensors.extend(tensors);
                return Ok(());
            }
            Stage::Waiting(_, waiting) => {
                waiting.extend(tensors);
                return Ok(());
            }
            Stage::Failed => return Ok(()),
        };
        for raw in tensors {
            let Converted { tensor, scale } = match storage {
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
}
