//! Compiles the crate to WebAssembly, with its JavaScript glue, into `pkg/wasm/`.

use std::path::PathBuf;
use std::sync::Mutex;

use anyhow::{Context, Result};
use wasm_bindgen_cli_support::Bindgen;

use crate::process::{cargo, root, run, target};
use crate::{fingerprint, setup};

const TARGET: &str = "wasm32-unknown-unknown";

/// Folder of the module and its glue.
pub fn folder() -> PathBuf {
    root().join("pkg/wasm")
}

/// Builds the module unless it is up to date.
pub fn build() -> Result<()> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock();
    let root = root();
    let inputs = ["src", "shaders", "Cargo.toml", "Cargo.lock", ".cargo/config.toml", "xtask/src/wasm.rs"]
        .map(|path| root.join(path));
    let fingerprint = fingerprint::of(&inputs, "wasm")?;
    let stamp = folder().join(".fingerprint");
    let outputs = ["mobilebert.js", "mobilebert.d.ts", "mobilebert_bg.wasm"].map(|name| folder().join(name));
    if fingerprint::is_fresh(&stamp, &fingerprint, &outputs) {
        return Ok(());
    }
    setup::wasm_target(TARGET)?;
    println!("building the wasm module (takes a few minutes from scratch)");
    run(cargo().args([
        "build",
        "--quiet",
        "--lib",
        "--package=mobilebert",
        "--profile=wasm",
        "--target",
        TARGET,
    ]))?;
    bind(&target().join(TARGET).join("wasm/mobilebert.wasm"))?;
    fingerprint::write(&stamp, &fingerprint)
}

/// Does what `wasm-bindgen`'s command line does, at the version that `Cargo.lock` pins for both sides.
fn bind(module: &std::path::Path) -> Result<()> {
    let folder = folder();
    std::fs::create_dir_all(&folder)?;
    let mut generator = Bindgen::new();
    generator
        .input_path(module)
        .web(true)
        .and_then(|generator| {
            // The package decides where the module is, so that bundlers see one plain `new URL`.
            generator
                .typescript(true)
                .omit_default_module_path(true)
                .remove_name_section(true)
                .remove_producers_section(true)
                .generate(&folder)
        })
        .with_context(|| format!("wasm-bindgen could not read {}", module.display()))
}
