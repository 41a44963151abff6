//! The project's own commands. They announce everything they install.

mod bench;
mod browser;
mod checks;
mod demo;
mod engine;
mod fingerprint;
mod folder;
mod goldens;
mod gpu_kit;
mod models;
mod offline;
mod outcome;
mod package;
mod pages;
mod process;
mod python;
mod serve;
mod setup;
mod site;
mod size;
mod wasm;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The project's own commands", disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build the page and serve it on this machine.
    Demo {
        /// Port to listen on [default: the first free one from 8080].
        #[arg(long)]
        port: Option<u16>,
        /// A model directory to offer on the page; repeatable.
        #[arg(long, value_name = "DIR")]
        model: Vec<PathBuf>,
        /// Don't open a browser.
        #[arg(long)]
        no_open: bool,
        /// Don't send the headers that isolate the page from other origins, like most hosts.
        #[arg(long)]
        no_isolation: bool,
    },
    /// Run every check: formatting, lints, types, unit tests, parity, GPU, browsers, training.
    #[command(after_help = checks::help())]
    Test {
        /// Skip the checks that install PyTorch: the training tests and the GPU kit.
        #[arg(long)]
        skip_training: bool,
        /// Run only the checks whose name contains this, ignoring case; repeatable.
        #[arg(long, value_name = "NAME")]
        only: Vec<String>,
    },
    /// Run one check and write its outcome to a file; `test` does so for those that run in the background.
    #[command(hide = true)]
    Check { name: String, report: PathBuf },
    /// Build the wasm module, the npm package and a folder that any static host can serve.
    Build {
        /// A model directory to put next to the page; repeatable.
        #[arg(long, value_name = "DIR")]
        model: Vec<PathBuf>,
    },
    /// Compare with onnxruntime-web, transformers.js and LiteRT.js in a browser on this machine (see bench/peers/).
    Bench {
        /// Compare natively instead, with onnxruntime, PyTorch and rten (see bench/native/).
        #[arg(long)]
        native: bool,
        /// `--gpu`: WebGPU instead of WebAssembly; `--only NAME`, `--dtype f32,q8`, `--runs N`, `--warm-up N` uncounted
        /// runs first, `--json`. With `--native`: `--threads 1 2`, `--runs N`, `--json`.
        #[arg(value_name = "OPTION", trailing_var_arg = true, allow_hyphen_values = true)]
        rest: Vec<String>,
    },
    /// Regenerate the reference values of the parity tests, or with `bench` those of the latency page (needs Python;
    /// installs PyTorch into a virtual environment).
    Goldens {
        /// `bench`, or `--only NAME`: try the cases whose name contains NAME, and write nothing.
        #[arg(value_name = "OPTION", trailing_var_arg = true, allow_hyphen_values = true)]
        rest: Vec<String>,
    },
    /// Fill target/gpu-kit with everything that a machine with a GPU and no network needs (see
    /// bench/gpu/README.md).
    GpuKit(gpu_kit::Options),
    /// Take screenshots of every state of the pages, into tests/screens/.
    Screens {
        /// Only these states; an unknown name lists them all. `strip`: the row of screenshots in the README.
        state: Vec<String>,
    },
    /// Measure the page from a cold start to an answer: time to first text, longest task on the main thread.
    LongTasks {
        /// `--runs N` (5), `--throttled`: a second visit on a slow phone.
        #[arg(value_name = "OPTION", trailing_var_arg = true, allow_hyphen_values = true)]
        rest: Vec<String>,
    },
    /// Measure the latency of a keystroke in a long passage, compared with a plain text field.
    Typing {
        /// `--keys N` (5).
        #[arg(value_name = "OPTION", trailing_var_arg = true, allow_hyphen_values = true)]
        rest: Vec<String>,
    },
    /// Compare several workers with one, on the CPU of a browser.
    Workers {
        /// `--threads N` (2), `--runs N` (5), `--windows N` (135).
        #[arg(value_name = "OPTION", trailing_var_arg = true, allow_hyphen_values = true)]
        rest: Vec<String>,
    },
    /// Print the size of each file that a browser downloads.
    Size,
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Demo { port, model, no_open, no_isolation } => {
            demo::run(port, &model, !no_open, !no_isolation)
        }
        Command::Test { skip_training, only } => checks::run(skip_training, &only),
        Command::Check { name, report } => checks::run_one(&name, &report),
        Command::Build { model } => site::run(&model),
        Command::Bench { native: true, rest } => bench::native(&rest),
        Command::Bench { native: false, rest } => bench::browser(&rest),
        Command::Goldens { rest } => goldens::run(&rest),
        Command::GpuKit(options) => gpu_kit::run(&options),
        Command::LongTasks { rest } => browser::script("bench/page/long-tasks.mjs", &rest),
        Command::Screens { state } if state == ["strip"] => browser::script("tests/browser/strip.mjs", &[]),
        Command::Screens { state } => browser::script("tests/browser/screens.mjs", &state),
        Command::Typing { rest } => browser::script("bench/page/typing.mjs", &rest),
        Command::Workers { rest } => browser::script("bench/page/workers.mjs", &rest),
        Command::Size => size::run(),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
