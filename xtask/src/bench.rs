//! `cargo xtask bench`: compares this project with others on the same generated weights, in a browser or
//! natively.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;

use crate::process::{cargo, command, root, run as run_command, target};
use crate::{fingerprint, package, python, setup};

/// Measures in a browser, with `bench/peers/run.mjs` and the given arguments.
pub fn browser(rest: &[String]) -> Result<ExitCode> {
    let missing = setup::system_packages(&[&setup::CHROMIUM]);
    if !missing.is_empty() {
        anyhow::bail!("the measurement needs {}", missing.join(", "));
    }
    let (model, _) = model()?;
    setup::npm_packages("bench/peers")?;
    let mut measurement = command("node");
    if let Some(chromium) = setup::chromium() {
        measurement.env("CHROMIUM", chromium);
    }
    run_command(measurement.arg(root().join("bench/peers/run.mjs")).arg(&model).args(rest))?;
    Ok(ExitCode::SUCCESS)
}

/// Measures natively, with `bench/native/run.py` and the given arguments.
pub fn native(rest: &[String]) -> Result<ExitCode> {
    let (model, python) = model()?;
    run_command(cargo().args(["build", "--release", "--example", "native"]))?;
    // rten is in a separate workspace: nothing in this project depends on it.
    let rten = target().join("bench/rten");
    run_command(
        cargo()
            .args(["build", "--release", "--manifest-path", "bench/native/rten/Cargo.toml", "--target-dir"])
            .arg(&rten),
    )?;
    let mut measurement = command(python);
    measurement.arg(root().join("bench/native/run.py")).arg(&model);
    measurement.arg("--quantized").arg(model.join("q8"));
    measurement.arg("--own").arg(target().join("release/examples/native"));
    measurement.arg("--rten").arg(rten.join("release/rten-engine"));
    run_command(measurement.args(rest))?;
    Ok(ExitCode::SUCCESS)
}

/// The model created by `bench/peers/export.py`, with an 8-bit copy in its folder `q8`, and the interpreter
/// with the peers' packages. Created unless they already exist.
fn model() -> Result<(PathBuf, PathBuf)> {
    package::build()?;
    let folder = root().join("bench/peers");
    let python = python::environment("peers", &folder.join("requirements.txt"), None)?;
    let model = target().join("bench/peers-model");
    let stamp = model.join(".fingerprint");
    let inputs = ["export.py", "requirements.txt"].map(|name| folder.join(name));
    let fingerprint = fingerprint::of(&inputs, "peers")?;
    if !fingerprint::is_fresh(&stamp, &fingerprint, &[model.join("inputs.json"), model.join("q8")]) {
        println!("creating a model with random weights in {}", model.display());
        run_command(command(&python).arg(folder.join("export.py")).arg(&model))?;
        quantize(&model)?;
        fingerprint::write(&stamp, &fingerprint)?;
    }
    Ok((model, python))
}

/// Writes the copy with this package's own command.
fn quantize(model: &Path) -> Result<()> {
    let copy = model.join("q8");
    // A copy of another model; the command only writes into new directories.
    if copy.exists() {
        std::fs::remove_dir_all(&copy)?;
    }
    let program = root().join("pkg/dist/cli/main.js");
    let mut quantization = command("node");
    quantization.arg(program).arg("quantize").arg(model).args(["--dtype", "q8", "--out"]);
    run_command(quantization.arg(copy))
}
