//! Impossible input to a loaded model.

use mobilebert::error::Code;
use mobilebert::model::{EncodeOptions, Encoder};
use mobilebert::session::{ExtraOutputs, Sequence};
use mobilebert::weights::RawTensor;
use serde_json::json;

use crate::folder::{Folder, assert_says, configuration, run};

#[test]
fn the_unchanged_directory_opens_and_runs() {
    let logits =
        run(&mut Folder::new().open().unwrap(), Sequence::new(vec![2, 5, 3], vec![0, 0, 1])).unwrap();
    assert_eq!(logits.len(), 3);
    assert!(logits.iter().all(|logit| logit.is_finite()));
}

#[test]
fn impossible_input_leaves_the_model_usable() {
    let mut model = Folder::new().open().unwrap();
    let good = || Sequence::new(vec![2, 5, 9, 3], vec![0, 0, 1, 1]);
    let before = run(&mut model, good()).unwrap();
    let with = |change: &dyn Fn(&mut Sequence)| {
        let mut sequence = good();
        change(&mut sequence);
        sequence
    };
    let bad: [(&str, &str, Sequence); 10] = [
        ("input_ids", "11", with(&|s| s.input_ids[2] = 11)),
        ("input_ids", "4294967295", with(&|s| s.input_ids[0] = u32::MAX)),
        ("token_type_ids", "2", with(&|s| s.token_type_ids[3] = 2)),
        ("attention_mask", "2", with(&|s| s.attention_mask[0] = 2)),
        ("token_type_ids", "3 values", with(&|s| s.token_type_ids.truncate(3))),
        ("attention_mask", "0 values", with(&|s| s.attention_mask.clear())),
        ("attention_mask", "5 values", with(&|s| s.attention_mask.push(1))),
        ("input_ids", "0 tokens", Sequence::default()),
        ("input_ids", "17 tokens", Sequence::new(vec![5; 17], vec![0; 17])),
        ("input_ids", "100000 tokens", Sequence::new(vec![5; 100_000], vec![0; 100_000])),
    ];
    for (field, mention, sequence) in bad {
        let error = run(&mut model, sequence).unwrap_err();
        assert_eq!((error.code(), error.culprit()), (Code::InvalidInput, Some(("field", field))), "{error}");
        assert_says(&error, &[mention]);
        assert_eq!(run(&mut model, good()).unwrap(), before, "after {error}");
    }
}

#[test]
fn the_error_for_a_batch_names_the_bad_sequence() {
    let mut model = Folder::new().open().unwrap();
    let good = Sequence::new(vec![2, 3], vec![0, 0]);
    let bad = Sequence::new(vec![2, 77], vec![0, 0]);
    let error =
        pollster::block_on(model.run(&[good.clone(), good, bad], ExtraOutputs::default())).unwrap_err();
    assert_says(&error, &["input_ids", "sequence 2", "77"]);
}

#[test]
fn weights_that_are_too_large_give_an_error_instead_of_embeddings() {
    let mut config = configuration();
    config["architectures"] = json!(["MobileBertModel"]);
    let folder = Folder::of(&config);
    let names: Vec<String> = folder.tensors.iter().map(|raw| raw.name.clone()).collect();
    let name = names.iter().find(|name| name.ends_with("word_embeddings.weight")).unwrap();
    let encode = || {
        let mut encoder = Encoder::new(folder.open().unwrap()).unwrap();
        pollster::block_on(encoder.encode(&["a b"], EncodeOptions::default()))
    };
    assert!(encode().unwrap()[0].vector.iter().all(|value| value.is_finite()));
    folder.write_tensors(name, |raw| {
        let bytes = 3e38f32.to_le_bytes().repeat(raw.bytes.len() / 4);
        Some(RawTensor { bytes, ..raw.clone() })
    });
    let error = encode().unwrap_err();
    assert_eq!(error.culprit(), Some(("tensor", "last_hidden_state")), "{error}");
}
