//! Virtual environments for the parts written in Python.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::process::{command, run, target};
use crate::{fingerprint, setup};

/// The interpreter of an environment that holds what a requirements file pins. Made once a version of that file.
pub fn environment(name: &str, requirements: &Path) -> Result<PathBuf> {
    let missing = setup::system_packages(&[&setup::PYTHON_VENV]);
    if !missing.is_empty() {
        bail!("Python environments need {}", missing.join(", "));
    }
    let folder = target().join("python").join(name);
    let python = folder.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    let fingerprint = fingerprint::of(&[requirements.to_path_buf()], "python")?;
    let stamp = folder.join(".fingerprint");
    if fingerprint::is_fresh(&stamp, &fingerprint, std::slice::from_ref(&python)) {
        return Ok(python);
    }
    println!(
        "installing the Python packages of {} into {} (PyTorch takes minutes)",
        requirements.display(),
        folder.display()
    );
    run(command("python3").args(["-m", "venv", "--clear"]).arg(&folder)).context("python3 is needed")?;
    run(command(&python)
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"])
        .arg(requirements))?;
    fingerprint::write(&stamp, &fingerprint)?;
    Ok(python)
}
