//! Writes the pages' service worker: the list of all files with their hashes, and the code that stores them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::{folder, pages};

/// Name of the service worker, which can serve its own folder and those in it.
const SERVICE_WORKER: &str = "sw.js";

/// Its code, bundled with the pages' scripts.
pub const CODE: &str = "offline/worker.js";

/// Hashes by path relative to the site.
type Files = BTreeMap<String, String>;

/// Writes the service worker of the site in the folder `site`. `elsewhere` lists folders outside of it that
/// the host serves under the given paths.
pub fn write(site: &Path, elsewhere: &[(&str, PathBuf)]) -> Result<()> {
    let mut files = Files::new();
    collect(site, "", &mut files)?;
    for (path, folder) in elsewhere {
        collect(folder, path, &mut files)?;
    }
    let list = serde_json::to_string(&files)?;
    let version = STANDARD.encode(Sha256::digest(&list));
    let code = pages::folder().join(CODE);
    let code = std::fs::read_to_string(&code).with_context(|| code.display().to_string())?;
    std::fs::write(site.join(SERVICE_WORKER), format!("const VERSION={version:?},FILES={list};\n{code}"))?;
    Ok(())
}

/// Adds the files that the pages load.
fn collect(from: &Path, under: &str, files: &mut Files) -> Result<()> {
    folder::visit(from, &mut |file| {
        let inside = file.strip_prefix(from).unwrap_or(file);
        let path: Vec<_> = inside.iter().map(|part| part.to_string_lossy()).collect();
        let path = if under.is_empty() { path.join("/") } else { format!("{under}/{}", path.join("/")) };
        if is_loaded(&path) {
            let bytes = std::fs::read(file).with_context(|| file.display().to_string())?;
            files.insert(path, STANDARD.encode(Sha256::digest(bytes)));
        }
        Ok(())
    })
}

/// Models are cached by the package, and developers' files aren't part of the pages.
fn is_loaded(path: &str) -> bool {
    let hidden = path.split('/').any(|part| part.starts_with('.'));
    let apart =
        ["models/", "reference/", "offline/", SERVICE_WORKER].iter().any(|start| path.starts_with(start));
    !hidden && !apart && !path.ends_with(".ts") && !path.ends_with(".map")
}
