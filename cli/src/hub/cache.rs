//! The cache of `huggingface_hub`: `models--OWNER--NAME/refs/REVISION` has a commit, `snapshots/COMMIT/` its files.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use mobilebert::error::{Error, Result};
use mobilebert::model::WEIGHTS;

/// The folder of a user's caches.
pub fn user_cache() -> Option<PathBuf> {
    set("XDG_CACHE_HOME").or_else(|| Some(env::home_dir()?.join(".cache")))
}

fn set(variable: &str) -> Option<PathBuf> {
    env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// A repository in the cache.
#[derive(Debug)]
pub struct Cache {
    folder: PathBuf,
}

impl Cache {
    /// The folder of a repository `owner/name`, which may not exist yet.
    pub fn of(name: &str) -> Result<Cache> {
        let home = || set("HF_HOME").or_else(|| Some(user_cache()?.join("huggingface")));
        let hub = set("HF_HUB_CACHE").or_else(|| home().map(|home| home.join("hub"))).ok_or_else(|| {
            Error::invalid_input("HF_HOME", "isn't set, and there is no home directory; set it to a folder")
        })?;
        Ok(Cache { folder: hub.join(format!("models--{}", name.replace('/', "--"))) })
    }

    /// The folder of a complete model at a branch, tag or commit.
    pub fn find(&self, revision: &str) -> Option<PathBuf> {
        let commit = fs::read_to_string(self.reference(revision)).unwrap_or_else(|_| revision.to_owned());
        let folder = self.snapshot(commit.trim());
        let has = |name: &str| folder.join(name).is_file();
        (has("config.json") && WEIGHTS.into_iter().any(has)).then_some(folder)
    }

    /// The folder of a commit's files.
    pub fn snapshot(&self, commit: &str) -> PathBuf {
        self.folder.join("snapshots").join(commit.replace('/', "-"))
    }

    /// Records the commit of a branch or tag.
    pub fn refer(&self, revision: &str, commit: &str) -> Result<()> {
        let path = self.reference(revision);
        let folder = path.parent().unwrap_or(&self.folder);
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(&path, commit))
            .map_err(|source| failed(&path, source))
    }

    fn reference(&self, revision: &str) -> PathBuf {
        self.folder.join("refs").join(revision)
    }
}

/// The error of a file that can't be stored.
pub fn failed(path: &Path, source: std::io::Error) -> Error {
    Error::Io { file: path.display().to_string(), source }
}
