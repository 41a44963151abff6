//! Virtual environments for the Python parts.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use anyhow::{Context, Result, bail};

use crate::process::{command, root, run, target};
use crate::{fingerprint, setup};

/// The package installer.
const UV: &str = "uv==0.13.9";

/// The interpreter for the training recipe and its tests.
pub fn training() -> Result<PathBuf> {
    let folder = root().join("training");
    environment("training", &folder.join("requirements.txt"), Some(&folder.join("requirements-weights.txt")))
}

/// The interpreter for the linter alone: checks other than training shouldn't install PyTorch.
pub fn lint() -> Result<PathBuf> {
    environment("lint", &root().join("xtask/requirements-lint.txt"), None)
}

/// The interpreter of the environment with actionlint.
pub fn workflows() -> Result<PathBuf> {
    environment("workflows", &root().join("xtask/requirements-workflows.txt"), None)
}

/// Describes what is missing on this machine for environments, after trying apt.
pub fn missing() -> Option<String> {
    let missing = setup::system_packages(&[&setup::PYTHON_VENV]);
    (!missing.is_empty()).then(|| format!("missing: {}", missing.join(", ")))
}

/// The interpreter of an environment with the pinned requirements, created once per version of those files. Packages in
/// `alone` are installed without their dependencies.
pub fn environment(name: &str, requirements: &Path, alone: Option<&Path>) -> Result<PathBuf> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock();
    if !requirements.is_file() {
        bail!("{}: not found", requirements.display());
    }
    if let Some(missing) = missing() {
        bail!("cannot create a Python environment; {missing}");
    }
    let folder = target().join("python").join(name);
    let python = folder.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    let inputs: Vec<_> = [Some(requirements), alone].into_iter().flatten().map(Path::to_path_buf).collect();
    let fingerprint = fingerprint::of(&inputs, "python")?;
    let stamp = folder.join(".fingerprint");
    if fingerprint::is_fresh(&stamp, &fingerprint, std::slice::from_ref(&python)) {
        return Ok(python);
    }
    let shown = inputs.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(" and ");
    let torch = std::fs::read_to_string(requirements)?.lines().any(|line| line.starts_with("torch=="));
    let size = if torch { " (PyTorch is 5.6 GB)" } else { "" };
    println!("installing the Python packages of {shown} into {}{size}", folder.display());
    run(command("python3").args(["-m", "venv", "--clear"]).arg(&folder)).context("python3 is required")?;
    // pip takes minutes to download, then unpack PyTorch's 5.6 GB; uv works in parallel.
    run(command(&python).args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", UV]))?;
    let install = || {
        let mut uv = command(&python);
        uv.args(["-m", "uv", "pip", "install", "--quiet", "--python"]).arg(&python);
        uv
    };
    run(install().arg("--requirement").arg(requirements))?;
    if let Some(alone) = alone {
        run(install().arg("--no-deps").arg("--requirement").arg(alone))?;
    }
    fingerprint::write(&stamp, &fingerprint)?;
    Ok(python)
}

#[cfg(test)]
mod tests {
    use crate::process::root;

    #[test]
    fn the_linter_has_the_version_that_training_pins() -> std::io::Result<()> {
        let pin = std::fs::read_to_string(root().join("xtask/requirements-lint.txt"))?;
        let training = std::fs::read_to_string(root().join("training/requirements.txt"))?;
        assert!(training.lines().any(|line| line == pin.trim()), "{pin} is not in training/requirements.txt");
        Ok(())
    }
}
