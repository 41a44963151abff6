//! The checks of the crates.

use anyhow::{Result, bail};

use crate::engine;
use crate::outcome::{Outcome, noting, passed};
use crate::process::{cargo, run, run_noting, target};
use crate::setup;

pub fn format() -> Result<Outcome> {
    if let Some(missing) = setup::missing_rust_component("rustfmt", "fmt") {
        return Ok(Outcome::Skipped(missing));
    }
    passed(cargo().args(["fmt", "--all", "--check"]))
}

pub fn clippy() -> Result<Outcome> {
    if let Some(missing) = setup::missing_rust_component("clippy", "clippy") {
        return Ok(Outcome::Skipped(missing));
    }
    let arguments = ["--quiet", "--workspace", "--all-targets", "--", "--deny=warnings"];
    passed(cargo().arg("clippy").args(arguments))
}

pub fn clippy_wasm() -> Result<Outcome> {
    if let Some(missing) = setup::missing_rust_component("clippy", "clippy") {
        return Ok(Outcome::Skipped(missing));
    }
    setup::wasm_target("wasm32-unknown-unknown")?;
    let clippy = |package: &str, features: &[&str], options: &[&str]| {
        let arguments = ["--quiet", "--lib", "--target=wasm32-unknown-unknown", "--package", package];
        let mut clippy = cargo();
        clippy.arg("clippy").args(arguments).args(features);
        run(clippy.args(["--", "--deny=warnings"]).args(options))
    };
    clippy("mobilebert", &[], &[])?;
    clippy("mobilebert", &["--features=benchmark"], &[])?;
    clippy("mobilebert-relaxed", &[], &["-Ctarget-feature=+relaxed-simd"])?;
    Ok(Outcome::Passed)
}

pub fn documentation() -> Result<Outcome> {
    let mut doc = cargo();
    doc.args(["doc", "--quiet", "--no-deps", "--package=mobilebert", "--lib"]);
    passed(doc.env("RUSTDOCFLAGS", "--deny=warnings"))
}

/// Packs the crates: warnings report missing metadata, or a target whose file isn't packed.
pub fn publication() -> Result<Outcome> {
    let mut package = cargo();
    package.args([
        "package",
        "--package=mobilebert",
        "--package=mobilebert-compute",
        "--package=mobilebert-cli",
    ]);
    // Offline: earlier checks have downloaded everything this needs.
    let warnings = run_noting(package.args(["--no-verify", "--allow-dirty", "--offline"]), "warning:")?;
    if !warnings.is_empty() {
        bail!("{}", warnings.join("; "));
    }
    Ok(Outcome::Passed)
}

pub fn tests() -> Result<Outcome> {
    let mut tests = cargo();
    tests.arg("test").args(engine::TESTED).arg("--no-fail-fast");
    setup::system_packages(&[&setup::SOFTWARE_VULKAN]);
    if std::env::var_os("XDG_RUNTIME_DIR").is_none() {
        // Without this folder, the Vulkan loader prints a warning in every process that looks like a failure.
        let folder = target().join("runtime");
        std::fs::create_dir_all(&folder)?;
        tests.env("XDG_RUNTIME_DIR", folder);
    }
    match setup::software_vulkan() {
        // There is an adapter, so a GPU test that doesn't find one indicates a bug.
        Some(manifest) => drop(tests.env("VK_DRIVER_FILES", manifest).env("MOBILEBERT_GPU", "require")),
        None => println!(
            "no software Vulkan: GPU tests use the machine's own adapter, or report that there is none"
        ),
    }
    noting(&mut tests)
}

pub fn tests_of_commands() -> Result<Outcome> {
    passed(cargo().args(["test", "--quiet", "--package=xtask"]))
}
