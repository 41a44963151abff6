//! The kit's size and its limit.

use std::fs;
use std::path::Path;

use anyhow::{Result, bail};

use crate::folder;

/// Rejects a kit over its limit, with the sizes of its parts.
pub fn check(kit: &Path, limit: u64) -> Result<()> {
    let whole = total(kit)?;
    if whole <= limit << 20 {
        return Ok(());
    }
    let mut parts = Vec::new();
    for entry in fs::read_dir(kit)? {
        let path = entry?.path();
        parts.push((size(&path)?, path.file_name().unwrap_or_default().to_string_lossy().into_owned()));
    }
    parts.sort_by(|a, b| b.cmp(a));
    let listed: Vec<_> =
        parts.iter().map(|(bytes, name)| format!("{name} {:.1} MiB", mebibytes(*bytes))).collect();
    bail!(
        "{}: {:.1} MiB, over the limit of {limit} MiB ({}); raise --limit, name fewer --stages, or leave out --checkpoint",
        kit.display(),
        mebibytes(whole),
        listed.join(", ")
    );
}

/// Bytes of the kit without the results of its runs.
pub fn total(kit: &Path) -> Result<u64> {
    let mut sum = 0;
    for entry in fs::read_dir(kit)? {
        let path = entry?.path();
        if !path.ends_with("out") && !path.ends_with("work") {
            sum += size(&path)?;
        }
    }
    Ok(sum)
}

fn size(path: &Path) -> Result<u64> {
    if path.is_file() {
        return Ok(fs::metadata(path)?.len());
    }
    let mut sum = 0;
    folder::visit(path, &mut |file| {
        sum += fs::metadata(file)?.len();
        Ok(())
    })?;
    Ok(sum)
}

#[expect(clippy::cast_precision_loss, reason = "shown to one decimal")]
pub fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

#[cfg(test)]
mod tests {
    use super::{check, total};

    #[test]
    fn a_kit_over_its_limit_is_refused_by_the_sizes_in_it() {
        let kit = std::env::temp_dir().join(format!("gpu-kit-{}", std::process::id()));
        std::fs::create_dir_all(kit.join("data")).expect("a folder");
        std::fs::create_dir_all(kit.join("out")).expect("a folder");
        std::fs::write(kit.join("data/large"), vec![0; 3 << 20]).expect("a file");
        std::fs::write(kit.join("out/result"), vec![0; 1 << 20]).expect("a file");
        std::fs::write(kit.join("small"), [0; 9]).expect("a file");
        assert_eq!(total(&kit).ok(), Some((3 << 20) + 9));
        assert!(check(&kit, 4).is_ok());
        let error = check(&kit, 3).expect_err("3 MiB and 9 bytes").to_string();
        assert!(error.contains("over the limit of 3 MiB (data 3.0 MiB, "), "{error}");
        std::fs::remove_dir_all(kit).expect("the folder is there");
    }
}
