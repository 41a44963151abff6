//! Checkpoints as bytes: complete, in chunks, damaged, quantized.

mod directory;
mod file;
mod pytorch;
mod quantized;
mod recipes;
mod tensors;

#[path = "../support/mod.rs"]
mod support;

use mobilebert::config::Config;
use mobilebert::error::Error;
use mobilebert::plan::Network;
use mobilebert::weights::Dtype;
use mobilebert::weights::Quantizer;
use mobilebert::weights::RawTensor;
use mobilebert::weights::Stream;
use mobilebert::weights::WeightFormat;
use serde_json::Value;
use serde_json::json;
use support::checkpoint;
use support::checkpoint::raw_f32;
use support::random::Random;

const FILE: &str = "model.safetensors";

/// Reads a file in chunks of the given sizes, repeated cyclically.
fn read(bytes: &[u8], sizes: &[usize], total: Option<u64>) -> Result<Vec<RawTensor>, Error> {
    let mut stream = Stream::new(FILE, total);
    let mut tensors = Vec::new();
    let (mut rest, mut turn) = (bytes, 0);
    while !rest.is_empty() {
        let (chunk, behind) = rest.split_at(sizes[turn % sizes.len()].min(rest.len()));
        tensors.extend(stream.push(chunk)?);
        rest = behind;
        turn += 1;
    }
    stream.finish()?;
    Ok(tensors)
}

/// A file with this JSON header and this many bytes of data.
fn file_of(header: &Value, data: usize) -> Vec<u8> {
    let json = header.to_string();
    let mut bytes = (json.len() as u64).to_le_bytes().to_vec();
    bytes.extend(json.bytes());
    bytes.extend((0..data).map(|index| index as u8));
    bytes
}

fn small_file() -> Vec<u8> {
    let random = &mut Random::new(1);
    let values: Vec<f64> = random.values(24, 1.0).into_iter().map(f64::from).collect();
    let mut tensors = vec![raw_f32("a", &[2, 3], &values[..6]), raw_f32("b.weight", &[4, 4], &values[..16])];
    tensors.push(RawTensor { name: "c".into(), dtype: Dtype::F16, shape: vec![3], bytes: vec![0; 6] });
    tensors.push(RawTensor { name: "empty".into(), dtype: Dtype::F32, shape: vec![0, 7], bytes: vec![] });
    tensors.push(RawTensor {
        name: "position_ids".into(),
        dtype: Dtype::I64,
        shape: vec![1, 2],
        bytes: vec![7; 16],
    });
    checkpoint::file(&tensors, &[("format", "pt")])
}

fn tiny() -> (Network, Vec<RawTensor>) {
    let fields = json!({ "model_type": "mobilebert", "hidden_size": 64, "embedding_size": 32, "vocab_size": 37,
        "intra_bottleneck_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2,
        "max_position_embeddings": 16, "architectures": ["MobileBertForQuestionAnswering"] });
    let network = Network::of(&Config::from_json(fields.to_string()).unwrap()).unwrap();
    let tensors = checkpoint::raw(&checkpoint::tensors(&network, &mut Random::new(3)));
    (network, tensors)
}

#[track_caller]
fn assert_tensor_error(error: &Error, tensor: &str, mentions: &[&str]) {
    assert_eq!(error.culprit(), Some(("tensor", tensor)), "{error}");
    let message = error.to_string();
    assert!(mentions.iter().all(|mention| message.contains(mention)), "{message}");
}

fn quantize(
    tensors: &[RawTensor],
    storage: WeightFormat,
) -> (Vec<u8>, Vec<mobilebert::weights::TensorReport>) {
    let mut quantizer = Quantizer::new(storage);
    for tensor in tensors {
        quantizer.push(tensor.clone()).unwrap();
    }
    quantizer.finish().unwrap()
}
