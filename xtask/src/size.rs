//! Size budgets for what a browser downloads.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::process::root;
use crate::{package, pages, wasm};

/// Bytes of all published wasm and JavaScript, gzipped.
const PACKAGE_BUDGET: usize = 540_000;
/// Bytes of the files that a page downloads to use a model, gzipped: the others are for pages without workers
/// and for service workers.
const PAGE_BUDGET: usize = 530_000;
/// Bytes of the pages' own HTML, CSS and JavaScript, gzipped.
const PAGES_BUDGET: usize = 60_000;

/// `cargo xtask size`.
pub fn run() -> Result<ExitCode> {
    pages::build()?;
    report()?;
    Ok(ExitCode::SUCCESS)
}

/// Prints every file's size, and fails if a total is over its budget.
pub fn report() -> Result<()> {
    let module = wasm::folder().join("mobilebert_bg.wasm");
    let mut package = with_extension(&package::folder(), "js")?;
    // Downloaded instead of the other files, not with them.
    let service_worker = package::folder().join("service-worker.js");
    package.retain(|file| *file != service_worker);
    // Only the page that measures has these; npm doesn't publish them.
    package.retain(|file| !["bench.js", "bench-worker.js"].iter().any(|name| file.ends_with(name)));
    package.push(module.clone());
    let mut loaded = ["index.js", "worker.js"].map(|name| package::folder().join(name)).to_vec();
    loaded.push(module.clone());
    let mut own = Vec::new();
    for (folder, extension) in [("", "html"), ("", "css"), ("bench", "css"), ("app", "js"), ("bench", "js")] {
        own.extend(with_extension(&pages::folder().join(folder), extension)?);
    }
    println!("{:>10} {:>10}  file", "bytes", "gzipped");
    within(&package, "wasm and JavaScript together", PACKAGE_BUDGET)?;
    within(&loaded, "what a page downloads of them", PAGE_BUDGET)?;
    let relaxed = std::fs::read(wasm::relaxed())?;
    println!("{:>10} {:>10}  of these, the module with relaxed SIMD", relaxed.len(), gzip(&relaxed)?);
    within(&[service_worker, module], "the same in a service worker", PACKAGE_BUDGET)?;
    within(&own, "the pages' own files together", PAGES_BUDGET)
}

/// Prints one row per file and one for their total, which must be within the budget.
fn within(files: &[PathBuf], what: &str, budget: usize) -> Result<()> {
    let (mut bytes, mut gzipped) = (0, 0);
    for file in files {
        let content = std::fs::read(file).with_context(|| file.display().to_string())?;
        let compressed = gzip(&content)?;
        let shown = file.strip_prefix(root()).unwrap_or(file).display();
        println!("{:>10} {:>10}  {shown}", content.len(), compressed);
        bytes += content.len();
        gzipped += compressed;
    }
    println!("{bytes:>10} {gzipped:>10}  {what}; the budget is {budget} gzipped");
    if gzipped > budget {
        bail!("{what}: {} bytes over the budget of {budget} bytes gzipped", gzipped - budget);
    }
    Ok(())
}

fn gzip(bytes: &[u8]) -> Result<usize> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?.len())
}

/// The files in a folder with this extension, sorted by name.
pub fn with_extension(folder: &Path, extension: &str) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let mut files: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|path| path.extension().is_some_and(|found| found == extension));
    files.sort();
    Ok(files)
}
