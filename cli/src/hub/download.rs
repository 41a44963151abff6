//! Downloads a model, or the parts missing from the cache, from the Hub or from the mirror in `HF_ENDPOINT`.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use mobilebert::error::{Error, Result};
use mobilebert::model::{SmallFiles, WEIGHTS, WEIGHTS_FILE};
use mobilebert::weights::{ShardIndex, Stream};
use serde::Deserialize;
use ureq::config::RedirectAuthHeaders;
use ureq::http::{Response, StatusCode};
use ureq::{Agent, Body};

use super::cache::{CONFIG, Cache, Snapshot, failed};
use super::{Id, Part};
use crate::output::progress;

/// How long to wait for a host to respond, and for its next bytes.
const TIMEOUT: Duration = Duration::from_secs(30);
/// The age at which an incomplete file is assumed to be abandoned.
const ABANDONED: Duration = Duration::from_secs(24 * 60 * 60);

/// A repository on its host.
struct Repository<'a> {
    agent: Agent,
    endpoint: String,
    id: &'a Id,
    token: Option<String>,
    /// The commit of the branch or tag of `id`, once known.
    commit: Option<String>,
}

/// Downloads the files of a model that are missing from the cache.
pub fn complete(id: &Id, cache: &Cache, found: &Snapshot, part: Part) -> Result<PathBuf> {
    let mut repository = Repository::new(id);
    if found.has(CONFIG) {
        repository.commit = Some(found.commit.clone());
        if part == Part::Model {
            repository.missing_weights(found)?;
        }
        return repository.small_files(found, &found.unknown_files());
    }
    let config = repository.config()?;
    // A branch may move while its files are downloaded.
    repository.commit = commit(&config);
    let snapshot = cache.snapshot(repository.revision());
    if part == Part::Model {
        repository.weights(&snapshot.folder)?;
    }
    repository.small_files(&snapshot, &SmallFiles::NAMES)?;
    // Last, because without it, everything is downloaded again.
    store(config, &snapshot.folder, CONFIG)?;
    cache.refer(&id.revision, &snapshot.commit)?;
    Ok(snapshot.folder)
}

/// The commit in a response's header, if it is a valid folder name.
fn commit(response: &Response<Body>) -> Option<String> {
    let stated = response.headers().get("x-repo-commit")?.to_str().ok()?;
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "-_".contains(character);
    (!stated.is_empty() && stated.chars().all(is_plain)).then(|| stated.to_owned())
}

/// An environment variable, trimmed, because tokens are often read from files that end with a newline; `None`
/// if blank.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
}

impl<'a> Repository<'a> {
    fn new(id: &'a Id) -> Self {
        let endpoint = variable("HF_ENDPOINT").unwrap_or_else(|| "https://huggingface.co".into());
        let settings = Agent::config_builder()
            .timeout_connect(Some(TIMEOUT))
            .timeout_recv_response(Some(TIMEOUT))
            // The Hub redirects requests for small files to another of its paths.
            .redirect_auth_headers(RedirectAuthHeaders::SameHost)
            .http_status_as_error(false);
        let endpoint = endpoint.trim_end_matches('/').to_owned();
        Repository { agent: settings.build().into(), endpoint, id, token: variable("HF_TOKEN"), commit: None }
    }

    /// The configuration, which is requested first.
    fn config(&self) -> Result<Response<Body>> {
        let url = self.url(CONFIG);
        let response = self.send(&url)?;
        // Without a token, the Hub doesn't distinguish missing repositories from private ones.
        let is_unknown = response.status() == StatusCode::UNAUTHORIZED && self.token.is_none();
        let config = if is_unknown { None } else { self.accept(&url, response)? };
        config.ok_or_else(|| self.missing(CONFIG))
    }

    /// The first weights that exist, with all shards.
    fn weights(&self, folder: &Path) -> Result<()> {
        for name in WEIGHTS {
            let Some(response) = self.get(name)? else { continue };
            store(response, folder, name)?;
            if name.ends_with(".json") {
                let path = folder.join(name);
                let index = fs::read(&path).map_err(|source| failed(&path, source))?;
                let index = ShardIndex::parse(name, &index)?;
                return index.files().into_iter().try_for_each(|shard| self.shard(folder, shard));
            }
            return Ok(());
        }
        Err(self.without_weights())
    }

    fn shard(&self, folder: &Path, name: &str) -> Result<()> {
        store(self.get(name)?.ok_or_else(|| self.missing(name))?, folder, name)
    }

    /// Downloads the weights or shards missing from a snapshot.
    fn missing_weights(&self, snapshot: &Snapshot) -> Result<()> {
        if !snapshot.has_weights() {
            return self.weights(&snapshot.folder);
        }
        snapshot.missing_shards()?.iter().try_for_each(|shard| self.shard(&snapshot.folder, shard))
    }

    /// Downloads the small files that exist; returns their folder.
    fn small_files(&self, snapshot: &Snapshot, names: &[&str]) -> Result<PathBuf> {
        for name in names {
            if let Some(response) = self.get(name)? {
                store(response, &snapshot.folder, name)?;
            }
        }
        fs::create_dir_all(&snapshot.folder).map_err(|source| failed(&snapshot.folder, source))?;
        snapshot.record_absent_files()?;
        Ok(snapshot.folder.clone())
    }

    fn revision(&self) -> &str {
        self.commit.as_ref().unwrap_or(&self.id.revision)
    }

    fn url(&self, file: &str) -> String {
        let revision = self.revision().replace('/', "%2F");
        format!("{}/{}/resolve/{revision}/{file}", self.endpoint, self.id.name)
    }

    /// A file; `None` if it doesn't exist.
    fn get(&self, name: &str) -> Result<Option<Response<Body>>> {
        let url = self.url(name);
        self.accept(&url, self.send(&url)?)
    }

    fn send(&self, url: &str) -> Result<Response<Body>> {
        let mut request = self.agent.get(url);
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        request.call().map_err(|error| self.failed(url, &error.to_string()))
    }

    /// A response with a file; `None` if there is no such file.
    fn accept(&self, url: &str, response: Response<Body>) -> Result<Option<Response<Body>>> {
        match response.status().as_u16() {
            200..=299 => {}
            404 | 410 => return Ok(None),
            401 if self.token.is_some() => {
                return Err(
                    self.failed(url, "HF_TOKEN was refused; it may have expired: set another, or unset it")
                );
            }
            401 => return Err(self.failed(url, "access was refused; private models need HF_TOKEN")),
            403 => {
                let page = format!("{}/{}", self.endpoint, self.id.name);
                let advice = format!(
                    "access was refused; accept the model's terms at {page}, and set HF_TOKEN to a token of the same account"
                );
                return Err(self.failed(url, &advice));
            }
            status => return Err(self.failed(url, &format!("http status: {status}"))),
        }
        // Networks that require a login respond with a page, which would stay in the cache.
        if response.body().mime_type() == Some("text/html") {
            let problem = "it is an HTML page; check the network and HF_ENDPOINT".into();
            return Err(Error::NotAModel { file: url.to_owned(), problem });
        }
        Ok(Some(response))
    }

    fn failed(&self, url: &str, problem: &str) -> Error {
        let hint = format!("`{}` isn't a directory here, so it was looked up on the Hub", self.id.name);
        Error::Io { file: url.to_owned(), source: io::Error::other(format!("{problem}; {hint}")) }
    }

    fn missing(&self, file: &str) -> Error {
        let Id { name, revision } = self.id;
        Error::NotFound {
            file: format!("{}/{name}/{file}", self.endpoint),
            hint: format!(
                "`{name}` isn't a directory here, and the Hub lacks this file at revision {revision}; private models need HF_TOKEN"
            ),
        }
    }

    /// The error for a repository without readable weights. The Hub may know what model it was made from.
    fn without_weights(&self) -> Error {
        let Id { name, revision } = self.id;
        let revision = revision.replace('/', "%2F");
        let url = format!("{}/api/models/{name}/revision/{revision}", self.endpoint);
        let listed = self.send(&url).and_then(|response| self.accept(&url, response));
        let listed: Option<Listed> = listed
            .ok()
            .flatten()
            .and_then(|mut response| serde_json::from_reader(response.body_mut().as_reader()).ok());
        let Some(listed) = listed.filter(|listed| listed.siblings.iter().any(Sibling::is_onnx)) else {
            return self.missing(WEIGHTS_FILE);
        };
        let instead = match listed.card_data.base_model {
            Some(Bases::One(base)) => format!("load {base}, which it was made from"),
            Some(Bases::Many(bases)) => format!("load what it was made from: {}", bases.join(" and ")),
            None => "load the model that it was made from, which its model card may name".into(),
        };
        Error::unsupported(format!("`{name}`, which has only ONNX files,"), instead)
    }
}

/// The Hub's description of a repository.
#[derive(Deserialize)]
struct Listed {
    siblings: Vec<Sibling>,
    #[serde(default, rename = "cardData")]
    card_data: Card,
}

#[derive(Deserialize)]
struct Sibling {
    rfilename: String,
}

impl Sibling {
    fn is_onnx(&self) -> bool {
        self.rfilename.ends_with(".onnx")
    }
}

#[derive(Default, Deserialize)]
struct Card {
    base_model: Option<Bases>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Bases {
    One(String),
    Many(Vec<String>),
}

/// Stores a file under its name once all of its bytes have arrived. If another process has stored it in the
/// meantime and it can't be replaced, that file is used.
fn store(response: Response<Body>, folder: &Path, name: &str) -> Result<()> {
    let path = folder.join(name);
    // Another process may be downloading the same file.
    let incomplete = folder.join(format!("{name}.{}.incomplete", std::process::id()));
    let parent = path.parent().unwrap_or(folder);
    fs::create_dir_all(parent).map_err(|source| failed(parent, source))?;
    remove_abandoned(&path, parent);
    let stored = receive(response, &incomplete, name).and_then(|()| match fs::rename(&incomplete, &path) {
        Err(source) if !path.is_file() => Err(failed(&path, source)),
        _ => Ok(()),
    });
    // Left over after an error.
    let _ = fs::remove_file(&incomplete);
    stored
}

/// Removes the remains of interrupted downloads of a file: weights may be large.
fn remove_abandoned(path: &Path, parent: &Path) {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let other = entry.file_name().to_string_lossy().into_owned();
        let process = other.strip_prefix(&*name).and_then(|rest| rest.strip_suffix(".incomplete"));
        let age = entry.metadata().and_then(|data| data.modified()).ok().and_then(|time| time.elapsed().ok());
        if process.is_some_and(|rest| rest.starts_with('.')) && age.is_some_and(|age| age > ABANDONED) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Writes a response to a new file. Weights are parsed on the way: without a stated length, a download that
/// ended early would otherwise stay in the cache.
fn receive(response: Response<Body>, to: &Path, name: &str) -> Result<()> {
    let bytes = response.body().content_length().unwrap_or(0);
    let bar = progress(usize::try_from(bytes).unwrap_or(usize::MAX), "bytes").with_message(name.to_owned());
    let mut file = File::create(to).map_err(|source| failed(to, source))?;
    let has_weights = [".safetensors", ".bin"].iter().any(|end| name.ends_with(end));
    let mut weights = has_weights.then(|| Stream::new(name, None));
    let chunks = chunks(response.into_body().into_reader());
    loop {
        let chunk = next(&chunks, TIMEOUT).map_err(|source| failed(Path::new(name), source))?;
        if chunk.is_empty() {
            break;
        }
        if let Some(weights) = &mut weights {
            weights.push(&chunk)?;
        }
        file.write_all(&chunk).map_err(|source| failed(to, source))?;
        bar.inc(chunk.len() as u64);
    }
    bar.finish_and_clear();
    weights.map_or(Ok(()), |weights| weights.finish().map(drop))
}

/// Reads in a separate thread, because reads have no time limit. The last chunk is empty.
fn chunks(mut reader: impl Read + Send + 'static) -> Receiver<io::Result<Vec<u8>>> {
    let (sender, receiver) = sync_channel(1);
    std::thread::spawn(move || {
        loop {
            let mut chunk = vec![0; 1 << 20];
            let read = reader.read(&mut chunk).map(|read| {
                chunk.truncate(read);
                chunk
            });
            let is_last = read.as_ref().map_or(true, Vec::is_empty);
            if sender.send(read).is_err() || is_last {
                return;
            }
        }
    });
    receiver
}

/// The next chunk, unless none arrives in time.
fn next(chunks: &Receiver<io::Result<Vec<u8>>>, limit: Duration) -> io::Result<Vec<u8>> {
    let late = || io::Error::other(format!("no data for {} s; check the network", limit.as_secs()));
    chunks.recv_timeout(limit).unwrap_or_else(|_| Err(late()))
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn a_host_that_stops_sending_is_given_up() {
        let (reader, mut host) = io::pipe().unwrap();
        host.write_all(b"half").unwrap();
        let chunks = chunks(reader);
        assert_eq!(next(&chunks, TIMEOUT).unwrap(), b"half");
        let error = next(&chunks, Duration::from_millis(10)).unwrap_err();
        assert!(error.to_string().contains("no data"), "{error}");
        drop(host);
    }

    #[test]
    fn what_interrupted_downloads_left_behind_is_removed_after_a_day() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.safetensors");
        let age = |name: &str, hours: u64| {
            let file = File::create(folder.path().join(name)).unwrap();
            file.set_modified(SystemTime::now() - Duration::from_secs(hours * 3600)).unwrap();
        };
        age("model.safetensors.17.incomplete", 25);
        let kept = ["model.safetensors.18.incomplete", "vocab.txt.17.incomplete", "model.safetensors"];
        kept.into_iter().zip([23, 25, 25]).for_each(|(name, hours)| age(name, hours));
        remove_abandoned(&path, folder.path());
        assert!(!folder.path().join("model.safetensors.17.incomplete").exists());
        assert!(kept.iter().all(|name| folder.path().join(name).exists()));
    }

    #[test]
    fn the_last_chunk_is_empty() {
        let chunks = chunks(io::Cursor::new(b"all".to_vec()));
        assert_eq!(next(&chunks, TIMEOUT).unwrap(), b"all");
        assert_eq!(next(&chunks, TIMEOUT).unwrap(), b"");
    }
}
