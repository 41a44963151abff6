//! The model directories available to pages and tests, and the index that the page reads.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use serde::Serialize;

use crate::process::root;

/// One line of `models/models.json`.
#[derive(Serialize)]
pub struct Entry {
    /// Name of the directory; unique in the index.
    pub name: String,
    /// The model's task, named as in `pipeline()`.
    pub task: String,
    /// `architectures[0]` in its configuration.
    pub architecture: String,
    /// Size of its weights in bytes.
    pub bytes: u64,
    /// The directory.
    #[serde(skip)]
    pub folder: PathBuf,
}

/// The models named on the command line, then those in `MOBILEBERT_MODELS`, then the project's own, each
/// folder sorted by name. The page uses the first model for a task; of several with the same name, only the
/// first is listed.
pub fn find(named: &[PathBuf]) -> Result<Vec<Entry>> {
    let mut found: Vec<Entry> = Vec::new();
    for folder in named {
        match entry(folder) {
            Some(entry) => found.push(entry),
            None => bail!(
                "{}: not a model; a model directory has a config.json next to its weights",
                folder.display()
            ),
        }
    }
    if let Some(folder) = std::env::var_os("MOBILEBERT_MODELS") {
        found.extend(below(&root().join(folder)));
    }
    found.extend(below(&root().join("models")));
    let mut names = HashSet::new();
    found.retain(|entry| names.insert(entry.name.clone()));
    Ok(found)
}

/// The model directories in a folder, sorted by name.
fn below(folder: &Path) -> Vec<Entry> {
    let children = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<_> = children.filter_map(|child| entry(&child.path())).collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

fn entry(folder: &Path) -> Option<Entry> {
    let folder = folder.canonicalize().ok()?;
    let config = std::fs::read(folder.join("config.json")).ok()?;
    let config: serde_json::Value = serde_json::from_slice(&config).ok()?;
    let architecture = config["architectures"][0].as_str().unwrap_or_default().to_owned();
    let safetensors = size_of(&folder, |name| name.ends_with(".safetensors"))?;
    let pytorch = size_of(&folder, |name| name.starts_with("pytorch_model") && name.ends_with(".bin"))?;
    Some(Entry {
        name: folder.file_name()?.to_string_lossy().into_owned(),
        task: task(&architecture).to_owned(),
        architecture,
        // If there are both, safetensors is read.
        bytes: if safetensors > 0 { safetensors } else { pytorch },
        folder,
    })
}

/// Total bytes of a folder's files for which `has_name` returns true.
fn size_of(folder: &Path, has_name: impl Fn(&str) -> bool) -> Option<u64> {
    let files = std::fs::read_dir(folder).ok()?.flatten();
    let files = files.filter(|file| has_name(&file.file_name().to_string_lossy()));
    Some(files.filter_map(|file| file.metadata().ok()).map(|file| file.len()).sum())
}

fn task(architecture: &str) -> &'static str {
    let known = [
        ("ForQuestionAnswering", "question-answering"),
        ("ForSequenceClassification", "text-classification"),
        ("ForTokenClassification", "token-classification"),
        ("ForMaskedLM", "fill-mask"),
        ("ForPreTraining", "fill-mask"),
    ];
    known
        .iter()
        .find(|(suffix, _)| architecture.ends_with(suffix))
        .map_or("feature-extraction", |(_, task)| task)
}

#[cfg(test)]
mod tests {
    use super::entry;

    #[test]
    fn the_size_is_that_of_the_weights_that_are_read() {
        let folder = std::env::temp_dir().join(format!("models-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::write(folder.join("config.json"), r#"{"architectures": ["BertForMaskedLM"]}"#)
            .expect("a file");
        std::fs::write(folder.join("optimizer.bin"), [0; 50]).expect("a file");
        let bytes = || entry(&folder).map(|entry| (entry.task, entry.bytes));
        std::fs::write(folder.join("pytorch_model.bin"), [0; 7]).expect("a file");
        assert_eq!(bytes(), Some(("fill-mask".to_owned(), 7)));
        std::fs::write(folder.join("model.safetensors"), [0; 9]).expect("a file");
        assert_eq!(bytes(), Some(("fill-mask".to_owned(), 9)));
        std::fs::remove_dir_all(folder).expect("the folder is there");
    }
}
