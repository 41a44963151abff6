//! `files.json`: sizes and hashes of a model directory's files, so that a download can be verified and its
//! total size is known in advance.
//!
//! ```json
//! {"format": 1, "dtype": "q8", "files": [{"name": "config.json", "bytes": 981, "sha256": "…64 hex digits…"}]}
//! ```

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::json;

/// Name of the file.
pub const FILE: &str = "files.json";
/// The format version written by this crate, and the highest that it reads.
pub const FORMAT: u32 = 1;

/// The content of a `files.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Format version of the manifest.
    pub format: u32,
    /// Storage format of the weights: `f32`, `f16`, `q8` or `q4`.
    pub dtype: String,
    /// All files of the directory except the manifest.
    pub files: Vec<File>,
}

/// A file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// Path in the directory, with `/`.
    pub name: String,
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256 in lowercase hexadecimal.
    pub sha256: String,
}

impl Manifest {
    /// Parses and checks a `files.json`.
    pub fn parse(json: &[u8]) -> Result<Manifest> {
        let refuse = |problem: String| Error::NotAModel { file: FILE.into(), problem };
        let json = json::content(FILE, json)?;
        let manifest: Manifest =
            serde_json::from_slice(json).map_err(|error| refuse(format!("it isn't a manifest: {error}")))?;
        if !(1..=FORMAT).contains(&manifest.format) {
            return Err(Error::unsupported(
                format!("{FILE}: format {}", manifest.format),
                format!("1 to {FORMAT} are; a newer version of mobilebert may read it"),
            ));
        }
        for file in &manifest.files {
            // Some are in folders: `1_Pooling/config.json`.
            let mut parts = file.name.split('/');
            parts.try_for_each(check_file_name).map_err(|problem| Error::corrupt(FILE, problem))?;
            if file.sha256.len() != 64 || !file.sha256.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return Err(Error::corrupt(
                    FILE,
                    format!("`sha256` of `{}` is not 64 hex digits", file.name),
                ));
            }
        }
        Ok(manifest)
    }

    /// The content of a `files.json`, as text.
    pub fn to_json(&self) -> Result<String> {
        serde_json::to_string_pretty(self)
            .map(|json| json + "\n")
            .map_err(|error| Error::internal(FILE, error.to_string()))
    }

    /// The entry with this name.
    pub fn get(&self, name: &str) -> Option<&File> {
        self.files.iter().find(|file| file.name == name)
    }
}

impl File {
    /// The entry for a file in memory.
    pub fn of(name: &str, content: &[u8]) -> File {
        let mut hash = FileHash::default();
        hash.update(content);
        let (bytes, sha256) = hash.finish();
        File { name: name.into(), bytes, sha256 }
    }

    /// Checks a received file against this entry.
    pub fn check(&self, received: FileHash) -> Result<()> {
        let (bytes, sha256) = received.finish();
        let fail = |problem: String| Err(Error::Integrity { file: self.name.clone(), problem });
        if bytes != self.bytes {
            return fail(format!("{FILE} says {} bytes, found {bytes}", self.bytes));
        }
        if !sha256.eq_ignore_ascii_case(&self.sha256) {
            return fail(format!("{FILE} says SHA-256 {}, found {sha256}", self.sha256));
        }
        Ok(())
    }
}

/// Size and SHA-256 of a file that arrives in chunks.
#[derive(Clone, Debug, Default)]
pub struct FileHash {
    digest: Sha256,
    bytes: u64,
}

impl FileHash {
    /// Takes the next bytes.
    pub fn update(&mut self, chunk: &[u8]) {
        self.digest.update(chunk);
        self.bytes += chunk.len() as u64;
    }

    /// Size and hash of all bytes.
    pub fn finish(self) -> (u64, String) {
        let digits = self.digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        (self.bytes, digits)
    }
}

/// Checks that a name is a plain file name: no separators, not hidden.
pub(super) fn check_file_name(name: &str) -> Result<(), String> {
    if name.is_empty() || name.starts_with('.') || name.contains(['/', '\\', ':', '\0']) {
        return Err(format!("{name:?}, which isn't a plain file name"));
    }
    Ok(())
}
