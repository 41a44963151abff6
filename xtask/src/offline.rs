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

/// Starts of the paths that no page loads: models are cached by the package, and the rest is for hosts and developers.
const APART: [&str; 7] = [
    "models/",
    "reference/",
    "offline/",
    "pkg/dist/cli/",
    "pkg/dist/service-worker.js",
    "404.html",
    SERVICE_WORKER,
];

/// Returns whether a page loads a file.
fn is_loaded(path: &str) -> bool {
    let hidden = path.split('/').any(|part| part.starts_with('.'));
    let apart = APART.iter().any(|start| path.starts_with(start));
    !hidden && !apart && !path.ends_with(".ts") && !path.ends_with(".map")
}

#[cfg(test)]
mod tests {
    use super::is_loaded;

    #[test]
    fn only_what_pages_load_is_stored() {
        for path in ["index.html", "app/main.js", "pkg/dist/worker.js", "pkg/wasm/mobilebert_bg.wasm"] {
            assert!(is_loaded(path), "{path}");
        }
        for path in [
            "404.html",
            "sw.js",
            "models/models.json",
            "offline/worker.js",
            "pkg/dist/.fingerprint",
            "pkg/dist/cli/main.js",
            "pkg/dist/index.d.ts",
            "pkg/dist/service-worker.js",
            "pkg/dist/worker.js.map",
        ] {
            assert!(!is_loaded(path), "{path}");
        }
    }
}
