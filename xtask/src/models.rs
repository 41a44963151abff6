//! The model directories that a page or a test may use, and the index that the page reads.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use serde::Serialize;

use crate::process::root;

/// One line of `models/models.json`.
#[derive(Serialize)]
pub struct Entry {
    /// Name of the directory, unique in the index.
    pub name: String,
    /// What the model does, in the words of `pipeline()`.
    pub task: String,
    /// `architectures[0]` of its configuration.
    pub architecture: String,
    /// Bytes of its weights.
    pub bytes: u64,
    /// Where it lies.
    #[serde(skip)]
    pub folder: PathBuf,
}

/// The models named on the command line, of `MOBILEBERT_MODELS` and of the project itself; the first of a name counts.
pub fn find(named: &[PathBuf]) -> Result<Vec<Entry>> {
    let mut found = BTreeMap::new();
    for folder in named {
        match entry(folder) {
            Some(entry) => drop(found.entry(entry.name.clone()).or_insert(entry)),
            None => bail!(
                "{}: no model there; a model directory has a config.json beside its weights",
                folder.display()
            ),
        }
    }
    let shared = std::env::var_os("MOBILEBERT_MODELS").map(PathBuf::from);
    for parent in shared.into_iter().chain([root().join("models")]) {
        let entries = std::fs::read_dir(root().join(&parent)).into_iter().flatten().flatten();
        for entry in entries.filter_map(|child| entry(&child.path())) {
            found.entry(entry.name.clone()).or_insert(entry);
        }
    }
    Ok(found.into_values().collect())
}

fn entry(folder: &Path) -> Option<Entry> {
    let folder = folder.canonicalize().ok()?;
    let config = std::fs::read(folder.join("config.json")).ok()?;
    let config: serde_json::Value = serde_json::from_slice(&config).ok()?;
    let architecture = config["architectures"][0].as_str().unwrap_or_default().to_owned();
    let weights = std::fs::read_dir(&folder).ok()?.flatten();
    let weights = weights.filter(|file| file.path().extension().is_some_and(|found| found == "safetensors"));
    Some(Entry {
        name: folder.file_name()?.to_string_lossy().into_owned(),
        task: task(&architecture).to_owned(),
        architecture,
        bytes: weights.filter_map(|file| file.metadata().ok()).map(|file| file.len()).sum(),
        folder,
    })
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
