//! Access to a Hub: tokens, refusals, and working without it.

use crate::hub_server::{GOOGLE, TOKEN, start_hub, with_variables};
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
