//! Conversion of weights while they load.

#![cfg(not(target_arch = "wasm32"))]

mod support;

use mobilebert::config::Config;
use mobilebert::error::Code;
use mobilebert::model::{Loader, ModelFiles};
use mobilebert::plan::Network;
use mobilebert::session::{Device, ExtraOutputs, Outputs, Sequence, SessionOptions};
use mobilebert::weights::{Generator, Quantizer, RawTensor, WeightFormat};
use serde_json::json;
use support::checkpoint;

fn config() -> String {
    json!({
        "model_type": "mobilebert", "architectures": ["MobileBertForQuestionAnswering"], "vocab_size": 90,
        "hidden_size": 64, "embedding_size": 32, "intra_bottleneck_size": 32, "intermediate_size": 128,
        "num_hidden_layers": 2, "num_attention_heads": 2, "num_feedforward_networks": 2,
        "max_position_embeddings": 48, "type_vocab_size": 2, "true_hidden_size": 32,
    })
    .to_string()
}

async fn results(file: &[u8], chunk: usize, storage: Option<WeightFormat>) -> Vec<Outputs> {
    let config = config();
    let files = ModelFiles { config: config.as_bytes(), ..ModelFiles::default() };
    let options = SessionOptions { device: Device::Cpu, threads: 1, ..SessionOptions::default() };
    let mut loader = Loader::new(&files, &options).await.unwrap();
    if let Some(storage) = storage {
        loader.convert_to(storage);
    }
    for chunk in file.chunks(chunk) {
        loader.push(chunk).unwrap();
    }
    let mut model = loader.finish().await.unwrap();
    let ids: Vec<u32> = (0..24).map(|index| index * 7 % 90).collect();
    model.run(&[Sequence::new(ids, vec![0; 24])], ExtraOutputs::default()).await.unwrap()
}

#[test]
fn converting_while_loading_gives_the_results_of_a_converted_file() {
    let network = Network::of(&Config::from_json(config()).unwrap()).unwrap();
    let tensors: Vec<RawTensor> = Generator::new(9).checkpoint(&network).collect();
    let file = checkpoint::file(&tensors, &[]);
    pollster::block_on(async {
        let exact = results(&file, 1000, None).await;
        for storage in [WeightFormat::F16, WeightFormat::Q8, WeightFormat::Q4] {
            let mut quantizer = Quantizer::new(storage);
            for tensor in &tensors {
                quantizer.push(tensor.clone()).unwrap();
            }
            let (copy, _) = quantizer.finish().unwrap();
            let from_copy = results(&copy, 1000, None).await;
            let converted = results(&file, 777, Some(storage)).await;
            for name in ["start_logits", "end_logits"] {
                let [from_copy, converted, exact] =
                    [&from_copy, &converted, &exact].map(|outputs| &outputs[0].get(name).unwrap().data);
                assert_eq!(from_copy, converted, "{storage}, {name}");
                assert_ne!(converted, exact, "{storage}, {name}: no weight was converted");
            }
        }
    });
}

#[test]
fn a_load_that_failed_goes_on_failing_and_blames_the_caller() {
    let config = config();
    let files = ModelFiles { config: config.as_bytes(), ..ModelFiles::default() };
    let options = SessionOptions { device: Device::Cpu, threads: 1, ..SessionOptions::default() };
    let mut loader = pollster::block_on(Loader::new(&files, &options)).unwrap();
    assert_eq!(loader.push(b"<html>, not weights").unwrap_err().code(), Code::NotAModel);
    assert_eq!(loader.push(&[0; 8]).unwrap_err().code(), Code::InvalidInput);
    let error = pollster::block_on(loader.finish()).err().unwrap();
    assert_eq!(error.to_string(), "`load`: has failed before; begin again");
}
