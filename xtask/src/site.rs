//! `cargo xtask build`: everything a static host needs, in one folder.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use crate::models::{self, Entry};
use crate::process::{root, target};
use crate::{folder, pages, size};

/// What common static hosts take of one file.
const LARGEST_FILE: u64 = 25 << 20;

/// Builds the pages and lays out `target/site/`.
pub fn run(named: &[PathBuf]) -> Result<ExitCode> {
    // Before the build: a wrong folder should be said at once.
    let mut laid = models::find(named)?;
    let named: Vec<_> = named.iter().filter_map(|folder| folder.canonicalize().ok()).collect();
    laid.retain(|model| named.contains(&model.folder) || model.folder.starts_with(root()));
    pages::build()?;
    size::report()?;
    let site = target().join("site");
    lay_out(&site, &laid)?;
    println!("the page stands in {}; any static host serves it, under any path", site.display());
    Ok(ExitCode::SUCCESS)
}

/// The page, the package it imports and the models, with relative addresses only.
fn lay_out(site: &Path, laid: &[Entry]) -> Result<()> {
    if site.exists() {
        std::fs::remove_dir_all(site)?;
    }
    let root = root();
    folder::copy(&pages::folder(), site, &is_published)?;
    for name in ["dist", "wasm"] {
        folder::copy(&root.join("pkg").join(name), &site.join("pkg").join(name), &is_published)?;
    }
    for model in laid {
        folder::copy(&model.folder, &site.join("models").join(&model.name), &is_published)?;
    }
    std::fs::create_dir_all(site.join("models"))?;
    std::fs::write(site.join("models/models.json"), serde_json::to_string(laid)?)?;
    Ok(())
}

/// Neither a build's own notes nor types; an error where hosts would refuse the file.
fn is_published(file: &Path) -> Result<bool> {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    if name.starts_with('.') || name.ends_with(".ts") {
        return Ok(false);
    }
    let bytes = file.metadata().with_context(|| file.display().to_string())?.len();
    if bytes > LARGEST_FILE {
        bail!(
            "{}: {bytes} bytes; static hosts take {LARGEST_FILE} at most; quantise it (`mobilebert quantize --dtype q8`) or split it into shards",
            file.display()
        );
    }
    Ok(true)
}
