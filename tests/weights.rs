//! Checkpoints as bytes: whole, in chunks, damaged, quantised.

mod support;

use mobilebert::config::Config;
use mobilebert::error::{Code, Error};
use mobilebert::plan::{Network, Recipe};
use mobilebert::weights::manifest::{self, FileHash};
use mobilebert::weights::quantize::to_file;
use mobilebert::weights::{
    Assembler, Dtype, Header, Manifest, Quantizer, RawTensor, ShardIndex, Storage, Stream, decode,
};
use proptest::prelude::*;
use serde_json::{Value, json};
use support::checkpoint::{self, raw_f32};
use support::compare::compare_to_rms;
use support::random::Random;

const FILE: &str = "model.safetensors";

/// Reads a whole file in chunks of the sizes given, over and over.
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

/// A file with this JSON as its header and this much data.
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

#[test]
fn a_file_comes_out_as_it_went_in() {
    let bytes = small_file();
    let tensors = read(&bytes, &[bytes.len()], Some(bytes.len() as u64)).unwrap();
    let expected = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    assert_eq!(tensors.len(), 5);
    for tensor in &tensors {
        let view = expected.tensor(&tensor.name).unwrap();
        assert_eq!(
            (view.dtype(), view.shape(), view.data()),
            (tensor.dtype, &tensor.shape[..], &tensor.bytes[..])
        );
    }
    let header = Header::of_file(FILE, &bytes).unwrap();
    assert_eq!(header.metadata["format"], "pt");
    assert_eq!(header.file_len, bytes.len() as u64);
    assert_eq!(header.get("a").unwrap().shape, [2, 3]);
}

#[test]
fn every_truncation_is_noticed() {
    let bytes = small_file();
    for end in 0..bytes.len() {
        let error = read(&bytes[..end], &[7], None).unwrap_err();
        let expected = if end < 8 { Code::NotAModel } else { Code::Corrupt };
        assert_eq!(error.code(), expected, "{end}: {error}");
        assert_eq!(error.culprit(), Some(("file", FILE)));
        assert!(Header::of_file(FILE, &bytes[..end]).is_err());
    }
    let mut longer = bytes.clone();
    longer.push(0);
    assert_eq!(read(&longer, &[100], None).unwrap_err().code(), Code::Corrupt);
    assert_eq!(Header::of_file(FILE, &longer).unwrap_err().code(), Code::Corrupt);
}

#[test]
fn a_length_known_beforehand_is_compared_before_data_comes() {
    let bytes = small_file();
    let mut stream = Stream::new(FILE, Some(bytes.len() as u64 + 4));
    let error = stream.push(&bytes[..bytes.len() - 40]).unwrap_err();
    assert!(error.to_string().contains(&bytes.len().to_string()), "{error}");
    let mut stream = Stream::new(FILE, Some(20));
    assert_eq!(stream.push(&bytes[..8]).unwrap_err().code(), Code::Corrupt);
}

#[test]
fn what_is_no_safetensors_is_called_by_its_name() {
    let absurd = u64::MAX.to_le_bytes().to_vec();
    let huge = 100_000_001u64.to_le_bytes().to_vec();
    let cases: [(&[u8], &str); 9] = [
        (b"<!DOCTYPE html><html>", "HTML"),
        (b"\n\n<html lang=\"en\">", "HTML"),
        (b"version https://git-lfs.github.com/spec/v1", "Git LFS"),
        (b"PK\x03\x04archive/data.pkl", "zip"),
        (b"{\"error\": \"not found\"}", "JSON"),
        (&absurd, "header of 18446744073709551615"),
        (&huge, "header of 100000001"),
        (b"\0\0\0\0\0\0\0\0", "header of 0"),
        (b"\x05\0\0\0\0\0\0\0hello", "not JSON"),
    ];
    for (bytes, mentions) in cases {
        for error in [read(bytes, &[3], None).unwrap_err(), Header::of_file(FILE, bytes).unwrap_err()] {
            assert_eq!(error.code(), Code::NotAModel, "{error}");
            assert!(error.to_string().contains(mentions), "{error}");
        }
    }
}

#[test]
fn headers_that_lie_are_refused() {
    let tensor = |dtype: &str, shape: Value, begin: u64, end: u64| json!({ "dtype": dtype, "shape": shape, "data_offsets": [begin, end] });
    let cases = [
        (
            "overlap",
            json!({ "a": tensor("F32", json!([2]), 0, 8), "b": tensor("F32", json!([2]), 4, 12) }),
            12,
        ),
        ("gap", json!({ "a": tensor("F32", json!([2]), 0, 8), "b": tensor("F32", json!([2]), 12, 20) }), 20),
        ("does not begin at 0", json!({ "a": tensor("F32", json!([2]), 8, 16) }), 16),
        ("backwards", json!({ "a": tensor("F32", json!([2]), 8, 0) }), 8),
        ("shape and length", json!({ "a": tensor("F32", json!([3]), 0, 8) }), 8),
        ("shape overflows", json!({ "a": tensor("F32", json!([u64::MAX, 2]), 0, 8) }), 8),
        ("product wraps", json!({ "a": tensor("F32", json!([1u64 << 33, 1u64 << 33]), 0, 0) }), 0),
        ("past the end", json!({ "a": tensor("F32", json!([1u64 << 40]), 0, 1 << 42) }), 64),
        ("negative", json!({ "a": { "dtype": "F32", "shape": [-1], "data_offsets": [0, 4] } }), 4),
        ("unknown dtype", json!({ "a": tensor("Q3", json!([4]), 0, 4) }), 4),
        ("no offsets", json!({ "a": { "dtype": "F32", "shape": [1] } }), 4),
        ("not an object", json!({ "a": 3 }), 4),
    ];
    for (what, header, data) in cases {
        let error = read(&file_of(&header, data), &[11], None).expect_err(what);
        assert_eq!(error.code(), Code::Corrupt, "{what}: {error}");
        assert_eq!(error.culprit(), Some(("file", FILE)), "{what}");
    }
}

/// A header may speak of 4 TB; only what arrives may be held.
#[test]
fn a_long_tensor_is_not_allocated_before_its_bytes_come() {
    let header = json!({ "a": { "dtype": "U8", "shape": [1u64 << 42], "data_offsets": [0, 1u64 << 42] } });
    let mut stream = Stream::new(FILE, None);
    assert!(stream.push(&file_of(&header, 1000)).unwrap().is_empty());
    assert_eq!(stream.finish().unwrap_err().code(), Code::Corrupt);
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

#[test]
fn a_wrong_shape_names_both() {
    let (network, mut tensors) = tiny();
    let name = "mobilebert.encoder.layer.1.attention.self.query.weight";
    let place = tensors.iter().position(|tensor| tensor.name == name).unwrap();
    tensors[place].shape = vec![16, 64];
    let header = Header::of_file(FILE, &checkpoint::file(&tensors, &[])).unwrap();
    assert_tensor_error(&header.check(&network.parameters).unwrap_err(), name, &["[16, 64]", "[32, 32]"]);
    assert_tensor_error(
        &checkpoint::assemble(&network, tensors).unwrap_err(),
        name,
        &["[16, 64]", "[32, 32]"],
    );
}

#[test]
fn what_is_missing_doubled_or_of_no_use_is_told_apart() {
    let (network, tensors) = tiny();
    let without =
        |gone: &str| tensors.iter().filter(|tensor| !tensor.name.contains(gone)).cloned().collect::<Vec<_>>();
    let error = checkpoint::assemble(&network, without("qa_outputs.bias")).unwrap_err();
    assert_tensor_error(&error, "qa_outputs.bias", &["missing"]);
    let error = checkpoint::assemble(&network, without("layer.0.ffn")).unwrap_err();
    assert_tensor_error(&error, "mobilebert.encoder.layer.0.ffn.0.intermediate.dense.bias", &["17 others"]);

    let mut twice = tensors.clone();
    twice.push(tensors[3].clone());
    let error = checkpoint::assemble(&network, twice).unwrap_err();
    assert_tensor_error(&error, &tensors[3].name, &["twice"]);

    let mut surplus = tensors.clone();
    let bytes = vec![255; 24];
    surplus.push(RawTensor {
        name: "mobilebert.embeddings.position_ids".into(),
        dtype: Dtype::I64,
        shape: vec![1, 3],
        bytes,
    });
    surplus.push(raw_f32("something.weight", &[1], &[f64::NAN]));
    checkpoint::assemble(&network, surplus).unwrap();
}

#[test]
fn values_that_are_no_numbers_are_refused_with_their_place() {
    let (network, tensors) = tiny();
    for (value, written) in [(f64::NAN, "NaN"), (f64::INFINITY, "inf"), (f64::NEG_INFINITY, "-inf")] {
        let mut damaged = tensors.clone();
        let name = "mobilebert.encoder.layer.0.bottleneck.input.dense.weight";
        let tensor = damaged.iter_mut().find(|tensor| tensor.name == name).unwrap();
        let at = (5 * 64 + 9) * 4;
        tensor.bytes[at..at + 4].copy_from_slice(&(value as f32).to_le_bytes());
        assert_tensor_error(
            &checkpoint::assemble(&network, damaged).unwrap_err(),
            name,
            &[written, "[5, 9]"],
        );
    }
    // Finite factors whose product is not.
    let mut large = tensors.clone();
    for tensor in &mut large {
        if tensor.name.contains("layer.0.bottleneck.input.") {
            *tensor = raw_f32(&tensor.name, &tensor.shape, &vec![3e38; tensor.shape.iter().product()]);
        }
    }
    let error = checkpoint::assemble(&network, large).unwrap_err();
    assert_tensor_error(&error, "mobilebert.encoder.layer.0.bottleneck.input.dense.bias", &["inf"]);
}

#[test]
fn types_that_cannot_be_decoded_are_named() {
    let (network, tensors) = tiny();
    for dtype in [Dtype::F64, Dtype::I32, Dtype::BOOL] {
        let mut other = tensors.clone();
        let tensor = other.iter_mut().find(|tensor| tensor.name == "qa_outputs.weight").unwrap();
        tensor.dtype = dtype;
        match checkpoint::assemble(&network, other) {
            Err(Error::Unsupported { what, .. }) => {
                assert!(what.contains("qa_outputs.weight") && what.contains(&format!("{dtype:?}")), "{what}");
            }
            result => panic!("{dtype:?}: {result:?}"),
        }
    }
}

/// Only tensors that an unfinished parameter needs are held, and a matrix goes as soon as its norm is there.
#[test]
fn tensors_are_freed_as_soon_as_they_are_used() {
    let (network, tensors) = tiny();
    let largest = tensors.iter().map(|tensor| tensor.bytes.len()).max().unwrap();
    let mut assembler = Assembler::new(&network);
    let mut most = 0;
    for tensor in tensors {
        assembler.push(tensor).unwrap();
        while assembler.next_ready().unwrap().is_some() {}
        most = most.max(assembler.held_bytes());
    }
    assert_eq!(assembler.held_bytes(), 0);
    assert!(most < largest, "{most} bytes held, the largest tensor has {largest}");
    assembler.finish().unwrap();
}

#[test]
fn the_order_of_tensors_does_not_matter() {
    let (network, mut tensors) = tiny();
    let expected = checkpoint::assemble(&network, tensors.clone()).unwrap();
    let random = &mut Random::new(9);
    for _ in 0..20 {
        for index in (1..tensors.len()).rev() {
            tensors.swap(index, random.below(index + 1));
        }
        assert_eq!(checkpoint::assemble(&network, tensors.clone()).unwrap(), expected);
    }
}

#[test]
fn bf16_and_f16_are_decoded() {
    let values = [1.5f32, -0.15625, 3.0e38, 6.0e-8, -0.0];
    let bf16 = values.iter().flat_map(|value| half::bf16::from_f32(*value).to_le_bytes()).collect();
    let raw = RawTensor { name: "x".into(), dtype: Dtype::BF16, shape: vec![5], bytes: bf16 };
    let expected: Vec<f32> = values.iter().map(|value| half::bf16::from_f32(*value).to_f32()).collect();
    assert_eq!(decode(&raw, None, &[5]).unwrap().data, expected);
    let f16 = values[..2].iter().flat_map(|value| half::f16::from_f32(*value).to_le_bytes()).collect();
    let raw = RawTensor { name: "x".into(), dtype: Dtype::F16, shape: vec![2], bytes: f16 };
    assert_eq!(decode(&raw, None, &[2]).unwrap().data, values[..2]);
}

#[test]
fn nibbles_are_twos_complement_low_one_first() {
    let mut bytes = vec![0u8; 16];
    bytes[0] = 0x8F; // −1, −8
    bytes[1] = 0x71; // 1, 7
    let raw = RawTensor { name: "x.weight".into(), dtype: Dtype::U8, shape: vec![1, 16], bytes };
    let half = half::f16::from_f32(0.5).to_le_bytes().to_vec();
    let scale =
        RawTensor { name: "x.weight.scale".into(), dtype: Dtype::F16, shape: vec![1, 1], bytes: half };
    let data = decode(&raw, Some(&scale), &[1, 32]).unwrap().data;
    assert_eq!(data[..5], [-0.5, -4.0, 0.5, 3.5, 0.0]);
    let error = decode(&raw, None, &[1, 32]).unwrap_err();
    assert_tensor_error(&error, "x.weight", &["x.weight.scale"]);
    let error = decode(&raw, Some(&scale), &[1, 33]).unwrap_err();
    assert_tensor_error(&error, "x.weight", &["[1, 33]", "32"]);
    let wrong = RawTensor { shape: vec![2], ..scale.clone() };
    let error = decode(&raw, Some(&wrong), &[1, 32]).unwrap_err();
    assert_tensor_error(&error, "x.weight.scale", &["[2]", "[1, 1]"]);
}

fn quantise(tensors: &[RawTensor], storage: Storage) -> (Vec<u8>, Vec<mobilebert::weights::TensorReport>) {
    let mut quantizer = Quantizer::new(storage);
    for tensor in tensors {
        quantizer.push(tensor.clone()).unwrap();
    }
    quantizer.finish().unwrap()
}

#[test]
fn quantised_files_load_again_and_say_what_they_are() {
    let (network, tensors) = tiny();
    let exact = checkpoint::assemble(&network, tensors.clone()).unwrap();
    for (storage, allowed) in
        [(Storage::F32, 1e-12), (Storage::F16, 2e-3), (Storage::Q8, 2e-2), (Storage::Q4, 0.4)]
    {
        let (file, reports) = quantise(&tensors, storage);
        let header = Header::of_file(FILE, &file).unwrap();
        assert_eq!(header.metadata["dtype"], storage.as_str());
        header.check(&network.parameters).unwrap();
        safetensors::SafeTensors::deserialize(&file).unwrap();
        assert_eq!(reports.len(), tensors.len());
        let stored: u64 = reports.iter().map(|report| report.bytes).sum();
        assert_eq!(stored, storage.network_bytes(&network), "{storage}");
        let data = header.tensors.iter().map(|entry| entry.len as u64).sum::<u64>();
        assert_eq!(stored, data);
        let found = checkpoint::assemble(&network, read(&file, &[999], None).unwrap()).unwrap();
        for ((exact, found), parameter) in exact.iter().zip(&found).zip(&network.parameters) {
            compare_to_rms(exact, found, allowed)
                .unwrap_or_else(|problem| panic!("{storage} {}: {problem}", parameter.name));
        }
        assert_eq!(quantise(&tensors, storage).0, file, "the same tensors must give the same bytes");
    }
}

/// A row's γ must not cost anything: folding after q8 equals q8 after folding, but for rounding.
#[test]
fn quantising_and_folding_commute() {
    let (network, tensors) = tiny();
    let (file, _) = quantise(&tensors, Storage::Q8);
    let quantised = read(&file, &[4096], None).unwrap();
    let found = checkpoint::assemble(&network, quantised.clone()).unwrap();
    let mut folded_any = false;
    for (parameter, found) in network.parameters.iter().zip(found) {
        let Recipe::Fold { tensor, scale: Some(scale), axis: 0, .. } = &parameter.recipe else { continue };
        let get = |name: &str| quantised.iter().find(|raw| raw.name == name);
        let Some(codes) = get(tensor.name()).filter(|raw| raw.dtype == Dtype::I8) else { continue };
        let row_scales =
            decode(get(&format!("{}.scale", tensor.name())).unwrap(), None, &tensor.shape[..1]).unwrap();
        let gamma = decode(get(scale.name()).unwrap(), None, &scale.shape).unwrap();
        let columns = tensor.shape[1];
        let expected: Vec<f64> = codes
            .bytes
            .iter()
            .enumerate()
            .map(|(index, code)| {
                let row = index / columns;
                f64::from(*code as i8) * f64::from(row_scales.data[row]) * f64::from(gamma.data[row])
            })
            .collect();
        compare_to_rms(&expected, &found, 1e-6).unwrap();
        folded_any = true;
    }
    assert!(folded_any);
}

#[test]
fn extreme_tensors_survive_quantising() {
    for storage in Storage::ALL {
        let zeros = raw_f32("layer.0.encoder.layer.0.zeros.weight", &[2, 32], &[0.0; 64]);
        let mut large = vec![1.0; 64];
        large[7] = 3e38;
        let large = raw_f32("encoder.layer.0.large.weight", &[2, 32], &large);
        let small = raw_f32("encoder.layer.0.small.weight", &[1, 32], &[1e-42; 32]);
        let odd = raw_f32("encoder.layer.0.odd.weight", &[3, 5], &[-0.25; 15]);
        let norm = raw_f32("encoder.layer.0.LayerNorm.weight", &[2], &[2.5e7, -1.0]);
        let originals = [zeros, large, small, odd, norm];
        let (file, reports) = quantise(&originals, storage);
        for report in &reports {
            assert!(report.max_error.is_finite() && report.relative_error.is_finite(), "{report:?}");
        }
        assert_eq!(
            read(&file, &[10], None).unwrap().iter().filter(|raw| !raw.name.ends_with(".scale")).count(),
            5
        );
        assert_eq!((reports[0].max_error, reports[4].relative_error), (0.0, 0.0), "{storage}");
    }
    let mut quantizer = Quantizer::new(Storage::Q8);
    let error = quantizer.push(raw_f32("a.weight", &[1, 2], &[0.0, f64::NAN])).unwrap_err();
    assert_tensor_error(&error, "a.weight", &["NaN", "[0, 1]"]);
    let again = RawTensor { name: "a.weight".into(), dtype: Dtype::I8, shape: vec![1, 2], bytes: vec![1, 2] };
    assert_eq!(quantizer.push(again).unwrap_err().code(), Code::Unsupported);
}

#[test]
fn the_index_of_shards_is_checked() {
    const INDEX: &str = "model.safetensors.index.json";
    let parse = |json: Value| ShardIndex::parse(INDEX, json.to_string().as_bytes());
    let index = parse(
        json!({ "metadata": { "total_size": 8 }, "weight_map": { "b": "2.safetensors", "a": "1.safetensors", "c": "1.safetensors" } }),
    );
    let index = index.unwrap();
    assert_eq!(index.files(), ["1.safetensors", "2.safetensors"]);
    assert!(index.has("a") && !index.has("d"));
    for name in ["../secret", "/etc/passwd", "a\\b", "", ".hidden", "C:x"] {
        let error = parse(json!({ "weight_map": { "a": name } })).unwrap_err();
        assert_eq!(error.code(), Code::Corrupt, "{name}");
    }
    assert_eq!(parse(json!({ "weight_map": {} })).unwrap_err().code(), Code::Corrupt);
    assert_eq!(parse(json!({})).unwrap_err().code(), Code::NotAModel);
    assert_eq!(ShardIndex::parse(INDEX, b"<html>").unwrap_err().code(), Code::NotAModel);
}

#[test]
fn shards_are_read_one_after_the_other() {
    let (network, tensors) = tiny();
    let expected = checkpoint::assemble(&network, tensors.clone()).unwrap();
    let files: Vec<Vec<u8>> = tensors.chunks(17).map(|shard| checkpoint::file(shard, &[])).collect();
    let read = files.iter().flat_map(|file| read(file, &[1000], Some(file.len() as u64)).unwrap());
    assert_eq!(checkpoint::assemble(&network, read).unwrap(), expected);
}

#[test]
fn a_manifest_is_written_read_and_held_against_files() {
    let content = b"{\"model_type\": \"bert\"}";
    let file = manifest::File::of("config.json", content);
    assert_eq!(
        manifest::File::of("empty", b"").sha256,
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    );
    let manifest = Manifest { format: manifest::FORMAT, dtype: "q8".into(), files: vec![file] };
    let read = Manifest::parse(manifest.to_json().unwrap().as_bytes()).unwrap();
    assert_eq!(read, manifest);
    assert_eq!(read.total_bytes(), content.len() as u64);
    let received = |chunks: &[&[u8]]| {
        let mut hash = FileHash::default();
        chunks.iter().for_each(|chunk| hash.update(chunk));
        hash
    };
    let entry = read.get("config.json").unwrap();
    entry.check(received(&[&content[..3], &content[3..]])).unwrap();
    for wrong in [&content[1..], b"{\"model_type\": \"best\"}"] {
        let error = entry.check(received(&[wrong])).unwrap_err();
        assert_eq!((error.code(), error.culprit()), (Code::Integrity, Some(("file", "config.json"))));
    }
    for (json, code) in [
        (json!({ "format": 2, "dtype": "f32", "files": [] }), Code::Unsupported),
        (json!({ "format": 0, "dtype": "f32", "files": [] }), Code::Unsupported),
        (json!([]), Code::NotAModel),
        (
            json!({ "format": 1, "dtype": "f32", "files": [{ "name": "../x", "bytes": 1, "sha256": "a".repeat(64) }] }),
            Code::Corrupt,
        ),
        (
            json!({ "format": 1, "dtype": "f32", "files": [{ "name": "x", "bytes": 1, "sha256": "zz" }] }),
            Code::Corrupt,
        ),
        (
            json!({ "format": 1, "dtype": "f32", "files": [{ "name": "x", "bytes": -1, "sha256": "" }] }),
            Code::NotAModel,
        ),
    ] {
        assert_eq!(Manifest::parse(json.to_string().as_bytes()).unwrap_err().code(), code, "{json}");
    }
    assert_eq!(Manifest::parse(b"<html>").unwrap_err().code(), Code::NotAModel);
}

#[test]
fn an_empty_file_with_metadata_is_a_file() {
    let file = to_file(&[], &[("dtype", "f32"), ("format", "pt")].into()).unwrap();
    assert!(read(&file, &[1], None).unwrap().is_empty());
    assert_eq!(Header::of_file(FILE, &file).unwrap().metadata.len(), 2);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_chunks_equal_the_whole(sizes in prop::collection::vec(1usize..300, 1..12)) {
        let bytes = small_file();
        let whole = read(&bytes, &[bytes.len()], None).unwrap();
        prop_assert_eq!(read(&bytes, &sizes, Some(bytes.len() as u64)).unwrap(), whole);
    }

    #[test]
    fn random_bytes_never_panic(bytes in any::<Vec<u8>>(), length in 0u64..64, with_length in any::<bool>()) {
        let mut file = if with_length { length.to_le_bytes().to_vec() } else { Vec::new() };
        file.extend(bytes);
        prop_assert!(read(&file, &[5], None).is_err() == Header::of_file(FILE, &file).is_err());
        let _ = ShardIndex::parse("index", &file);
        let _ = Manifest::parse(&file);
    }

    /// One byte changed anywhere: the same tensors but for that byte, or an error that names the file.
    #[test]
    fn a_changed_byte_is_an_error_or_a_changed_value(place in any::<prop::sample::Index>(), with in 1u8..) {
        let mut bytes = small_file();
        let place = place.index(bytes.len());
        bytes[place] ^= with;
        match read(&bytes, &[64], None) {
            Ok(tensors) => prop_assert_eq!(tensors.iter().map(|tensor| tensor.bytes.len()).sum::<usize>(), 24 + 64 + 6 + 16),
            Err(error) => prop_assert!(error.culprit().is_some_and(|(kind, name)| kind == "file" && name == FILE), "{}", error),
        }
    }

    #[test]
    fn quantising_errs_by_half_a_step_at_most(values in prop::collection::vec(-1e4f32..1e4, 64), shrink in -12i32..1) {
        let values: Vec<f32> = values.iter().map(|value| value * 10f32.powi(shrink)).collect();
        let exact: Vec<f64> = values.iter().map(|value| f64::from(*value)).collect();
        let name = "encoder.layer.0.x.weight";
        let raw = raw_f32(name, &[2, 32], &exact);
        for storage in [Storage::Q8, Storage::Q4] {
            let (file, reports) = quantise(std::slice::from_ref(&raw), storage);
            let stored = read(&file, &[50], None).unwrap();
            let tensor = stored.iter().find(|tensor| tensor.name == name).unwrap();
            let scale = stored.iter().find(|tensor| tensor.name.ends_with(".scale"));
            let found = decode(tensor, scale, &[2, 32]).unwrap().data;
            for (row, found) in values.chunks(32).zip(found.chunks(32)) {
                let largest = row.iter().fold(0f32, |most, value| most.max(value.abs()));
                let squares = |of: &dyn Fn(usize) -> f32| (0..32).map(|i| f64::from(of(i)).powi(2)).sum::<f64>();
                let error = squares(&|i| row[i] - found[i]).sqrt();
                if storage == Storage::Q8 {
                    let step = largest / 127.0;
                    for (exact, found) in row.iter().zip(found) {
                        prop_assert!((exact - found).abs() <= step * 0.5001, "{exact} {found} step {step}");
                    }
                } else {
                    // 32 values, each at most half a step off, and the rounding of an f16 scale with its least step.
                    let step = f64::from(largest) / 7.0 * 1.001 + 6e-8;
                    prop_assert!(error <= 32f64.sqrt() * step * 0.52 + 7.0 * 6e-8 * 32f64.sqrt(), "{error} step {step}");
                }
            }
            prop_assert_eq!(reports[0].storage, storage);
        }
    }
}
