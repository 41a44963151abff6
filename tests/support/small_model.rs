//! A question-answering MobileBERT with generated weights, small enough to be run hundreds of times.

use std::fs;

use mobilebert::config::Config;
use mobilebert::plan::Network;
use mobilebert::weights::Generator;
use serde_json::json;
use tempfile::TempDir;

use super::checkpoint;

/// A model directory with the vocabulary `words`. It reads at most 32 tokens.
pub fn directory(words: &[&str]) -> TempDir {
    let configuration = json!({
        "model_type": "mobilebert", "architectures": ["MobileBertForQuestionAnswering"], "vocab_size": words.len(),
        "hidden_size": 24, "embedding_size": 8, "intra_bottleneck_size": 16, "num_attention_heads": 2,
        "intermediate_size": 20, "num_hidden_layers": 2, "num_feedforward_networks": 2,
        "max_position_embeddings": 32, "type_vocab_size": 2,
    });
    let config = Config::from_json(configuration.to_string()).unwrap();
    let tensors: Vec<_> = Generator::new(7).checkpoint(&Network::of(&config).unwrap()).collect();
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("config.json"), configuration.to_string()).unwrap();
    fs::write(folder.path().join("model.safetensors"), checkpoint::file(&tensors, &[])).unwrap();
    fs::write(folder.path().join("vocab.txt"), words.join("\n")).unwrap();
    folder
}
