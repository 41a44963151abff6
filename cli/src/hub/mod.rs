//! Models by Hugging Face id: read from the cache that Python's libraries use, and downloaded into it if
//! necessary.

mod cache;
mod download;

use std::path::{Path, PathBuf};

use mobilebert::error::{Error, Result};

use cache::Cache;
pub use cache::user_cache;

use crate::output::{note, printable};

/// A repository and a branch, tag or commit.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Id {
    /// `owner/name`
    name: String,
    revision: String,
}

impl Id {
    /// Parses `owner/name` or `owner/name@revision`.
    fn parse(text: &str) -> Option<Id> {
        let (name, revision) = text.split_once('@').unwrap_or((text, "main"));
        let (owner, own) = name.split_once('/')?;
        let is_plain = |part: &str| {
            let plain = |character: char| character.is_ascii_alphanumeric() || "-_.".contains(character);
            !part.is_empty() && !part.starts_with('.') && part.chars().all(plain)
        };
        let is_revision = !revision.is_empty() && revision.split('/').all(is_plain);
        (is_plain(owner) && is_plain(own) && is_revision)
            .then(|| Id { name: name.to_owned(), revision: revision.to_owned() })
    }
}

/// The part of a model that a command reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// The whole model.
    Model,
    /// Only the small files.
    Tokenizer,
}

/// The directory of a model given by its path or by an id. An existing folder takes precedence.
///
/// # Errors
/// `NotFound` if the Hub has no such model, `Io` if it can't be reached or the files can't be stored.
pub fn directory(model: &Path) -> Result<PathBuf> {
    find(model, Part::Model)
}

/// Like [`directory`], but weights aren't downloaded.
///
/// # Errors
/// Same as [`directory`].
pub fn small_files(model: &Path) -> Result<PathBuf> {
    find(model, Part::Tokenizer)
}

fn find(model: &Path, part: Part) -> Result<PathBuf> {
    let id = model.to_str().and_then(Id::parse).filter(|_| !model.exists());
    let Some(id) = id else { return Ok(model.to_owned()) };
    let cache = Cache::of(&id.name)?;
    let snapshot = cache.find(&id.revision);
    let is_usable = snapshot.is_usable(part)?;
    if is_usable && snapshot.unknown_files().is_empty() {
        return Ok(snapshot.folder);
    }
    let completed =
        if is_offline() { Err(offline(&id)) } else { download::complete(&id, &cache, &snapshot, part) };
    match completed {
        Err(error) if is_usable => {
            let name = &id.name;
            note(&printable(&format!(
                "`{name}` is read from the cache, where it may lack files that change its results: {error}"
            )));
            Ok(snapshot.folder)
        }
        completed => completed,
    }
}

/// `HF_HUB_OFFLINE`, with the values that Python's libraries treat as true.
fn is_offline() -> bool {
    let value = std::env::var("HF_HUB_OFFLINE").unwrap_or_default().to_ascii_lowercase();
    ["1", "true", "yes", "on"].contains(&value.as_str())
}

fn offline(id: &Id) -> Error {
    Error::NotFound {
        file: id.name.clone(),
        hint: "it isn't a directory here, nor complete in the cache, and HF_HUB_OFFLINE forbids contacting the Hub; unset it"
            .into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_an_owner_and_a_name() {
        let id = |name: &str, revision: &str| Some(Id { name: name.into(), revision: revision.into() });
        assert_eq!(Id::parse("google/mobilebert-uncased"), id("google/mobilebert-uncased", "main"));
        assert_eq!(Id::parse("a/b.c@refs/pr/8"), id("a/b.c", "refs/pr/8"));
        for path in
            ["model", "./model", "../model", "a/b/c", "/a/b", "a/b@", "a/b@../x", "a\\b", "a/", "/", "a/b c"]
        {
            assert_eq!(Id::parse(path), None, "{path}");
        }
    }
}
