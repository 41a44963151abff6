//! Runs the kit without a GPU, and checks that its outputs exist and are small enough, and that training
//! resumes from them.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result, bail, ensure};

use super::size::total;
use super::{Build, Options, fill};
use crate::outcome::Outcome;
use crate::process::{command, run as run_command, target};
use crate::{python, setup};

/// Time limits in seconds: the first, and larger ones for machines that are too slow for it.
const SECONDS: [&str; 3] = ["60", "120", "300"];
/// Limits on what a machine may return: number of files, and bytes per file.
const FILES: (usize, u64) = (8, 16 << 20);

/// Fills the kit, with real data if available, and runs it on the CPU.
pub fn run() -> Result<Outcome> {
    if let Some(missing) = python::missing() {
        return Ok(Outcome::Skipped(missing));
    }
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return Ok(Outcome::Skipped("the kit is built on x86-64 Linux".to_owned()));
    }
    setup::system_packages(&[&setup::SOFTWARE_VULKAN]);
    if setup::software_vulkan().is_none() {
        return Ok(Outcome::Skipped("no software Vulkan".to_owned()));
    }
    let kit = fill(&Options::new(&["squad"]), Build::Debug)?;
    println!("{}: {} bytes", kit.display(), total(&kit)?);
    let out = target().join("gpu-kit-dry-run");
    for left_over in [&out, &kit.join("work")] {
        if left_over.exists() {
            fs::remove_dir_all(left_over)?;
        }
    }
    let mut printed = String::new();
    for seconds in SECONDS {
        let mut dry_run = command("bash");
        dry_run.arg(kit.join("run.sh")).args(["--cpu", "--seconds", seconds]).env("OUT", &out);
        // It fails if a step or a profile didn't fit; its output decides.
        let ran = dry_run.stderr(Stdio::inherit()).output().context("bash is required")?;
        printed = String::from_utf8_lossy(&ran.stdout).into_owned();
        println!("{printed}");
        if printed.contains("ran: engine: profile") && step(&out).is_some_and(|done| done >= 2) {
            break;
        }
    }
    for line in ["ran: engine: profile", "skipped: PyTorch eager: --cpu", "skipped: PyTorch torch.compile"] {
        ensure!(printed.contains(line), "the dry run doesn't say \"{line}\"");
    }
    ensure!(printed.contains("linear"), "the dry run shows no table of kernels");
    let before = step(&out).context("the dry run left no checkpoint")?;
    ensure!(before >= 2, "the dry run made {before} training steps, fewer than 2");
    check_files(&out)?;
    resume(&kit, &out, before)?;
    Ok(Outcome::Passed)
}

/// The step of the run whose checkpoint is in `out`.
fn step(out: &Path) -> Option<u64> {
    let index = fs::read(out.join("checkpoint/index.json")).ok()?;
    let index: serde_json::Value = serde_json::from_slice(&index).ok()?;
    index["about"]["run"]["step"].as_u64()
}

fn check_files(out: &Path) -> Result<()> {
    let mut files = Vec::new();
    for folder in [out.to_path_buf(), out.join("checkpoint")] {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            if entry.metadata()?.is_file() {
                files.push((entry.path(), entry.metadata()?.len()));
            }
        }
    }
    ensure!(files.len() <= FILES.0, "the dry run left {} files: {files:?}", files.len());
    match files.iter().find(|(_, bytes)| *bytes >= FILES.1) {
        Some((path, bytes)) => {
            bail!("{}: {bytes} bytes, but a machine only returns files of less than 16 MiB", path.display())
        }
        None => Ok(()),
    }
}

/// Resumes from the checkpoint, as one would do afterwards at home, until a later step.
fn resume(kit: &Path, out: &Path, before: u64) -> Result<()> {
    for seconds in ["30", "90", "300"] {
        let mut resume = command(python::training()?);
        resume.args(["-m", "training", "resume"]).arg(out.join("checkpoint")).args(["--seconds", seconds]);
        for (option, folder) in [("--data", "data"), ("--models", "models"), ("--shipped", "shipped")] {
            resume.arg(option).arg(kit.join(folder));
        }
        // May be too short for one step on a slow machine; it is then retried with more time.
        let ended = run_command(resume.arg("--out").arg(target().join("gpu-kit-dry-run/runs")));
        match step(out) {
            Some(after) if after > before => {
                println!("the checkpoint of step {before} was resumed up to step {after}");
                return ended;
            }
            found => println!("after {seconds} s the resumed run is at step {found:?}"),
        }
    }
    bail!("the checkpoint of step {before} was not resumed")
}
