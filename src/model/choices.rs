//! Remembers the chosen device and schedules between processes: a small file per device and network.

use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// A folder with choices made by earlier processes.
#[derive(Clone, Debug)]
pub(super) struct Choices {
    folder: PathBuf,
    /// Number of CPU threads that a GPU was compared with.
    threads: usize,
}

impl Choices {
    /// The folder, which needn't exist.
    pub fn new(folder: PathBuf, threads: usize) -> Self {
        Choices { folder, threads }
    }

    /// The text stored under a key. It contains its key, and is validated by its user.
    pub fn read(&self, key: &str) -> Option<String> {
        fs::read_to_string(self.file(key)).ok()
    }

    /// Stores a choice. If that fails, the next process measures again.
    pub fn write(&self, key: &str, choice: &str) {
        let file = self.file(key);
        // Another process may be reading or writing the file.
        let part = file.with_extension(format!("{}.part", std::process::id()));
        let written = fs::create_dir_all(&self.folder)
            .and_then(|()| fs::write(&part, choice))
            .and_then(|()| fs::rename(&part, &file));
        if written.is_err() {
            remove(&part);
        }
    }

    fn file(&self, key: &str) -> PathBuf {
        let digest = Sha256::digest(format!("{} {key}", self.threads));
        let name: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        self.folder.join(name).with_extension("txt")
    }
}

fn remove(part: &Path) {
    // It may never have been created.
    let _ = fs::remove_file(part);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_is_found_under_its_key_only() {
        let folder = tempfile::tempdir().unwrap();
        let choices = Choices::new(folder.path().join("made/when/needed"), 2);
        let others = Choices { threads: 1, ..choices.clone() };
        assert_eq!(choices.read("a GPU | mobilebert q8"), None);
        choices.write("a GPU | mobilebert q8", "first");
        choices.write("a GPU | mobilebert q8", "second");
        choices.write("a GPU | mobilebert q4", "another");
        assert_eq!(choices.read("a GPU | mobilebert q8").as_deref(), Some("second"));
        assert_eq!(choices.read("a GPU | mobilebert q4").as_deref(), Some("another"));
        assert_eq!(choices.read("another GPU | mobilebert q8"), None);
        assert_eq!(others.read("a GPU | mobilebert q8"), None, "other threads take another time");
        let files = fs::read_dir(folder.path().join("made/when/needed")).unwrap();
        assert_eq!(files.count(), 2, "nothing else is left behind");
    }

    #[test]
    fn a_folder_that_cannot_be_made_costs_only_the_memory() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a file");
        fs::write(&file, "").unwrap();
        let choices = Choices::new(file.join("inside"), 0);
        choices.write("key", "choice");
        assert_eq!(choices.read("key"), None);
    }
}
