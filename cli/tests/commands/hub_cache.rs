//! Models that are partly in the cache, and downloads of the missing parts.

use std::fs;
use std::path::Path;

use crate::hub_server::{COMMIT, GOOGLE, NOBODY, content, snapshot, start_hub, with_hub};
use crate::process::Ran;

fn encode(hub: &str, cache: &Path, more: &[&str]) -> Ran {
    let encode = ["encode", "--device", "cpu", "--model", GOOGLE, "the cat sat"];
    with_hub(hub, cache, &[&encode[..], more].concat())
}

/// Stores the files that Python's `transformers` reads, the way `huggingface_hub` does.
fn store_as_python_does(cache: &Path) {
    let folder = snapshot(cache, GOOGLE, COMMIT);
    let repository = folder.parent().unwrap().parent().unwrap();
    fs::create_dir_all(&folder).unwrap();
    for name in ["config.json", "vocab.txt", "pytorch_model.bin"] {
        fs::write(folder.join(name), content(&format!("/{GOOGLE}/resolve/{COMMIT}/{name}")).unwrap())
            .unwrap();
    }
    fs::create_dir_all(repository.join("refs")).unwrap();
    fs::write(repository.join("refs/main"), COMMIT).unwrap();
    let absent = repository.join(".no_exist").join(COMMIT);
    fs::create_dir_all(&absent).unwrap();
    // This Hub has such a file, so a request for it would be noticed.
    fs::write(absent.join("tokenizer.json"), "").unwrap();
}

#[test]
fn what_other_programs_left_out_of_the_cache_is_fetched_once() {
    let (hub, cache) = (start_hub(), tempfile::tempdir().unwrap());
    store_as_python_does(cache.path());
    let mean = encode(NOBODY, cache.path(), &["--pooling", "mean"]).json();
    let found = encode(&format!("{hub}/sentences"), cache.path(), &[]);
    assert_eq!(found.stderr, "");
    let found = found.json();
    assert_ne!(found, mean, "the pooling is that of the repository");
    let folder = snapshot(cache.path(), GOOGLE, COMMIT);
    assert!(folder.join("modules.json").is_file() && folder.join("1_Pooling/config.json").is_file());
    assert!(!folder.join("tokenizer.json").exists(), "it is known not to exist");
    let again = encode(NOBODY, cache.path(), &[]);
    assert_eq!(again.stderr, "");
    assert_eq!(again.json(), found);
}

#[test]
fn without_the_hub_what_is_there_is_used_with_a_note() {
    let cache = tempfile::tempdir().unwrap();
    store_as_python_does(cache.path());
    let ran = encode(NOBODY, cache.path(), &[]);
    assert!(ran.stderr.contains("is read from the cache") && ran.stderr.contains("127.0.0.1:9"), "{ran:?}");
    assert_eq!(ran.stderr.lines().count(), 1);
    ran.done();
    fs::remove_file(snapshot(cache.path(), GOOGLE, COMMIT).join("pytorch_model.bin")).unwrap();
    encode(NOBODY, cache.path(), &[]).failed(&["model.safetensors", "127.0.0.1:9"]);
}

#[test]
fn missing_shards_are_fetched_at_the_commit_of_the_others() {
    let (hub, cache) = (start_hub(), tempfile::tempdir().unwrap());
    store_as_python_does(cache.path());
    let folder = snapshot(cache.path(), GOOGLE, COMMIT);
    fs::remove_file(folder.join("pytorch_model.bin")).unwrap();
    let index = br#"{"weight_map": {"mobilebert.embeddings.LayerNorm.bias": "pytorch_model.bin"}}"#;
    fs::write(folder.join("pytorch_model.bin.index.json"), index).unwrap();
    encode(NOBODY, cache.path(), &[]).failed(&[COMMIT, "pytorch_model.bin"]);
    let _ = encode(&hub, cache.path(), &[]);
    assert!(folder.join("pytorch_model.bin").is_file());
}

#[test]
fn tokens_downloads_no_weights() {
    let (hub, cache) = (start_hub(), tempfile::tempdir().unwrap());
    let tokens = |hub: &str| with_hub(hub, cache.path(), &["tokens", "--model", GOOGLE, "the cat", "--json"]);
    let found = tokens(&hub).json();
    let folder = snapshot(cache.path(), GOOGLE, COMMIT);
    assert!(folder.join("vocab.txt").is_file() && !folder.join("pytorch_model.bin").exists());
    let again = tokens(NOBODY);
    assert_eq!(again.stderr, "");
    assert_eq!(again.json(), found);
    // The rest is downloaded when needed.
    with_hub(&hub, cache.path(), &["inspect", GOOGLE]).done();
    assert!(folder.join("pytorch_model.bin").is_file());
}
