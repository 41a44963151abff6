//! The safetensors file: chunks, truncation, inconsistent headers.

use crate::support::checkpoint;
use crate::support::checkpoint::raw_f32;
use crate::{FILE, file_of, read, small_file, tiny};
use mobilebert::error::Code;
use mobilebert::weights::Header;
use mobilebert::weights::Manifest;
use mobilebert::weights::SafetensorsFile;
use mobilebert::weights::ShardIndex;
use mobilebert::weights::Stream;
use proptest::prelude::*;
use serde_json::Value;
use serde_json::json;

#[test]
fn a_file_is_read_as_it_was_written() {
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
    assert_eq!(header.file_len, Some(bytes.len() as u64));
    assert_eq!(header.get("a").unwrap().shape, [2, 3]);
}

/// `DataParallel`, `torch.compile`, training loops and sentence-transformers save the wrapper's name.
#[test]
fn an_unknown_prefix_of_all_names_is_named() {
    let (network, mut tensors) = tiny();
    for raw in &mut tensors {
        raw.name.insert_str(0, "student.net.");
    }
    let header = Header::of_file(FILE, &checkpoint::file(&tensors, &[])).unwrap();
    let error = header.check(&network.parameters).unwrap_err().to_string();
    assert!(
        error.contains("without the prefix `student.net.") && error.contains("word_embeddings"),
        "{error}"
    );
}

#[test]
fn prefixes_of_wrappers_are_dropped_from_names() {
    let (network, tensors) = tiny();
    let expected = checkpoint::assemble(&network, tensors.clone()).unwrap();
    for wrapper in
        ["module.", "_orig_mod.", "model.", "0.auto_model.", "module._orig_mod.", "_orig_mod.module.model."]
    {
        let mut wrapped = tensors.clone();
        for raw in &mut wrapped {
            raw.name.insert_str(0, wrapper);
        }
        let bytes = checkpoint::file(&wrapped, &[]);
        let header = Header::of_file(FILE, &bytes).unwrap();
        assert!(tensors.iter().all(|raw| header.get(&raw.name).is_some()), "{wrapper}");
        let read = read(&bytes, &[1000], None).unwrap();
        assert_eq!(checkpoint::assemble(&network, read).unwrap(), expected, "{wrapper}");

        let map = wrapped.iter().map(|raw| (raw.name.clone(), json!("1.safetensors"))).collect();
        let index = json!({ "weight_map": Value::Object(map) }).to_string();
        let index = ShardIndex::parse("index", index.as_bytes()).unwrap();
        assert!(tensors.iter().all(|raw| index.has(&raw.name)), "{wrapper}");
    }
    let mut twice = tensors.clone();
    twice.push(raw_f32(
        &format!("module.{}", tensors[0].name),
        &tensors[0].shape,
        &vec![0.0; tensors[0].shape.iter().product()],
    ));
    let read = read(&checkpoint::file(&twice, &[]), &[1000], None).unwrap();
    assert!(checkpoint::assemble(&network, read).unwrap_err().to_string().contains("twice"));
}

#[test]
fn every_truncation_is_detected() {
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
fn a_known_length_is_checked_before_the_data_arrives() {
    let bytes = small_file();
    let mut stream = Stream::new(FILE, Some(bytes.len() as u64 + 4));
    let error = stream.push(&bytes[..bytes.len() - 40]).unwrap_err();
    assert!(error.to_string().contains(&bytes.len().to_string()), "{error}");
    let mut stream = Stream::new(FILE, Some(20));
    assert_eq!(stream.push(&bytes[..8]).unwrap_err().code(), Code::Corrupt);
}

#[test]
fn files_that_are_not_safetensors_are_recognized() {
    let absurd = u64::MAX.to_le_bytes().to_vec();
    let huge = 100_000_001u64.to_le_bytes().to_vec();
    let cases: [(&[u8], &str); 9] = [
        (b"<!DOCTYPE html><html>", "HTML"),
        (b"\n\n<html lang=\"en\">", "HTML"),
        (b"version https://git-lfs.github.com/spec/v1", "Git LFS"),
        (b"\x80\x04\x95pickled", "pickle"),
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
fn inconsistent_headers_are_rejected() {
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

/// A header may claim 4 TB, but memory is only used for data that arrives.
#[test]
fn a_large_tensor_is_not_allocated_before_its_bytes_arrive() {
    let header = json!({ "a": { "dtype": "U8", "shape": [1u64 << 42], "data_offsets": [0, 1u64 << 42] } });
    let mut stream = Stream::new(FILE, None);
    assert!(stream.push(&file_of(&header, 1000)).unwrap().is_empty());
    assert_eq!(stream.finish().unwrap_err().code(), Code::Corrupt);
}

#[test]
fn an_empty_file_with_metadata_is_valid() {
    let file =
        SafetensorsFile::new(Vec::new(), &[("dtype", "f32"), ("format", "pt")].into()).unwrap().to_bytes();
    assert!(read(&file, &[1], None).unwrap().is_empty());
    assert_eq!(Header::of_file(FILE, &file).unwrap().metadata.len(), 2);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_chunk_sizes_give_the_same_tensors(sizes in prop::collection::vec(1usize..300, 1..12)) {
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

    /// With any single byte changed, the result is the same tensors except for that byte, or an error that
    /// names the file.
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
}
