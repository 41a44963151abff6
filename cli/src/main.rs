//! The command line: one file per command. Apart from `Model::open`, only this crate accesses the file system.

mod answer;
mod arguments;
mod bench;
mod classify;
mod command;
mod encode;
mod eval;
mod fill_mask;
mod highlight;
mod hub;
mod input;
mod inspect;
mod label;
mod npy;
mod output;
mod output_file;
mod quantize;
mod rank;
mod raw_input;
mod run;
mod tokens;
mod zero_shot;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use mobilebert::error::Error;

use command::Command;

/// MobileBERT and its relatives on the GPU (through wgpu) or the CPU.
#[derive(Parser)]
#[command(name = "mobilebert", version, about, disable_help_subcommand = true)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

/// Exit codes: 0 success, 1 failure with one line on stderr, 2 wrong usage (by clap).
fn main() -> ExitCode {
    quiet_window_system();
    match CommandLine::parse().command.run() {
        Ok(()) => ExitCode::SUCCESS,
        // The reader has seen enough (`| head -1`).
        Err(error) if output::is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            report(&error);
            ExitCode::FAILURE
        }
    }
}

/// Prints an error on one line, whatever it contains. Doesn't panic if stderr is closed.
fn report(error: &Error) {
    let line = output::printable(&error.to_string());
    let _ = writeln!(std::io::stderr(), "mobilebert: {line}");
}

/// Vulkan drivers look for a window system, and if this variable isn't set, as on servers, libwayland
/// complains on stderr, in the middle of our output.
fn quiet_window_system() {
    const VARIABLE: &str = "XDG_RUNTIME_DIR";
    if cfg!(target_os = "linux") && std::env::var_os(VARIABLE).is_none() {
        // SAFETY: called at the start of `main`, before there is another thread that could read the
        // environment.
        unsafe { std::env::set_var(VARIABLE, std::env::temp_dir()) };
    }
}
