//! Whole model directories with something wrong: a typed error that names the file, the tensor or the field, never a
//! panic or a hang; and a loaded model that was asked something impossible still answers.

#![cfg(not(target_arch = "wasm32"))]

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use mobilebert::config::Config;
use mobilebert::error::{Code, Error};
use mobilebert::model::Model;
use mobilebert::plan::Network;
use mobilebert::session::{Device, Sequence, SessionOptions, Wanted};
use mobilebert::weights::{Dtype, Generator, Manifest, RawTensor, manifest};
use serde_json::{Value, json};
use support::checkpoint;
use support::random::Random;
use tempfile::TempDir;

const WEIGHTS: &str = "model.safetensors";

/// A small whole model.
struct Folder {
    folder: TempDir,
    tensors: Vec<RawTensor>,
}

impl Folder {
    fn new() -> Self {
        let config = Config::from_json(configuration().to_string()).unwrap();
        let tensors = Generator::new(5).checkpoint(&Network::of(&config).unwrap()).collect();
        let folder = Folder { folder: TempDir::new().unwrap(), tensors };
        folder.write("config.json", configuration().to_string());
        folder.write(WEIGHTS, checkpoint::file(&folder.tensors, &[]));
        let words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b", "##c", "d", "e", "f"];
        folder.write("vocab.txt", words.join("\n"));
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).unwrap();
    }

    fn weights(&self) -> Vec<u8> {
        fs::read(self.path(WEIGHTS)).unwrap()
    }

    /// The weights with another header before the same data.
    fn write_header(&self, change: impl FnOnce(&mut Value)) {
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

    /// The weights with one tensor changed, or left out.
    fn write_tensors(&self, name: &str, change: impl Fn(&RawTensor) -> Option<RawTensor>) {
        assert!(self.tensors.iter().any(|raw| raw.name == name), "no tensor {name}");
        let changed = self
            .tensors
            .iter()
            .filter_map(|raw| if raw.name == name { change(raw) } else { Some(raw.clone()) });
        let changed: Vec<_> = changed.collect();
        self.write(WEIGHTS, checkpoint::file(&changed, &[]));
    }

    fn open(&self) -> Result<Model, Error> {
        open(self.folder.path())
    }

    /// The error of opening it.
    #[track_caller]
    fn error(&self) -> Error {
        match self.open() {
            Ok(_) => panic!("it opened"),
            Err(error) => error,
        }
    }
}

fn configuration() -> Value {
    json!({
        "model_type": "mobilebert", "architectures": ["MobileBertForQuestionAnswering"], "vocab_size": 11,
        "hidden_size": 12, "embedding_size": 5, "intra_bottleneck_size": 6, "num_attention_heads": 2,
        "intermediate_size": 7, "num_hidden_layers": 2, "num_feedforward_networks": 2, "max_position_embeddings": 16,
        "type_vocab_size": 2,
    })
}

fn open(path: &Path) -> Result<Model, Error> {
    let options = SessionOptions { device: Device::Cpu, threads: 1, ..Default::default() };
    pollster::block_on(Model::open(path, &options))
}

fn run(model: &mut Model, sequence: Sequence) -> Result<Vec<f32>, Error> {
    let outputs = pollster::block_on(model.run(&[sequence], Wanted::default()))?;
    Ok(outputs[0].get("start_logits").unwrap().data.clone())
}

/// The message names every one of `mentions`.
#[track_caller]
fn assert_says(error: &Error, mentions: &[&str]) {
    let message = error.to_string();
    assert_ne!(error.code(), Code::Internal, "{message}");
    assert!(!message.contains('\n') && message.len() < 1000, "not one readable line: {message}");
    for mention in mentions {
        assert!(message.contains(mention), "`{mention}` is not mentioned: {message}");
    }
}

#[test]
fn the_unchanged_directory_opens_and_answers() {
    let logits =
        run(&mut Folder::new().open().unwrap(), Sequence::new(vec![2, 5, 3], vec![0, 0, 1])).unwrap();
    assert_eq!(logits.len(), 3);
    assert!(logits.iter().all(|logit| logit.is_finite()));
}

#[test]
fn impossible_questions_leave_the_model_as_it_was() {
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
fn a_batch_with_one_bad_sequence_says_which() {
    let mut model = Folder::new().open().unwrap();
    let good = Sequence::new(vec![2, 3], vec![0, 0]);
    let bad = Sequence::new(vec![2, 77], vec![0, 0]);
    let error = pollster::block_on(model.run(&[good.clone(), good, bad], Wanted::default())).unwrap_err();
    assert_says(&error, &["input_ids", "sequence 2", "77"]);
}

#[test]
fn a_folder_without_a_model() {
    let empty = TempDir::new().unwrap();
    let error = open(empty.path()).err().unwrap();
    assert_eq!(error.code(), Code::NotFound);
    assert_says(&error, &["config.json"]);
    let error = open(&empty.path().join("nowhere")).err().unwrap();
    assert_eq!(error.code(), Code::NotFound);
    assert_says(&error, &["nowhere"]);
    let folder = Folder::new();
    fs::remove_file(folder.path(WEIGHTS)).unwrap();
    let error = folder.error();
    assert_eq!(error.code(), Code::NotFound);
    assert_says(&error, &[WEIGHTS]);
    // A file in place of the folder.
    assert_eq!(open(&folder.path("config.json")).err().unwrap().code(), Code::NotFound);
    // A folder in place of a file.
    let folder = Folder::new();
    fs::remove_file(folder.path(WEIGHTS)).unwrap();
    fs::create_dir(folder.path(WEIGHTS)).unwrap();
    assert_says(&folder.error(), &[WEIGHTS]);
}

#[test]
fn what_servers_send_in_place_of_files() {
    let html = "<!DOCTYPE html>\n<html><head><title>404</title></head><body>Not found</body></html>";
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 98467234\n";
    for content in [html, pointer, "", "null", "[]", "{", "\u{feff}{}"] {
        for name in ["config.json", WEIGHTS] {
            let folder = Folder::new();
            folder.write(name, content);
            let error = folder.error();
            assert_ne!(error.code(), Code::Internal, "{error}");
            let file = error.to_string();
            assert!(file.contains(name), "{name} with {content:?}: {error}");
        }
        if content != "null" && content != "[]" {
            let folder = Folder::new();
            folder.write("tokenizer.json", content);
            assert_says(&folder.error(), &["tokenizer.json"]);
        }
    }
    let folder = Folder::new();
    folder.write(WEIGHTS, html);
    assert_says(&folder.error(), &["HTML"]);
    let folder = Folder::new();
    folder.write("config.json", [0xff, 0xfe, 0x00]);
    assert_says(&folder.error(), &["config.json"]);
}

#[test]
fn truncated_and_oversized_weights() {
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
fn headers_that_lie() {
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
        assert_ne!(error.code(), Code::Internal, "lie {index}: {error}");
        let message = error.to_string();
        assert!(message.contains(WEIGHTS) || message.contains(name), "lie {index}: {error}");
    }
    let folder = Folder::new();
    let data = folder.weights();
    for length in [0u64, 1, 7, data.len() as u64, 1 << 40, u64::MAX] {
        folder.write(WEIGHTS, [&length.to_le_bytes(), &data[8..]].concat());
        assert_says(&folder.error(), &[WEIGHTS]);
    }
}

#[test]
fn tensors_that_do_not_fit() {
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
    // Finite as it stands, but not after NoNorm is folded into it.
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
fn configurations_that_do_not_fit_the_weights() {
    for (field, value) in [
        ("hidden_size", json!(14)),
        ("vocab_size", json!(12)),
        ("intermediate_size", json!(8)),
        ("num_hidden_layers", json!(3)),
        ("num_feedforward_networks", json!(3)),
        ("max_position_embeddings", json!(17)),
        ("use_bottleneck", json!(false)),
        ("trigram_input", json!(false)),
        ("num_labels", json!(3)),
        ("architectures", json!(["MobileBertForMaskedLM"])),
        ("architectures", json!(["MobileBertForSequenceClassification"])),
        ("model_type", json!("bert")),
    ] {
        let folder = Folder::new();
        let mut config = configuration();
        config[field] = value.clone();
        folder.write("config.json", config.to_string());
        let error = folder.error();
        assert!([Code::Corrupt, Code::Unsupported].contains(&error.code()), "{field} {value}: {error}");
    }
}

#[test]
fn configurations_with_absurd_numbers() {
    let fields = [
        "vocab_size",
        "hidden_size",
        "embedding_size",
        "intra_bottleneck_size",
        "num_attention_heads",
        "intermediate_size",
        "num_hidden_layers",
        "num_feedforward_networks",
        "max_position_embeddings",
    ];
    let absurd =
        ["0", "-1", "1.5", "1e300", "4000000000", "18446744073709551616", "\"12\"", "null", "[]", "true"];
    for field in fields {
        for value in absurd {
            let folder = Folder::new();
            let number = configuration()[field].to_string();
            let text = configuration().to_string();
            let changed = text.replace(&format!("\"{field}\":{number}"), &format!("\"{field}\":{value}"));
            assert_ne!(text, changed);
            folder.write("config.json", changed);
            let error = folder.error();
            assert_ne!(error.code(), Code::Internal, "{field} = {value}: {error}");
            if value != "null" {
                assert!(error.to_string().contains(field), "{field} = {value}: {error}");
            }
        }
    }
}

#[test]
fn a_tokenizer_of_another_vocabulary() {
    let folder = Folder::new();
    let words: Vec<String> = (0..12).map(|word| format!("word{word}")).collect();
    folder.write("vocab.txt", format!("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n{}", words.join("\n")));
    assert_says(&folder.error(), &["17", "11"]);
    folder.write("vocab.txt", "");
    folder.error();
    folder.write("vocab.txt", [b'a', b'\n', 0xff, 0xc0]);
    assert_says(&folder.error(), &["vocab.txt"]);
    // Without one, raw runs work and text is refused.
    fs::remove_file(folder.path("vocab.txt")).unwrap();
    let mut model = folder.open().unwrap();
    assert!(run(&mut model, Sequence::new(vec![2], vec![0])).is_ok());
    assert_eq!(model.tokenizer().err().unwrap().code(), Code::NotFound);
}

#[test]
fn a_vocabulary_that_lost_a_line_is_not_taken_for_padding() {
    let folder = Folder::new();
    let mut words = fs::read_to_string(folder.path("vocab.txt")).unwrap();
    words.drain(..=words.find('\n').unwrap());
    folder.write("vocab.txt", words);
    assert_says(&folder.error(), &["vocab_size", "10", "11"]);
}

#[test]
fn weights_of_a_deeper_network_are_not_run_in_part() {
    for (field, value, found) in
        [("num_hidden_layers", 1, "layer.1."), ("num_feedforward_networks", 1, "ffn.0.")]
    {
        let folder = Folder::new();
        let mut config = configuration();
        config[field] = json!(value);
        folder.write("config.json", config.to_string());
        let error = folder.error();
        assert_eq!(error.culprit(), Some(("field", field)), "{error}");
        assert_says(&error, &["is 1", found, "2 at least"]);
    }
}

#[test]
fn whatever_a_manifest_states_is_checked() {
    let folder = Folder::new();
    let names = ["config.json", "vocab.txt", WEIGHTS];
    let files = names.map(|name| manifest::File::of(name, &fs::read(folder.path(name)).unwrap()));
    let manifest = Manifest { format: 1, dtype: "f32".into(), files: files.to_vec() };
    folder.write("files.json", format!("\u{feff}{}", manifest.to_json().unwrap()));
    folder.open().unwrap();
    for name in names {
        let whole = fs::read(folder.path(name)).unwrap();
        // Another order of two words, another number: still a model, but not this one.
        let changed = String::from_utf8_lossy(&whole).replace("a\nb", "b\na").replace("16", "15");
        let changed =
            if name == WEIGHTS { [&whole[..whole.len() - 1], &[1]].concat() } else { changed.into() };
        assert_ne!(changed, whole, "{name}");
        folder.write(name, changed);
        let error = folder.error();
        assert_eq!((error.code(), error.culprit()), (Code::Integrity, Some(("file", name))), "{error}");
        folder.write(name, whole);
    }
    folder.open().unwrap();
}

#[test]
fn an_index_left_beside_a_whole_file_does_not_count() {
    let folder = Folder::new();
    folder.write("model.safetensors.index.json", r#"{"weight_map": {"x": "y.safetensors"}}"#);
    folder.open().unwrap();
}

#[test]
fn a_header_of_very_many_tensors_is_searched_by_name() {
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
fn shards_that_do_not_fit_together() {
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
    fs::remove_file(folder.path(names[1])).unwrap();
    assert_says(&folder.error(), &[names[1]]);
    // The second shard is the first again: its tensors come twice, others never.
    folder.write(names[1], checkpoint::file(first, &[]));
    let error = folder.error();
    assert_eq!(error.culprit().map(|(kind, _)| kind), Some("tensor"), "{error}");
}

/// Whatever a damaged header or configuration says, opening ends with a model or an error that is not ours.
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
                if let Err(error) =
                    pollster::block_on(model.run(&[Sequence::new(vec![2, 5], vec![0, 0])], Wanted::default()))
                {
                    assert_eq!(error.code(), Code::InvalidInput, "round {round}: {error}");
                }
            }
            Err(error) => assert_ne!(error.code(), Code::Internal, "round {round}: {error}"),
        }
    }
    assert!(opened < 300, "{opened} of 600 damaged directories opened");
}
