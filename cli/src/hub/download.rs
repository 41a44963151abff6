//! Downloads a model from the Hub, or from the mirror in `HF_ENDPOINT`.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use mobilebert::error::{Error, Result};
use mobilebert::model::{SmallFiles, WEIGHTS, WEIGHTS_FILE};
use mobilebert::weights::{ShardIndex, Stream};
use serde::Deserialize;
use ureq::{Agent, Body, http::Response};

use super::Id;
use super::cache::{Cache, failed};
use crate::output::progress;

const CONFIG: &str = "config.json";
/// Until a host responds, and until its next bytes arrive.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A repository on its host.
struct Repository<'a> {
    agent: Agent,
    endpoint: String,
    id: &'a Id,
    /// The commit that the branch or tag of `id` is at, once it is known.
    commit: Option<String>,
}

/// Downloads a model's files into the cache; the configuration last, because it marks the model as complete.
pub fn download(id: &Id, cache: &Cache) -> Result<PathBuf> {
    let endpoint = variable("HF_ENDPOINT").unwrap_or_else(|| "https://huggingface.co".into());
    let settings =
        Agent::config_builder().timeout_connect(Some(TIMEOUT)).timeout_recv_response(Some(TIMEOUT));
    let endpoint = endpoint.trim_end_matches('/').to_owned();
    let mut repository = Repository { agent: settings.build().into(), endpoint, id, commit: None };
    let config = repository.get(CONFIG)?.ok_or_else(|| repository.missing(CONFIG))?;
    let stated = config.headers().get("x-repo-commit").and_then(|commit| commit.to_str().ok());
    // A branch may move while its files are downloaded.
    repository.commit = stated.map(str::to_owned);
    let commit = repository.revision().to_owned();
    let folder = cache.snapshot(&commit);
    fs::create_dir_all(&folder).map_err(|source| failed(&folder, source))?;
    repository.weights(&folder)?;
    for name in SmallFiles::NAMES {
        if let Some(response) = repository.get(name)? {
            store(response, &folder, name)?;
        }
    }
    store(config, &folder, CONFIG)?;
    cache.refer(&id.revision, &commit)?;
    Ok(folder)
}

/// An environment variable; none if it is blank. Tokens are often read from files that end with a newline.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
}

impl Repository<'_> {
    /// The first weights that exist, with all shards.
    fn weights(&self, folder: &Path) -> Result<()> {
        for name in WEIGHTS {
            let Some(response) = self.get(name)? else { continue };
            if !name.ends_with(".json") {
                return store(response, folder, name);
            }
            store(response, folder, name)?;
            let path = folder.join(name);
            let index = fs::read(&path).map_err(|source| failed(&path, source))?;
            for shard in ShardIndex::parse(name, &index)?.files() {
                store(self.get(shard)?.ok_or_else(|| self.missing(shard))?, folder, shard)?;
            }
            return Ok(());
        }
        Err(self.without_weights())
    }

    fn revision(&self) -> &str {
        self.commit.as_ref().unwrap_or(&self.id.revision)
    }

    /// A file; none if it doesn't exist.
    fn get(&self, name: &str) -> Result<Option<Response<Body>>> {
        let repository = &self.id.name;
        let revision = self.revision().replace('/', "%2F");
        let url = format!("{}/{repository}/resolve/{revision}/{name}", self.endpoint);
        let response = self.request(&url)?;
        // Networks that ask to log in answer with a page, which would stay in the cache.
        let is_page = |response: &Response<Body>| response.body().mime_type() == Some("text/html");
        if response.as_ref().is_some_and(is_page) {
            let problem = "it is an HTML page; check the network and HF_ENDPOINT".into();
            return Err(Error::NotAModel { file: url, problem });
        }
        Ok(response)
    }

    fn request(&self, url: &str) -> Result<Option<Response<Body>>> {
        let mut request = self.agent.get(url);
        if let Some(token) = variable("HF_TOKEN") {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        match request.call() {
            Ok(response) => Ok(Some(response)),
            // The Hub doesn't tell a repository that doesn't exist from a private one.
            Err(ureq::Error::StatusCode(401 | 403 | 404 | 410)) => Ok(None),
            Err(error) => {
                let name = &self.id.name;
                let hint = format!("`{name}` isn't a directory here, so it was looked up on the Hub");
                Err(Error::Io { file: url.to_owned(), source: io::Error::other(format!("{error}; {hint}")) })
            }
        }
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

    /// The error for a repository without weights that can be read. The Hub may know what it was made from.
    fn without_weights(&self) -> Error {
        let Id { name, revision } = self.id;
        let revision = revision.replace('/', "%2F");
        let listed = self.request(&format!("{}/api/models/{name}/revision/{revision}", self.endpoint));
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

/// Stores a file under its name once all of its bytes have arrived. If another process has stored it by then and it can't be
/// replaced, that one is taken.
fn store(response: Response<Body>, folder: &Path, name: &str) -> Result<()> {
    let path = folder.join(name);
    // Another process may be downloading it, too.
    let incomplete = folder.join(format!("{name}.{}.incomplete", std::process::id()));
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(|source| failed(parent, source))?;
    }
    let stored = receive(response, &incomplete, name).and_then(|()| match fs::rename(&incomplete, &path) {
        Err(source) if !path.is_file() => Err(failed(&path, source)),
        _ => Ok(()),
    });
    // Left over after an error.
    let _ = fs::remove_file(&incomplete);
    stored
}

/// Writes a response to a new file. Weights are read on the way: a host that doesn't state the length may have ended early,
/// and the cache would keep what it sent.
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

/// Reads in a thread of its own, because a read can't be given a time limit. The last chunk is empty.
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
    fn the_last_chunk_is_empty() {
        let chunks = chunks(io::Cursor::new(b"all".to_vec()));
        assert_eq!(next(&chunks, TIMEOUT).unwrap(), b"all");
        assert_eq!(next(&chunks, TIMEOUT).unwrap(), b"");
    }
}
