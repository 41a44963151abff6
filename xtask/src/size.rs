//! What a browser downloads of the package, held under a budget.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::process::root;
use crate::{package, wasm};

/// All of the wasm and JavaScript, gzipped.
const BUDGET: usize = 600_000;

/// `cargo xtask size`.
pub fn run() -> Result<ExitCode> {
    package::build()?;
    report()?;
    Ok(ExitCode::SUCCESS)
}

/// Prints every file's size and fails when they are too large together.
pub fn report() -> Result<()> {
    let mut files = with_extension(&package::folder(), "js")?;
    files.push(wasm::folder().join("mobilebert_bg.wasm"));
    println!("{:>10} {:>10}  file", "bytes", "gzipped");
    let (mut bytes, mut gzipped) = (0, 0);
    for file in &files {
        let content = std::fs::read(file).with_context(|| file.display().to_string())?;
        let compressed = gzip(&content)?;
        let shown = file.strip_prefix(root()).unwrap_or(file).display();
        println!("{:>10} {:>10}  {shown}", content.len(), compressed);
        bytes += content.len();
        gzipped += compressed;
    }
    println!("{bytes:>10} {gzipped:>10}  wasm and JavaScript together; {BUDGET} gzipped are allowed");
    if gzipped > BUDGET {
        bail!("the package is {} bytes over its budget of {BUDGET} bytes gzipped", gzipped - BUDGET);
    }
    Ok(())
}

fn gzip(bytes: &[u8]) -> Result<usize> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?.len())
}

/// The files of a folder with this extension, by name.
pub fn with_extension(folder: &Path, extension: &str) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let mut files: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|path| path.extension().is_some_and(|found| found == extension));
    files.sort();
    Ok(files)
}
