//! A Hub on this machine with the repositories in `tests/fixtures/hub`. The first part of a path makes it
//! misbehave.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};

use crate::process::{Ran, command};

/// The commits of `main` and of `refs/pr/8`.
pub const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
pub const PULL_REQUEST: &str = "8888888888888888888888888888888888888888";
/// The valid token for this Hub.
pub const TOKEN: &str = "hf_known";
/// Names of repositories.
pub const TYPEFORM: &str = "typeform/mobilebert-uncased-mnli";
pub const GOOGLE: &str = "google/mobilebert-uncased";
/// A port without a listener.
pub const NOBODY: &str = "http://127.0.0.1:9";

/// First parts of paths, each with different behavior below it.
const HOSTS: [&str; 8] = [
    // A login page instead of every file.
    "/portal",
    // Weights end early.
    "/mirror",
    // Every file takes a while.
    "/slow",
    // Requires the token; small files are redirected to another path, as on the real Hub.
    "/private",
    // Everything except the configuration is denied: to everyone, or without a token.
    "/gated",
    "/closing",
    // The commit is invalid.
    "/odd",
    // There are sentence-transformers files, and a tokenizer.json that isn't one.
    "/sentences",
];

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/hub")
}

/// Serves until the process ends; returns its address.
pub fn start_hub() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        listener.incoming().flatten().for_each(|stream| drop(std::thread::spawn(|| answer(stream))))
    });
    address
}

/// Status line, content type and body.
type Response = (&'static str, &'static str, Vec<u8>);

const JSON: &str = "application/json";

fn answer(mut stream: TcpStream) {
    let (path, tokens) = read_request(&stream);
    let host = HOSTS.into_iter().find(|host| path.starts_with(&format!("{host}/"))).unwrap_or_default();
    let (status, kind, body) = respond(host, &path, &tokens);
    let mut body = body.as_slice();
    let mut length = format!("content-length: {}\r\n", body.len());
    if host == "/mirror" && [".safetensors", ".bin"].iter().any(|end| path.ends_with(end)) {
        // Without the length, the client can't tell.
        body = &body[..body.len() / 2];
        length.clear();
    }
    let commit = match host {
        "/odd" => "../../../elsewhere",
        _ if path.contains("/refs/pr/8/") => PULL_REQUEST,
        _ => COMMIT,
    };
    let location = status
        .starts_with("307")
        .then(|| format!("location: {}\r\n", path.replace("/resolve/", "/resolve-cache/")));
    let head = format!(
        "HTTP/1.1 {status}\r\nx-repo-commit: {commit}\r\ncontent-type: {kind}; charset=utf-8\r\n\
         {}{length}connection: close\r\n\r\n",
        location.unwrap_or_default()
    );
    if host == "/slow" {
        let (first, rest) = body.split_at(body.len() / 2);
        let _ = stream.write_all(&[head.as_bytes(), first].concat());
        std::thread::sleep(Duration::from_millis(300));
        let _ = stream.write_all(rest);
        return;
    }
    let _ = stream.write_all(&[head.as_bytes(), body].concat());
}

/// The path of a request and its tokens. Reads the request to its end, so that closing the connection doesn't
/// reset it.
fn read_request(stream: &TcpStream) -> (String, Vec<String>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut line = String::new();
    let _ = reader.read_line(&mut line);
    let mut header = String::new();
    let mut tokens = Vec::new();
    while reader.read_line(&mut header).is_ok_and(|read| read > 2) {
        tokens.extend(header.trim().strip_prefix("authorization: Bearer ").map(str::to_owned));
        header.clear();
    }
    (line.split(' ').nth(1).unwrap_or_default().replace("%2F", "/"), tokens)
}

fn respond(host: &str, path: &str, tokens: &[String]) -> Response {
    let is_small = !path.ends_with(".safetensors") && !path.ends_with(".bin");
    let is_config = path.ends_with("/config.json");
    match host {
        _ if tokens.iter().any(|token| token != TOKEN) => ("401 Unauthorized", JSON, b"{}".to_vec()),
        "/portal" => ("200 OK", "text/html", b"<!doctype html><title>Log in</title>".to_vec()),
        "/private" if tokens.is_empty() => ("401 Unauthorized", JSON, b"{}".to_vec()),
        "/private" if is_small && path.contains("/resolve/") => ("307 Temporary Redirect", JSON, Vec::new()),
        "/gated" if !is_config => ("403 Forbidden", JSON, b"{}".to_vec()),
        "/closing" if !is_config && tokens.is_empty() => ("401 Unauthorized", JSON, b"{}".to_vec()),
        _ => match content(path) {
            Some(body) => ("200 OK", "application/octet-stream", body),
            None => ("404 Not Found", JSON, b"{}".to_vec()),
        },
    }
}

/// The content at a path.
pub fn content(path: &str) -> Option<Vec<u8>> {
    if path.starts_with("/api/models/Xenova/") {
        let listed = json!({ "siblings": [{ "rfilename": "onnx/model.onnx" }], "cardData": { "base_model": TYPEFORM } });
        return Some(listed.to_string().into_bytes());
    }
    let host = HOSTS.into_iter().find(|host| path.starts_with(&format!("{host}/"))).unwrap_or_default();
    let path = path[host.len()..].replace("/resolve-cache/", "/resolve/");
    let (repository, rest) = path.strip_prefix('/')?.split_once("/resolve/")?;
    let folder = fixtures().join(repository.replace('/', "--"));
    let file = |commit: &str, name: &str| {
        let is_changed = commit == PULL_REQUEST && !["config.json", "vocab.txt"].contains(&name);
        fs::read(if is_changed { folder.join("refs-pr-8").join(name) } else { folder.join(name) }).ok()
    };
    let (commit, name) = rest.split_once('/')?;
    match (host, commit) {
        ("/sentences", _) if of_sentences(name).is_some() => of_sentences(name),
        (_, COMMIT | PULL_REQUEST) | ("/odd", _) => file(commit, name),
        // As if branches moved immediately: they only serve the file that determines their commit.
        _ => ["main/config.json", "refs/pr/8/config.json"]
            .contains(&rest)
            .then(|| file(COMMIT, "config.json"))?,
    }
}

fn of_sentences(name: &str) -> Option<Vec<u8>> {
    let module = |index: usize, path: &str, kind: &str| json!({ "idx": index, "name": index.to_string(), "path": path, "type": format!("sentence_transformers.models.{kind}") });
    match name {
        "modules.json" => {
            Some(json!([module(0, "", "Transformer"), module(1, "1_Pooling", "Pooling")]).to_string().into())
        }
        "1_Pooling/config.json" => Some(json!({ "pooling_mode_cls_token": true }).to_string().into()),
        "tokenizer.json" => Some(b"not a tokenizer".to_vec()),
        _ => None,
    }
}

/// Runs a command with this Hub and this cache.
pub fn with_hub(hub: &str, cache: &Path, arguments: &[&str]) -> Ran {
    with_variables(hub, cache, &[], arguments)
}

/// Like [`with_hub`], with more environment variables.
pub fn with_variables(hub: &str, cache: &Path, variables: &[(&str, &str)], arguments: &[&str]) -> Ran {
    let mut command = command(arguments);
    command.env("HF_ENDPOINT", hub).env("HF_HOME", cache).stdin(Stdio::null());
    for variable in ["HF_HUB_CACHE", "HF_TOKEN", "HF_HUB_OFFLINE"] {
        command.env_remove(variable);
    }
    Ran::of(command.envs(variables.iter().copied()).output().unwrap())
}

/// The folder of a commit's files in a cache.
pub fn snapshot(cache: &Path, id: &str, commit: &str) -> PathBuf {
    cache.join("hub").join(format!("models--{}", id.replace('/', "--"))).join("snapshots").join(commit)
}

/// The results of Python's `transformers` for a repository.
pub fn expected(id: &str) -> Value {
    let all: Value = serde_json::from_slice(&fs::read(fixtures().join("expected.json")).unwrap()).unwrap();
    all[id].clone()
}
