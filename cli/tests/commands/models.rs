//! Tiny generated model directories.

use std::fs;
use std::path::{Path, PathBuf};

use mobilebert::config::Config;
use mobilebert::plan::Network;
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::process::text;
use crate::support::random::Random;

/// A model directory, deleted on drop.
pub struct TinyModel {
    folder: TempDir,
}

/// A tensor to store in a file.
pub struct Stored {
    /// Name in the checkpoint.
    pub name: String,
    /// Row-major sizes.
    pub shape: Vec<usize>,
    /// Values.
    pub values: Vec<f32>,
}

impl TinyModel {
    /// A MobileBERT with two layers and the head of this class-name suffix, e.g. `ForQuestionAnswering`.
    pub fn new(head: &str) -> Self {
        Self::with(head, json!({}))
    }

    /// The same with the fields of `changes` in `config.json`.
    pub fn with(head: &str, changes: Value) -> Self {
        let model = TinyModel { folder: tempfile::tempdir().unwrap() };
        let config = configuration(head, changes);
        model.write("config.json", config.to_string().as_bytes());
        model.write("vocab.txt", vocabulary().join("\n").as_bytes());
        model.write("model.safetensors", &weights(&tensors(&config)));
        model
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The directory's path as an argument.
    pub fn argument(&self) -> &str {
        text(self.path())
    }

    /// Path of a file in the directory.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// Writes a file into the directory.
    pub fn write(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.file(name);
        fs::write(&path, content).unwrap();
        path
    }

    /// Deletes a file in the directory.
    pub fn remove(&self, name: &str) {
        fs::remove_file(self.file(name)).unwrap();
    }
}

/// `config.json` of the tiny MobileBERT.
pub fn configuration(head: &str, changes: Value) -> Value {
    let mut config = json!({
        "architectures": [format!("MobileBert{head}")], "model_type": "mobilebert",
        "vocab_size": vocabulary().len(), "hidden_size": 32, "embedding_size": 12, "num_hidden_layers": 2,
        "num_attention_heads": 2, "intermediate_size": 20, "intra_bottleneck_size": 16,
        "num_feedforward_networks": 2, "max_position_embeddings": 64,
    });
    for (field, value) in changes.as_object().unwrap() {
        config[field] = value.clone();
    }
    config
}

/// The tests' words and all letters, so that any plain word has pieces.
pub fn vocabulary() -> Vec<String> {
    let mut tokens: Vec<String> = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"].map(str::to_owned).to_vec();
    tokens.extend(
        ["the", "cat", "sat", "on", "a", "mat", "who", "?", ".", ",", "in", "is", "was", "😀"]
            .map(str::to_owned),
    );
    tokens.extend(('b'..='z').map(String::from));
    tokens.extend(('a'..='z').map(|letter| format!("##{letter}")));
    tokens
}

/// All tensors of a model with this configuration, with seeded values.
pub fn tensors(config: &Value) -> Vec<Stored> {
    let config = Config::from_json(config.to_string()).unwrap();
    let network = Network::of(&config).unwrap();
    let mut random = Random::new(7);
    let mut tensors: Vec<Stored> = Vec::new();
    for source in network.parameters.iter().flat_map(|parameter| parameter.recipe.sources()) {
        if tensors.iter().all(|tensor| tensor.name != source.name()) {
            let is_norm = source.name().ends_with("LayerNorm.weight");
            let value =
                |random: &mut Random| if is_norm { 1.0 + 0.1 * random.unit() } else { 0.3 * random.unit() };
            let values = (0..source.len()).map(|_| value(&mut random)).collect();
            tensors.push(Stored { name: source.name().to_owned(), shape: source.shape.clone(), values });
        }
    }
    tensors
}

/// The content of a safetensors file in F32.
pub fn weights(tensors: &[Stored]) -> Vec<u8> {
    let bytes: Vec<Vec<u8>> = tensors
        .iter()
        .map(|tensor| tensor.values.iter().flat_map(|value| value.to_le_bytes()).collect())
        .collect();
    let views = tensors.iter().zip(&bytes).map(|(tensor, bytes)| {
        (tensor.name.as_str(), TensorView::new(Dtype::F32, tensor.shape.clone(), bytes).unwrap())
    });
    safetensors::serialize(views, None).unwrap()
}
