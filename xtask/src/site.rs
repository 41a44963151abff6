//! `cargo xtask build`: everything a static host needs, in one folder.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use crate::models::{self, Entry};
use crate::process::{root, target};
use crate::{folder, offline, package, pages, size};

/// Maximum file size accepted by common static hosts.
const MAX_FILE_BYTES: u64 = 25 << 20;

/// Builds `target/site/` and prints where it is.
pub fn run(named: &[PathBuf]) -> Result<ExitCode> {
    let site = build(named)?;
    size::report()?;
    println!("the site is in {}; any static host can serve it, under any path", site.display());
    Ok(ExitCode::SUCCESS)
}

/// Builds the pages and lays out `target/site/`.
pub fn build(named: &[PathBuf]) -> Result<PathBuf> {
    // Before the build, so that a wrong folder is reported immediately.
    let mut models = models::find(named)?;
    let named: Vec<_> = named.iter().filter_map(|folder| folder.canonicalize().ok()).collect();
    models.retain(|model| named.contains(&model.folder) || model.folder.starts_with(root()));
    pages::build()?;
    let site = target().join("site");
    lay_out(&site, &models)?;
    Ok(site)
}

/// Copies the pages, the package they import, its API reference and the models; all URLs in them are relative.
fn lay_out(site: &Path, models: &[Entry]) -> Result<()> {
    if site.exists() {
        std::fs::remove_dir_all(site)?;
    }
    let root = root();
    folder::copy(&pages::folder(), site, &is_published)?;
    for name in ["dist", "wasm"] {
        folder::copy(&root.join("pkg").join(name), &site.join("pkg").join(name), &is_published)?;
    }
    folder::copy(&package::reference()?, &site.join("reference"), &is_published)?;
    let about = site.join("about.html");
    let html = std::fs::read_to_string(&about)?;
    std::fs::write(about, html.replace(r#"<p id="reference" hidden>"#, r#"<p id="reference">"#))?;
    for model in models {
        folder::copy(&model.folder, &site.join("models").join(&model.name), &is_published)?;
    }
    std::fs::create_dir_all(site.join("models"))?;
    std::fs::write(site.join("models/models.json"), serde_json::to_string(models)?)?;
    std::fs::remove_dir_all(site.join("offline"))?;
    offline::write(site, &[])
}

/// Returns whether a file is published: everything except build stamps and type declarations. An error if
/// hosts would reject the file.
fn is_published(file: &Path) -> Result<bool> {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    if name.starts_with('.') || name.ends_with(".ts") {
        return Ok(false);
    }
    let bytes = file.metadata().with_context(|| file.display().to_string())?.len();
    if bytes > MAX_FILE_BYTES {
        bail!(
            "{}: {bytes} bytes; static hosts accept at most {MAX_FILE_BYTES}; quantize it (`mobilebert quantize --dtype q8`) or split it into shards",
            file.display()
        );
    }
    Ok(true)
}
