//! The command line from the user's side: real processes, real directories, exit codes, stdout and stderr.

mod answer;
mod bad_input;
mod bad_models;
mod bench;
mod checkpoints;
mod eval;
mod hub;
mod hub_access;
mod hub_cache;
mod hub_server;
mod models;
mod process;
mod published;
mod pytorch;
mod run;
mod scores;
mod smaller;
mod texts;
mod tokens;

#[path = "../../../tests/not_run/mod.rs"]
mod not_run;

#[path = "../../../tests/support/mod.rs"]
mod support;
