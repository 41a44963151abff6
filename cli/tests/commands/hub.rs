//! Models by Hugging Face id, from a Hub on this machine.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};

use crate::process::{Ran, command, text};

/// The commits of `main` and of `refs/pr/8`.
const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
const PULL_REQUEST: &str = "8888888888888888888888888888888888888888";
/// The header of the token that this Hub knows.
const TOKEN: &str = "Bearer hf_known";
const TYPEFORM: &str = "typeform/mobilebert-uncased-mnli";

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/hub")
}

/// Serves the repositories in `tests/fixtures/hub` until the process ends; returns its address.
fn start_hub() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        listener.incoming().flatten().for_each(|stream| drop(std::thread::spawn(|| answer(stream))))
    });
    address
}

fn answer(mut stream: TcpStream) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut line = String::new();
    let _ = reader.read_line(&mut line);
    // The rest of the request, so that closing the connection doesn't reset it.
    let mut header = String::new();
    let mut authorizations = Vec::new();
    while reader.read_line(&mut header).is_ok_and(|read| read > 2) {
        authorizations.extend(header.trim().strip_prefix("authorization: ").map(str::to_owned));
        header.clear();
    }
    let path = line.split(' ').nth(1).unwrap_or_default().replace("%2F", "/");
    let (status, kind, body) = match content(&path) {
        _ if authorizations.iter().any(|value| value != TOKEN) => {
            ("401 Unauthorized", "application/json", b"{}".to_vec())
        }
        _ if path.starts_with("/portal/") => {
            ("200 OK", "text/html", b"<!doctype html><title>Log in</title>".to_vec())
        }
        Some(body) => ("200 OK", "application/octet-stream", body),
        None => ("404 Not Found", "application/json", b"{}".to_vec()),
    };
    let mut body = body.as_slice();
    let mut length = format!("content-length: {}\r\n", body.len());
    if path.starts_with("/mirror/") && [".safetensors", ".bin"].iter().any(|end| path.ends_with(end)) {
        // It ends early, and without the length nobody can tell.
        body = &body[..body.len() / 2];
        length.clear();
    }
    let commit = if path.contains("/refs/pr/8/") { PULL_REQUEST } else { COMMIT };
    let head = format!(
        "HTTP/1.1 {status}\r\nx-repo-commit: {commit}\r\ncontent-type: {kind}; charset=utf-8\r\n\
         {length}connection: close\r\n\r\n"
    );
    if path.starts_with("/slow/") {
        let (first, rest) = body.split_at(body.len() / 2);
        let _ = stream.write_all(&[head.as_bytes(), first].concat());
        std::thread::sleep(Duration::from_millis(300));
        let _ = stream.write_all(rest);
        return;
    }
    let _ = stream.write_all(&[head.as_bytes(), body].concat());
}

fn content(path: &str) -> Option<Vec<u8>> {
    if path.starts_with("/api/models/Xenova/") {
        let listed = json!({ "siblings": [{ "rfilename": "onnx/model.onnx" }], "cardData": { "base_model": TYPEFORM } });
        return Some(listed.to_string().into_bytes());
    }
    let path = ["/mirror", "/slow"].iter().find_map(|host| path.strip_prefix(host)).unwrap_or(path);
    let (repository, rest) = path.strip_prefix('/')?.split_once("/resolve/")?;
    let folder = fixtures().join(repository.replace('/', "--"));
    let file = |commit: &str, name: &str| {
        let is_changed = commit == PULL_REQUEST && !["config.json", "vocab.txt"].contains(&name);
        fs::read(if is_changed { folder.join("refs-pr-8").join(name) } else { folder.join(name) }).ok()
    };
    let (commit, name) = rest.split_once('/')?;
    match commit {
        COMMIT | PULL_REQUEST => file(commit, name),
        // As if the branches moved at once: only what tells their commit is read from them.
        _ => ["main/config.json", "refs/pr/8/config.json"]
            .contains(&rest)
            .then(|| file(COMMIT, "config.json"))?,
    }
}

/// Runs a command with this Hub and this cache.
fn with_hub(hub: &str, cache: &Path, arguments: &[&str]) -> Ran {
    let mut command = command(arguments);
    command.env("HF_ENDPOINT", hub).env("HF_HOME", cache).env_remove("HF_HUB_CACHE").env_remove("HF_TOKEN");
    command.stdin(Stdio::null());
    Ran::of(command.output().unwrap())
}

fn expected(id: &str) -> Value {
    let all: Value = serde_json::from_slice(&fs::read(fixtures().join("expected.json")).unwrap()).unwrap();
    all[id].clone()
}

#[test]
fn an_id_is_downloaded_once_into_the_cache_and_answers_like_transformers() {
    let cache = tempfile::tempdir().unwrap();
    let stated = expected(TYPEFORM);
    let arguments =
        ["zero-shot", "--model", TYPEFORM, "--labels", "cat,dog,park", "--json", "--device", "cpu"];
    let arguments = [&arguments[..], &[stated["text"].as_str().unwrap()]].concat();
    // The second time, the Hub can't be reached.
    for hub in [start_hub(), "http://127.0.0.1:9".to_owned()] {
        let found = with_hub(&hub, cache.path(), &arguments).json();
        let labels = found["labels"].as_array().unwrap();
        for (found, stated) in labels.iter().zip(stated["ranked"].as_array().unwrap()) {
            assert_eq!(found["label"], stated["label"]);
            assert!((found["score"].as_f64().unwrap() - stated["score"].as_f64().unwrap()).abs() < 1e-4);
        }
    }
    let folder = cache.path().join("hub/models--typeform--mobilebert-uncased-mnli");
    assert_eq!(fs::read_to_string(folder.join("refs/main")).unwrap(), COMMIT);
    assert!(folder.join("snapshots").join(COMMIT).join("pytorch_model.bin").is_file());
}

#[test]
fn other_models_and_revisions_are_found_by_id() {
    let (hub, cache) = (start_hub(), tempfile::tempdir().unwrap());
    let google = expected("google/mobilebert-uncased");
    for id in ["google/mobilebert-uncased", "google/mobilebert-uncased@refs/pr/8"] {
        let fill = ["fill-mask", "--model", id, "--top-k", "3", "--json", "--device", "cpu"];
        let found =
            with_hub(&hub, cache.path(), &[&fill[..], &[google["text"].as_str().unwrap()]].concat()).json();
        assert_eq!(
            found["masks"][0]["candidates"][0]["token_str"], google["words"][0]["token"],
            "{id}: {found}"
        );
    }
    let csarron = expected("csarron/mobilebert-uncased-squad-v2");
    let passage = cache.path().join("passage.txt");
    fs::write(&passage, csarron["context"].as_str().unwrap()).unwrap();
    let ask = ["answer", "--model", "csarron/mobilebert-uncased-squad-v2", "--json", "--device", "cpu"];
    let question = ["--question", csarron["question"].as_str().unwrap(), "--context", text(&passage)];
    let found = with_hub(&hub, cache.path(), &[&ask[..], &question].concat()).json();
    assert_eq!(found["answers"][0]["text"], csarron["answer"]);
}

/// While both are receiving, neither may write into the file of the other.
#[test]
fn processes_that_download_the_same_model_at_once_do_not_disturb_each_other() {
    let (hub, cache) = (start_hub(), tempfile::tempdir().unwrap());
    let hub = format!("{hub}/slow");
    let inspect = || with_hub(&hub, cache.path(), &["inspect", "google/mobilebert-uncased"]);
    std::thread::scope(|scope| {
        let processes: Vec<_> = (0..4).map(|_| scope.spawn(inspect)).collect();
        processes.into_iter().for_each(|process| drop(process.join().unwrap().done()));
    });
    let model = cache.path().join("hub/models--google--mobilebert-uncased/snapshots").join(COMMIT);
    let stored = |file: &str| fs::read(model.join(file)).unwrap();
    let sent = |file: &str| content(&format!("/google/mobilebert-uncased/resolve/{COMMIT}/{file}")).unwrap();
    assert!(stored("pytorch_model.bin") == sent("pytorch_model.bin"));
    let mut names = fs::read_dir(model).unwrap().map(|entry| entry.unwrap().path());
    assert!(
        names.all(|name| name.extension().is_none_or(|kind| kind != "incomplete")),
        "a part is left behind"
    );
}

#[test]
fn what_the_hub_lacks_is_named_with_what_to_do() {
    let (hub, cache) = (start_hub(), tempfile::tempdir().unwrap());
    let inspect = |hub: &str, id: &str| with_hub(hub, cache.path(), &["inspect", id]);
    inspect(&hub, "nobody/nothing").failed(&["nobody/nothing/config.json", "lacks this file", "HF_TOKEN"]);
    inspect(&hub, "Xenova/mobilebert-uncased-mnli").failed(&["only ONNX files", &format!("load {TYPEFORM}")]);
    let unreached = "http://127.0.0.1:9/a/b/resolve/main/config.json";
    inspect("http://127.0.0.1:9", "a/b").failed(&[unreached, "`a/b` isn't a directory here"]);
    // A download that failed isn't taken for a model.
    inspect("http://127.0.0.1:9", "Xenova/mobilebert-uncased-mnli").failed(&["127.0.0.1:9"]);
}

#[test]
fn an_existing_folder_takes_precedence_over_an_id() {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("google/mobilebert-uncased");
    fs::create_dir_all(&model).unwrap();
    let mut command = command(&["inspect", "google/mobilebert-uncased"]);
    command.current_dir(folder.path()).env("HF_ENDPOINT", "http://127.0.0.1:9").env("HF_HOME", folder.path());
    Ran::of(command.output().unwrap()).failed(&["google/mobilebert-uncased/config.json", "not found"]);
}

#[test]
fn a_page_in_place_of_a_file_does_not_stay_in_the_cache() {
    let (hub, cache) = (start_hub(), tempfile::tempdir().unwrap());
    let inspect = |hub: &str| with_hub(hub, cache.path(), &["inspect", "google/mobilebert-uncased"]);
    inspect(&format!("{hub}/portal")).failed(&["google/mobilebert-uncased", "HTML page", "HF_ENDPOINT"]);
    inspect(&hub).done();
}

#[test]
fn half_of_a_file_does_not_stay_in_the_cache() {
    let hub = start_hub();
    for (id, file) in [
        ("google/mobilebert-uncased", "pytorch_model.bin"),
        ("csarron/mobilebert-uncased-squad-v2", "model.safetensors"),
    ] {
        let cache = tempfile::tempdir().unwrap();
        let inspect = |hub: &str| with_hub(hub, cache.path(), &["inspect", id]);
        inspect(&format!("{hub}/mirror")).failed(&[file, "fetch it again"]);
        inspect(&hub).done();
    }
}

#[test]
fn a_token_may_end_with_a_newline_and_a_blank_one_counts_as_none() {
    let hub = start_hub();
    let inspect = |token: &str| {
        let cache = tempfile::tempdir().unwrap();
        let mut command = command(&["inspect", "google/mobilebert-uncased"]);
        command.env("HF_ENDPOINT", &hub).env("HF_HOME", cache.path()).env("HF_TOKEN", token);
        Ran::of(command.env_remove("HF_HUB_CACHE").output().unwrap())
    };
    for token in ["hf_known", "hf_known\n", "", " \n"] {
        inspect(token).done();
    }
    inspect("hf_unknown").failed(&["lacks this file"]);
}
