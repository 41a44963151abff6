//! Fingerprints of a build step's inputs, so that the step is skipped if none of them changed.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use crate::folder;

/// Hashes names and contents of all files under `inputs` (files or folders).
pub fn of(inputs: &[PathBuf], salt: &str) -> Result<String> {
    let mut files = BTreeSet::new();
    for input in inputs {
        if input.is_dir() {
            folder::visit(input, &mut |file| {
                files.insert(file.to_path_buf());
                Ok(())
            })?;
        } else if input.is_file() {
            files.insert(input.clone());
        }
    }
    let mut hash = Sha256::new();
    hash.update(salt);
    for file in files {
        let bytes = std::fs::read(&file).with_context(|| file.display().to_string())?;
        hash.update(file.to_string_lossy().as_bytes());
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(&bytes);
    }
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Returns whether `outputs` exist and were built from this fingerprint.
pub fn is_fresh(stamp: &Path, fingerprint: &str, outputs: &[PathBuf]) -> bool {
    outputs.iter().all(|output| output.exists())
        && std::fs::read_to_string(stamp).is_ok_and(|written| written == fingerprint)
}

/// Records that a step was built from this fingerprint.
pub fn write(stamp: &Path, fingerprint: &str) -> Result<()> {
    if let Some(folder) = stamp.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(stamp, fingerprint).with_context(|| stamp.display().to_string())
}
