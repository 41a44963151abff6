//! Opens tasks from the project's included model directories.

use mobilebert::error::Code;
use mobilebert::model::{EncodeOptions, Encoder, Model, QuestionAnswering, TextClassification};
use mobilebert::session::{Device, DeviceKind, SessionOptions};

const SQUAD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/models/mobilebert-squad");
const BASE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/models/mobilebert-base");

fn options() -> SessionOptions {
    SessionOptions { device: Device::Cpu, ..SessionOptions::default() }
}

#[test]
fn an_encoder_opens_a_model_with_a_head_and_drops_the_head() {
    // The second is a pre-training model, with two heads.
    for directory in [SQUAD, BASE] {
        let mut encoder = pollster::block_on(Encoder::open(directory, &options())).unwrap();
        assert_eq!(encoder.device().kind, DeviceKind::Cpu);
        let embeddings = pollster::block_on(encoder.encode(&["A text."], EncodeOptions::default())).unwrap();
        let lengths: Vec<usize> = embeddings.iter().map(|embedding| embedding.vector.len()).collect();
        assert_eq!(lengths, [encoder.model().config().hidden_size]);
    }
}

#[test]
fn a_model_with_another_head_is_unsupported_and_can_still_be_used_for_its_own_task() {
    let mut model = pollster::block_on(Model::open(SQUAD, &options())).unwrap();
    let error = TextClassification::borrow(&mut model).err().unwrap();
    assert_eq!(error.code(), Code::Unsupported);
    assert!(
        error.to_string().contains("text classification with a MobileBertForQuestionAnswering"),
        "{error}"
    );
    let task = QuestionAnswering::borrow(&mut model).unwrap();
    let reply = pollster::block_on(task.ask("Who sat?", "The cat sat.", &Default::default())).unwrap();
    assert_eq!(reply.answers[0].text, "The cat");
    let timing = reply.timing;
    assert!(timing.total + 1e-6 >= timing.tokenize + timing.compute + timing.postprocess, "{timing:?}");
}
