//! Access to a Hub: tokens, denied access, and working offline.

use std::fs;

use crate::hub_server::{COMMIT, GOOGLE, NOBODY, TOKEN, snapshot, start_hub, with_hub, with_variables};
use crate::process::Ran;

/// Inspects a model with this token and an empty cache.
fn inspect_with(hub: &str, token: &str) -> Ran {
    let cache = tempfile::tempdir().unwrap();
    with_variables(hub, cache.path(), &[("HF_TOKEN", token)], &["inspect", GOOGLE])
}

#[test]
fn a_token_may_end_with_a_newline_and_a_blank_one_counts_as_none() {
    let hub = start_hub();
    for token in [TOKEN, "hf_known\n", "", " \n"] {
        inspect_with(&hub, token).done();
    }
}

#[test]
fn a_token_goes_along_to_other_paths_of_the_same_host() {
    let hub = format!("{}/private", start_hub());
    inspect_with(&hub, TOKEN).done();
    // The error is the same as if it didn't exist.
    inspect_with(&hub, "").failed(&["lacks this file", "HF_TOKEN"]);
}

#[test]
fn a_token_that_is_refused_is_named() {
    let hub = start_hub();
    for host in ["", "/private", "/closing"] {
        inspect_with(&format!("{hub}{host}"), "hf_expired").failed(&["HF_TOKEN was refused", "config.json"]);
    }
}

#[test]
fn files_that_are_refused_do_not_count_as_absent() {
    let hub = start_hub();
    let cache = tempfile::tempdir().unwrap();
    for id in [GOOGLE, "Xenova/mobilebert-uncased-mnli"] {
        let inspect = |host: &str| with_hub(&format!("{hub}{host}"), cache.path(), &["inspect", id]);
        inspect("/gated").failed(&["model.safetensors", "accept the model's terms", &format!("/gated/{id}")]);
        inspect("/closing").failed(&["model.safetensors", "private models need HF_TOKEN"]);
    }
    assert!(!snapshot(cache.path(), GOOGLE, COMMIT).join("config.json").exists());
    with_hub(&hub, cache.path(), &["inspect", GOOGLE]).done();
}

#[test]
fn offline_the_hub_is_never_asked() {
    let (hub, cache) = (start_hub(), tempfile::tempdir().unwrap());
    let inspect =
        |value: &str| with_variables(&hub, cache.path(), &[("HF_HUB_OFFLINE", value)], &["inspect", GOOGLE]);
    for value in ["1", "true", "YES", "on"] {
        inspect(value).failed(&[GOOGLE, "not found", "HF_HUB_OFFLINE"]);
    }
    assert!(!cache.path().join("hub").exists());
    inspect("0").done();
    let ran = inspect("1");
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    // Nor for files that may be missing.
    fs::remove_file(snapshot(cache.path(), GOOGLE, COMMIT).join(".mobilebert-absent")).unwrap();
    let ran = inspect("1");
    assert!(ran.code == Some(0) && ran.stderr.contains("HF_HUB_OFFLINE"), "{ran:?}");
}

#[test]
fn a_commit_that_is_a_path_is_not_taken_for_one() {
    let (hub, cache) = (start_hub(), tempfile::tempdir().unwrap());
    with_hub(&format!("{hub}/odd"), cache.path(), &["inspect", GOOGLE]).done();
    assert!(snapshot(cache.path(), GOOGLE, "main").join("pytorch_model.bin").is_file());
    assert!(!cache.path().join("elsewhere").exists() && !cache.path().join("hub/elsewhere").exists());
    with_hub(NOBODY, cache.path(), &["inspect", GOOGLE]).done();
}
