//! A small complete model in its own folder, for tests to damage.

use std::fs;
use std::path::{Path, PathBuf};

use mobilebert::config::Config;
use mobilebert::error::{Code, Error};
use mobilebert::model::Model;
use mobilebert::plan::Network;
use mobilebert::session::{Device, ExtraOutputs, Sequence, SessionOptions};
use mobilebert::weights::{Generator, RawTensor};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::checkpoint;

pub const WEIGHTS: &str = "model.safetensors";

/// A small complete model.
pub struct Folder {
    folder: TempDir,
    pub tensors: Vec<RawTensor>,
}

impl Folder {
    pub fn new() -> Self {
        Self::of(&configuration())
    }

    /// A model with this configuration.
    pub fn of(fields: &Value) -> Self {
        let config = Config::from_json(fields.to_string()).unwrap();
        let tensors = Generator::new(5).checkpoint(&Network::of(&config).unwrap()).collect();
        let folder = Folder { folder: TempDir::new().unwrap(), tensors };
        folder.write("config.json", fields.to_string());
        folder.write(WEIGHTS, checkpoint::file(&folder.tensors, &[]));
        let words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b", "##c", "d", "e", "f"];
        folder.write("vocab.txt", words.join("\n"));
        folder
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).unwrap();
    }

    pub fn weights(&self) -> Vec<u8> {
        fs::read(self.path(WEIGHTS)).unwrap()
    }

    /// The weights with a different header before the same data.
    pub fn write_header(&self, change: impl FnOnce(&mut Value)) {
        let bytes = self.weights();
        let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
        let mut header: Value = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
        change(&mut header);
        let header = header.to_string().into_bytes();
        self.write(
            WEIGHTS,
            [&(header.len() as u64).to_le_bytes(), &header[..], &bytes[8 + length..]].concat(),
        );
    }

    /// The weights with one tensor changed or removed.
    pub fn write_tensors(&self, name: &str, change: impl Fn(&RawTensor) -> Option<RawTensor>) {
        assert!(self.tensors.iter().any(|raw| raw.name == name), "no tensor {name}");
        let changed = self
            .tensors
            .iter()
            .filter_map(|raw| if raw.name == name { change(raw) } else { Some(raw.clone()) });
        let changed: Vec<_> = changed.collect();
        self.write(WEIGHTS, checkpoint::file(&changed, &[]));
    }

    pub fn open(&self) -> Result<Model, Error> {
        open(self.folder.path())
    }

    /// The error from opening it.
    #[track_caller]
    pub fn error(&self) -> Error {
        match self.open() {
            Ok(_) => panic!("it opened"),
            Err(error) => error,
        }
    }
}

pub fn configuration() -> Value {
    json!({
        "model_type": "mobilebert", "architectures": ["MobileBertForQuestionAnswering"], "vocab_size": 11,
        "hidden_size": 12, "embedding_size": 5, "intra_bottleneck_size": 6, "num_attention_heads": 2,
        "intermediate_size": 7, "num_hidden_layers": 2, "num_feedforward_networks": 2, "max_position_embeddings": 16,
        "type_vocab_size": 2,
    })
}

pub fn open(path: &Path) -> Result<Model, Error> {
    let options = SessionOptions { device: Device::Cpu, threads: 1, ..Default::default() };
    pollster::block_on(Model::open(path, &options))
}

pub fn run(model: &mut Model, sequence: Sequence) -> Result<Vec<f32>, Error> {
    let outputs = pollster::block_on(model.run(&[sequence], ExtraOutputs::default()))?;
    Ok(outputs[0].get("start_logits").unwrap().data.clone())
}

/// Checks that the message contains all of `mentions`.
#[track_caller]
pub fn assert_says(error: &Error, mentions: &[&str]) {
    let message = error.to_string();
    assert_ne!(error.code(), Code::Internal, "{message}");
    assert!(!message.contains('\n') && message.len() < 1000, "not one readable line: {message}");
    for mention in mentions {
        assert!(message.contains(mention), "`{mention}` is not mentioned: {message}");
    }
}
