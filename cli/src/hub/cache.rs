//! The cache of `huggingface_hub`: `models--OWNER--NAME/refs/REVISION` contains a commit, `snapshots/COMMIT/`
//! its files, and `.no_exist/COMMIT/` the names of files that it doesn't have.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use mobilebert::error::{Error, Result};
use mobilebert::model::{SmallFiles, WEIGHTS};
use mobilebert::weights::ShardIndex;

use super::Part;

/// Name of the configuration file.
pub const CONFIG: &str = "config.json";

/// The user's cache folder.
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

    /// The cached files of a branch, tag or commit.
    pub fn find(&self, revision: &str) -> Snapshot {
        let commit = fs::read_to_string(self.reference(revision)).unwrap_or_else(|_| revision.to_owned());
        self.snapshot(commit.trim())
    }

    /// The cached files of a commit.
    pub fn snapshot(&self, commit: &str) -> Snapshot {
        let name = commit.replace('/', "-");
        let [folder, absent] = ["snapshots", ".no_exist"].map(|kind| self.folder.join(kind).join(&name));
        Snapshot { commit: commit.to_owned(), folder, absent }
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

/// The downloaded files of a repository at one commit.
#[derive(Debug)]
pub struct Snapshot {
    /// The commit, or the branch or tag if the host doesn't report commits.
    pub commit: String,
    /// The folder of its files, which may not exist yet.
    pub folder: PathBuf,
    /// Where `huggingface_hub` keeps an empty file for each requested file that doesn't exist.
    absent: PathBuf,
}

impl Snapshot {
    /// Returns whether this file has been downloaded.
    pub fn has(&self, name: &str) -> bool {
        self.folder.join(name).is_file()
    }

    /// Returns whether this part of the model can be read.
    pub fn is_usable(&self, part: Part) -> Result<bool> {
        match part {
            Part::Tokenizer => Ok(["tokenizer.json", "vocab.txt"].into_iter().any(|name| self.has(name))),
            Part::Model => Ok(self.has(CONFIG) && self.has_weights() && self.missing_shards()?.is_empty()),
        }
    }

    /// Returns whether there are weights, or an index of them.
    pub fn has_weights(&self) -> bool {
        WEIGHTS.into_iter().any(|name| self.has(name))
    }

    /// The missing shards of the weights.
    pub fn missing_shards(&self) -> Result<Vec<String>> {
        let Some(name) = WEIGHTS.into_iter().find(|name| self.has(name)) else { return Ok(Vec::new()) };
        if !name.ends_with(".json") {
            return Ok(Vec::new());
        }
        let path = self.folder.join(name);
        let index = fs::read(&path).map_err(|source| failed(&path, source))?;
        let index = ShardIndex::parse(name, &index)?;
        Ok(index.files().into_iter().filter(|shard| !self.has(shard)).map(str::to_owned).collect())
    }

    /// The small files that may or may not exist in the repository: another program may have read fewer of
    /// them, or a download may have been interrupted.
    pub fn unknown_files(&self) -> Vec<&'static str> {
        let recorded = fs::read_to_string(self.record()).unwrap_or_default();
        let is_absent =
            |name: &str| recorded.lines().any(|line| line == name) || self.absent.join(name).exists();
        SmallFiles::NAMES.into_iter().filter(|name| !self.has(name) && !is_absent(name)).collect()
    }

    /// Records that the small files that aren't here don't exist, so that they aren't requested again.
    pub fn record_absent_files(&self) -> Result<()> {
        let absent: Vec<&str> = SmallFiles::NAMES.into_iter().filter(|name| !self.has(name)).collect();
        fs::write(self.record(), absent.join("\n")).map_err(|source| failed(&self.record(), source))
    }

    fn record(&self) -> PathBuf {
        self.folder.join(".mobilebert-absent")
    }
}

/// The error for a file that can't be stored.
pub fn failed(path: &Path, source: std::io::Error) -> Error {
    Error::Io { file: path.display().to_string(), source }
}
