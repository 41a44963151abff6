//! Builds the pages as served by a host, in `target/pages/`: each page's scripts bundled into one file, the
//! rest copied.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::process::{command, root, run, target};
use crate::{fingerprint, folder, offline, package, setup};

/// The entry point of each page, and the shared style sheet. Unbundled, each import would cost another
/// network round trip.
const ENTRIES: [&str; 5] = ["app/main.js", "app/about.js", "bench/main.js", offline::CODE, "style.css"];

/// The networks and stored logits of the latency page, served next to its script.
const BENCHMARK_DATA: &str = "src/benchmark/data";

/// Folder of the built pages.
pub fn folder() -> PathBuf {
    target().join("pages")
}

/// Builds the package and the pages around it, unless they are up to date.
pub fn build() -> Result<()> {
    package::build()?;
    let root = root();
    let inputs = [
        "www",
        BENCHMARK_DATA,
        "pkg/package-lock.json",
        "pkg/dist",
        "pkg/wasm",
        "xtask/src/pages.rs",
        "xtask/src/offline.rs",
    ]
    .map(|path| root.join(path));
    let fingerprint = fingerprint::of(&inputs, "pages")?;
    let stamp = folder().join(".fingerprint");
    let outputs = ENTRIES.map(|name| folder().join(name));
    if fingerprint::is_fresh(&stamp, &fingerprint, &outputs) {
        return Ok(());
    }
    if folder().exists() {
        std::fs::remove_dir_all(folder())?;
    }
    folder::copy(&root.join("www"), &folder(), &is_served)?;
    folder::copy(&root.join(BENCHMARK_DATA), &folder().join("bench"), &|_| Ok(true))?;
    bundle(&root.join("www"))?;
    let package = ["pkg/dist", "pkg/wasm"].map(|path| (path, root.join(path)));
    offline::write(&folder(), &package)?;
    fingerprint::write(&stamp, &fingerprint)
}

/// The package isn't bundled: it finds its worker and its wasm module next to itself, and the pages share it.
fn bundle(sources: &Path) -> Result<()> {
    let mut esbuild = command(setup::npm_program("pkg", "esbuild"));
    esbuild.args(ENTRIES.map(|name| sources.join(name)));
    esbuild.arg(format!("--outbase={}", sources.display()));
    esbuild.arg(format!("--outdir={}", folder().display()));
    run(esbuild.args([
        "--bundle",
        "--minify",
        "--format=esm",
        "--target=es2022",
        "--external:../pkg/*",
        "--legal-comments=none",
        "--log-level=warning",
    ]))
}

/// Returns whether a file is served: everything except bundled sources and files that only a compiler reads.
fn is_served(file: &Path) -> Result<bool> {
    let is = |name| file.file_name().is_some_and(|found| found == name);
    let is_part = file.parent().is_some_and(|folder| folder.ends_with("www/style"));
    Ok(!is_part
        && !is("tsconfig.json")
        && file.extension().is_none_or(|found| found != "js" && found != "ts"))
}
