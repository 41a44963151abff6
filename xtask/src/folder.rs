//! Recursive copies and visits.

use std::path::Path;

use anyhow::{Context, Result};

/// Copies the files for which `wanted` returns true; its first error stops the copy.
pub fn copy(from: &Path, to: &Path, wanted: &dyn Fn(&Path) -> Result<bool>) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from).with_context(|| from.display().to_string())? {
        let source = entry?.path();
        let destination = to.join(source.file_name().unwrap_or_default());
        if source.is_dir() {
            copy(&source, &destination, wanted)?;
        } else if wanted(&source)? {
            std::fs::copy(&source, &destination).with_context(|| source.display().to_string())?;
        }
    }
    Ok(())
}

/// Calls `visitor` with every file in a folder and the folders in it; its first error ends the visit.
pub fn visit(folder: &Path, visitor: &mut dyn FnMut(&Path) -> Result<()>) -> Result<()> {
    for entry in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            visit(&path, visitor)?;
        } else {
            visitor(&path)?;
        }
    }
    Ok(())
}
