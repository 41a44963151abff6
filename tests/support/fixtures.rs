//! The small models in `tests/fixtures`, and the results of Python's libraries for them.

use std::fs;
use std::path::{Path, PathBuf};

use mobilebert::session::{Device, SessionOptions};
use serde_json::Value;
use tempfile::TempDir;

/// A path in the folder of fixtures.
pub fn fixture(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(path)
}

/// The results stored by `tests/fixtures/sentence-transformers/make.py`.
pub fn expected() -> Value {
    read_json(&fixture("sentence-transformers/expected.json"))
}

/// Options for running on the CPU.
pub fn cpu() -> SessionOptions {
    SessionOptions { device: Device::Cpu, ..SessionOptions::default() }
}

/// A list of strings.
pub fn strings(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect()
}

/// A copy of a fixture with `change` made to one of its JSON files.
pub fn changed(model: &str, name: &str, change: impl FnOnce(&mut Value)) -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    copy_folder(&fixture(model), copy.path());
    let path = copy.path().join(name);
    let mut json = read_json(&path);
    change(&mut json);
    fs::write(path, json.to_string()).unwrap();
    copy
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let copy = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy_folder(&path, &copy);
        } else {
            fs::copy(&path, copy).unwrap();
        }
    }
}

fn read_json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}
