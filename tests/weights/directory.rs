//! The files next to the weights: the index of shards and the manifest.

use crate::support::checkpoint;
use crate::{quantize, read, tiny};
use mobilebert::error::Code;
use mobilebert::model::Directory;
use mobilebert::weights::Manifest;
use mobilebert::weights::ShardIndex;
use mobilebert::weights::WeightFormat;
use mobilebert::weights::manifest;
use mobilebert::weights::manifest::FileHash;
use serde_json::Value;
use serde_json::json;

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
fn shards_are_read_one_after_another() {
    let (network, tensors) = tiny();
    let expected = checkpoint::assemble(&network, tensors.clone()).unwrap();
    let files: Vec<Vec<u8>> = tensors.chunks(17).map(|shard| checkpoint::file(shard, &[])).collect();
    let read = files.iter().flat_map(|file| read(file, &[1000], Some(file.len() as u64)).unwrap());
    assert_eq!(checkpoint::assemble(&network, read).unwrap(), expected);
}

#[test]
fn a_manifest_is_written_read_and_compared_with_files() {
    let content = b"{\"model_type\": \"bert\"}";
    let file = manifest::File::of("config.json", content);
    assert_eq!(
        manifest::File::of("empty", b"").sha256,
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    );
    let manifest = Manifest { format: manifest::FORMAT, dtype: "q8".into(), files: vec![file] };
    let read = Manifest::parse(manifest.to_json().unwrap().as_bytes()).unwrap();
    assert_eq!(read, manifest);
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
fn weights_that_the_manifest_does_not_list_are_not_read_in_place_of_those_it_lists() {
    let (_, tensors) = tiny();
    let (weights, _) = quantize(&tensors, WeightFormat::F32);
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &[u8]| std::fs::write(folder.path().join(name), content).unwrap();
    let manifest = |name: &str| {
        let files = vec![manifest::File::of(name, &weights)];
        Manifest { format: manifest::FORMAT, dtype: "f32".into(), files }.to_json().unwrap()
    };
    let error_of = |name: &str| {
        let directory = Directory::new(folder.path()).unwrap();
        directory.stream(name, |_| Ok(())).unwrap_err()
    };
    write("config.json", b"{}");
    // Before `model.safetensors` in the order of preference.
    write("model.safetensors.index.json", br#"{"weight_map": {"a": "other.safetensors"}}"#);
    write("other.safetensors", &weights);
    write("files.json", manifest("pytorch_model.bin").as_bytes());
    let directory = Directory::new(folder.path()).unwrap();
    assert_eq!(directory.weight_files().unwrap(), ["pytorch_model.bin"]);
    assert_eq!(error_of("pytorch_model.bin").code(), Code::NotFound);
    let error = error_of("other.safetensors");
    assert_eq!(
        (error.code(), error.culprit()),
        (Code::Integrity, Some(("file", "other.safetensors"))),
        "{error}"
    );
    write("files.json", manifest("other.safetensors").as_bytes());
    Directory::new(folder.path()).unwrap().stream("other.safetensors", |_| Ok(())).unwrap();
}
