//! Models by Hugging Face id, from a Hub on this machine.

use std::fs;

use crate::hub_server::{COMMIT, GOOGLE, NOBODY, TYPEFORM, content, expected, snapshot, start_hub, with_hub};
use crate::process::{Ran, command, text};

#[test]
fn an_id_is_downloaded_once_into_the_cache_and_answers_like_transformers() {
    let cache = tempfile::tempdir().unwrap();
    let stated = expected(TYPEFORM);
    let arguments =
        ["zero-shot", "--model", TYPEFORM, "--labels", "cat,dog,park", "--json", "--device", "cpu"];
    let arguments = [&arguments[..], &[stated["text"].as_str().unwrap()]].concat();
    // The second time, the Hub can't be reached.
    for hub in [start_hub(), NOBODY.to_owned()] {
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

/// While both are receiving, neither may write into the other's file.
#[test]
fn processes_that_download_the_same_model_at_once_do_not_disturb_each_other() {
    let (hub, cache) = (start_hub(), tempfile::tempdir().unwrap());
    let hub = format!("{hub}/slow");
    let inspect = || with_hub(&hub, cache.path(), &["inspect", "google/mobilebert-uncased"]);
    std::thread::scope(|scope| {
        let processes: Vec<_> = (0..4).map(|_| scope.spawn(inspect)).collect();
        processes.into_iter().for_each(|process| drop(process.join().unwrap().done()));
    });
    let model = snapshot(cache.path(), GOOGLE, COMMIT);
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
    // A failed download isn't mistaken for a model.
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
