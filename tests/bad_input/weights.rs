//! Weight files that are inconsistent, truncated or don't belong together.

use std::fs;

use mobilebert::error::Code;
use mobilebert::model::{Loader, ModelFiles};
use mobilebert::session::{Device, ExtraOutputs, Sequence, SessionOptions};
use mobilebert::weights::{Dtype, RawTensor, ShardIndex};
use serde_json::{Value, json};

use crate::folder::{Folder, WEIGHTS, assert_says, configuration};
use crate::support::checkpoint;
use crate::support::random::Random;

#[test]
fn truncated_and_oversized_weights_are_errors() {
    let folder = Folder::new();
    let whole = folder.weights();
    let mut random = Random::new(3);
    let lengths = [0, 1, 7, 8, 9, 100, whole.len() / 2, whole.len() - 1];
    for length in lengths.into_iter().chain((0..40).map(|_| random.below(whole.len()))) {
        folder.write(WEIGHTS, &whole[..length]);
        let error = folder.error();
        assert_says(&error, &[WEIGHTS]);
        assert!([Code::Corrupt, Code::NotAModel].contains(&error.code()), "{length}: {error}");
    }
    for more in [1, 4, 100_000] {
        folder.write(WEIGHTS, [&whole[..], &vec![0; more]].concat());
        assert_says(&folder.error(), &[WEIGHTS]);
    }
}

#[test]
fn inconsistent_headers_are_errors() {
    let name = "mobilebert.encoder.layer.1.output.dense.weight";
    type Change = fn(&mut Value, &str);
    let lies: [Change; 11] = [
        |header, name| header[name]["data_offsets"] = json!([0, u64::MAX]),
        |header, name| header[name]["data_offsets"] = json!([1e18 as u64, 1e18 as u64 + 168]),
        |header, name| header[name]["data_offsets"] = json!([0, 168]),
        |header, name| header[name]["data_offsets"] = json!([168, 0]),
        |header, name| header[name]["data_offsets"] = json!([-4, 164]),
        |header, name| header[name]["shape"] = json!([u64::MAX, u64::MAX]),
        |header, name| header[name]["shape"] = json!([1u64 << 33, 1u64 << 33]),
        |header, name| header[name]["shape"] = json!("6 by 7"),
        |header, name| header[name]["dtype"] = json!("F99"),
        |header, name| header[name]["dtype"] = json!("F64"),
        |header, name| drop(header[name].as_object_mut().unwrap().remove("shape")),
    ];
    for (index, lie) in lies.into_iter().enumerate() {
        let folder = Folder::new();
        folder.write_header(|header| lie(header, name));
        let error = folder.error();
        assert_ne!(error.code(), Code::Internal, "case {index}: {error}");
        let message = error.to_string();
        assert!(message.contains(WEIGHTS) || message.contains(name), "case {index}: {error}");
    }
    let folder = Folder::new();
    let data = folder.weights();
    for length in [0u64, 1, 7, data.len() as u64, 1 << 40, u64::MAX] {
        folder.write(WEIGHTS, [&length.to_le_bytes(), &data[8..]].concat());
        assert_says(&folder.error(), &[WEIGHTS]);
    }
}

#[test]
fn a_header_with_very_many_tensors_is_searched_by_name() {
    let folder = Folder::new();
    let none: Vec<_> = (0..20_000)
        .map(|number| RawTensor {
            name: format!("t{number}"),
            dtype: Dtype::F32,
            shape: vec![0],
            bytes: vec![],
        })
        .collect();
    folder.write(WEIGHTS, checkpoint::file(&none, &[]));
    let mut config = configuration();
    config["num_hidden_layers"] = json!(300);
    folder.write("config.json", config.to_string());
    assert_says(&folder.error(), &[WEIGHTS, "word_embeddings", "is missing"]);
}

#[test]
fn tensors_that_do_not_match_the_configuration_are_errors() {
    let name = "mobilebert.encoder.layer.1.output.dense.weight";
    let folder = Folder::new();
    folder.write_tensors(name, |_| None);
    let error = folder.error();
    assert_eq!(error.culprit(), Some(("tensor", name)), "{error}");
    folder.write_tensors(name, |raw| Some(RawTensor { shape: vec![7, 6], ..raw.clone() }));
    let error = folder.error();
    assert_eq!(error.culprit(), Some(("tensor", name)), "{error}");
    assert_says(&error, &["[7, 6]", "[6, 7]"]);
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        folder.write_tensors(name, |raw| {
            let mut raw = raw.clone();
            raw.bytes[40..44].copy_from_slice(&bad.to_le_bytes());
            Some(raw)
        });
        let error = folder.error();
        assert_eq!(error.culprit(), Some(("tensor", name)), "{error}");
        assert_says(&error, &["1, 3"]);
    }
    // Finite as stored, but not after NoNorm is folded into it.
    folder.write_tensors(name, |raw| {
        let mut raw = raw.clone();
        raw.bytes[40..44].copy_from_slice(&f32::MAX.to_le_bytes());
        Some(raw)
    });
    if let Err(error) = folder.open() {
        assert_says(&error, &[name]);
    }
}

#[test]
fn shards_that_do_not_belong_together_are_errors() {
    let folder = Folder::new();
    let (first, second) = folder.tensors.split_at(folder.tensors.len() / 2);
    let names = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"];
    let map = |files: [&str; 2]| {
        let mut entries = serde_json::Map::new();
        for (file, tensors) in files.into_iter().zip([first, second]) {
            entries.extend(tensors.iter().map(|raw| (raw.name.clone(), json!(file))));
        }
        json!({ "metadata": { "total_size": 1 }, "weight_map": entries }).to_string()
    };
    fs::remove_file(folder.path(WEIGHTS)).unwrap();
    let index = "model.safetensors.index.json";
    folder.write(names[0], checkpoint::file(first, &[]));
    folder.write(names[1], checkpoint::file(second, &[]));
    folder.write(index, map(names));
    assert!(folder.open().is_ok());

    for outside in ["../model.safetensors", "/etc/passwd", "a/../../b.safetensors", "", "\\\\host\\file"] {
        folder.write(index, map([names[0], outside]));
        assert_says(&folder.error(), &[index]);
    }
    folder.write(index, "<html></html>");
    assert_says(&folder.error(), &[index]);
    folder.write(index, "{}");
    assert_says(&folder.error(), &[index]);
    folder.write(index, map(names));
    for name in names {
        let shard = fs::read(folder.path(name)).unwrap();
        fs::remove_file(folder.path(name)).unwrap();
        let error = folder.error();
        assert_eq!(error.code(), Code::NotFound);
        assert_says(&error, &[name, "not found", "model.safetensors.index.json lists this shard"]);
        folder.write(name, shard);
    }
    // The second shard is a copy of the first: some tensors exist twice, others not at all.
    folder.write(names[1], checkpoint::file(first, &[]));
    let error = folder.error();
    assert_eq!(error.culprit().map(|(kind, _)| kind), Some("tensor"), "{error}");
}

#[test]
fn a_wrong_shape_in_a_later_shard_is_found_before_its_data_arrives() {
    let folder = Folder::new();
    let (first, second) = folder.tensors.split_at(folder.tensors.len() / 2);
    let shard_of = |(tensors, shard): (&[RawTensor], &str)| {
        tensors.iter().map(|raw| (raw.name.clone(), json!(shard))).collect::<Vec<_>>()
    };
    let weight_map: serde_json::Map<_, _> =
        [(first, "1"), (second, "2")].into_iter().flat_map(shard_of).collect();
    let index =
        ShardIndex::parse("index", json!({ "weight_map": weight_map }).to_string().as_bytes()).unwrap();
    let mut second = second.to_vec();
    let wrong = second.iter_mut().find(|raw| raw.shape.len() == 2).unwrap();
    wrong.shape.reverse();
    assert_ne!(wrong.shape[0], wrong.shape[1]);
    let name = wrong.name.clone();
    let file = checkpoint::file(&second, &[]);
    let header = 8 + u64::from_le_bytes(file[..8].try_into().unwrap()) as usize;

    let config = configuration().to_string();
    let files = ModelFiles { config: config.as_bytes(), index: Some(&index), ..ModelFiles::default() };
    let options = SessionOptions { device: Device::Cpu, threads: 1, ..SessionOptions::default() };
    let mut loader = pollster::block_on(Loader::new(&files, &options)).unwrap();
    loader.begin_file("1", None).unwrap();
    loader.push(&checkpoint::file(first, &[])).unwrap();
    loader.begin_file("2", None).unwrap();
    let error = loader.push(&file[..header]).unwrap_err();
    assert_says(&error, &["2", &name, "shape"]);
}

/// Whatever the damage to the header or configuration, the result is a model or an error other than
/// `Internal`.
#[test]
fn random_damage_never_panics() {
    let folder = Folder::new();
    let whole = folder.weights();
    let header = 8 + u64::from_le_bytes(whole[..8].try_into().unwrap()) as usize;
    let text = configuration().to_string().into_bytes();
    let mut random = Random::new(11);
    let damage = |bytes: &[u8], upto: usize, random: &mut Random| {
        let mut bytes = bytes.to_vec();
        for _ in 0..random.between(1, 4) {
            let place = random.below(upto);
            match random.below(4) {
                0 => bytes[place] ^= 1 << random.below(8),
                1 => bytes[place] = b"0123456789[]{},:\"-."[random.below(19)],
                2 => drop(bytes.remove(place)),
                _ => bytes.insert(place, b"0123456789[]{},:\"-."[random.below(19)]),
            }
        }
        bytes
    };
    let mut opened = 0;
    for round in 0..600 {
        if round % 2 == 0 {
            folder.write(WEIGHTS, damage(&whole, header, &mut random));
            folder.write("config.json", &text);
        } else {
            folder.write(WEIGHTS, &whole);
            folder.write("config.json", damage(&text, text.len(), &mut random));
        }
        match folder.open() {
            Ok(mut model) => {
                opened += 1;
                if let Err(error) = pollster::block_on(
                    model.run(&[Sequence::new(vec![2, 5], vec![0, 0])], ExtraOutputs::default()),
                ) {
                    assert_eq!(error.code(), Code::InvalidInput, "round {round}: {error}");
                }
            }
            Err(error) => assert_ne!(error.code(), Code::Internal, "round {round}: {error}"),
        }
    }
    assert!(opened < 300, "{opened} of 600 damaged directories opened");
}
