//! Files that are missing, are of a different kind, or differ from the manifest.

use std::fs;

use mobilebert::error::Code;
use mobilebert::weights::{Manifest, manifest};
use tempfile::TempDir;

use crate::folder::{Folder, WEIGHTS, assert_says, open};

#[test]
fn a_folder_without_a_model_is_an_error() {
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
    // A file instead of the folder.
    assert_eq!(open(&folder.path("config.json")).err().unwrap().code(), Code::NotFound);
    // A folder instead of a file.
    let folder = Folder::new();
    fs::remove_file(folder.path(WEIGHTS)).unwrap();
    fs::create_dir(folder.path(WEIGHTS)).unwrap();
    assert_says(&folder.error(), &[WEIGHTS]);
    let folder = Folder::new();
    fs::remove_file(folder.path("vocab.txt")).unwrap();
    fs::create_dir(folder.path("vocab.txt")).unwrap();
    let error = folder.error();
    assert_eq!(error.code(), Code::Io, "{error}");
    assert_says(&error, &["vocab.txt"]);
}

#[test]
fn error_pages_and_pointers_instead_of_files_are_recognized() {
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
fn every_entry_of_a_manifest_is_checked() {
    let folder = Folder::new();
    let names = ["config.json", "vocab.txt", WEIGHTS];
    let files = names.map(|name| manifest::File::of(name, &fs::read(folder.path(name)).unwrap()));
    let manifest = Manifest { format: 1, dtype: "f32".into(), files: files.to_vec() };
    folder.write("files.json", format!("\u{feff}{}", manifest.to_json().unwrap()));
    folder.open().unwrap();
    for name in names {
        let whole = fs::read(folder.path(name)).unwrap();
        // With two words swapped or a number changed, it is still a valid model, but a different one.
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
    // Without this file, the model would open, but couldn't read text.
    fs::remove_file(folder.path("vocab.txt")).unwrap();
    let error = folder.error();
    assert_eq!((error.code(), error.culprit()), (Code::Integrity, Some(("file", "vocab.txt"))), "{error}");
    assert_says(&error, &["files.json", "missing"]);
}

#[test]
fn an_index_next_to_an_unsharded_file_is_ignored() {
    let folder = Folder::new();
    folder.write("model.safetensors.index.json", r#"{"weight_map": {"x": "y.safetensors"}}"#);
    folder.open().unwrap();
}
