//! `cargo xtask bench`: this package against onnxruntime-web in one browser, on generated weights.

use std::process::ExitCode;

use anyhow::Result;

use crate::process::{command, root, run as run_command, target};
use crate::{fingerprint, package, python, setup};

/// Exports the model unless that was already done, then runs `bench/peers/run.mjs` with the given arguments.
pub fn run(rest: &[String]) -> Result<ExitCode> {
    let folder = root().join("bench/peers");
    let missing = setup::system_packages(&[&setup::CHROMIUM]);
    if !missing.is_empty() {
        anyhow::bail!("the measurement needs {}", missing.join(", "));
    }
    package::build()?;
    setup::npm_packages("bench/peers")?;
    let model = target().join("bench/peers-model");
    let stamp = model.join(".fingerprint");
    let inputs = ["export.py", "requirements.txt"].map(|name| folder.join(name));
    let fingerprint = fingerprint::of(&inputs, "peers")?;
    if !fingerprint::is_fresh(&stamp, &fingerprint, &[model.join("inputs.json")]) {
        let python = python::environment("peers", &folder.join("requirements.txt"), None)?;
        println!("creating a model with random weights in {}", model.display());
        run_command(command(python).arg(folder.join("export.py")).arg(&model))?;
        fingerprint::write(&stamp, &fingerprint)?;
    }
    let mut measurement = command("node");
    if let Some(chromium) = setup::chromium() {
        measurement.env("CHROMIUM", chromium);
    }
    run_command(measurement.arg(folder.join("run.mjs")).arg(&model).args(rest))?;
    Ok(ExitCode::SUCCESS)
}
