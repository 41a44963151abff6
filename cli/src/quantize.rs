//! `quantize`: a smaller copy of a model directory.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use mobilebert::error::{Error, Result};
use mobilebert::model::{Directory, SmallFiles, WEIGHTS_FILE};
use mobilebert::weights::manifest::{self, Manifest};
use mobilebert::weights::{Quantizer, Stream, TensorReport, WeightFormat};

use crate::arguments::Machine;
use crate::hub;
use crate::output::{Output, printable, progress};

/// Files that are copied along with the weights and [`SmallFiles::NAMES`], if they exist.
const COPIED: [&str; 2] = ["config.json", "LICENSE"];

/// Arguments of `quantize`.
#[derive(clap::Args)]
pub struct Arguments {
    /// The model to copy: a directory or a Hugging Face id
    #[arg(long, value_name = "DIR")]
    model: PathBuf,
    /// Storage format of the weights
    #[arg(long, value_name = "NAME")]
    dtype: DtypeName,
    /// The new directory; it must be empty or not exist
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    // Accepted by all commands, although nothing runs on a device here.
    #[command(flatten)]
    _machine: Machine,
}

/// `--dtype`
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum DtypeName {
    /// Half precision
    F16,
    /// 8 bits, one scale per row
    Q8,
    /// 4 bits, one scale per 32 values
    Q4,
}

impl Arguments {
    /// Quantizes in memory, then writes the directory, with `files.json` last.
    pub fn run(self) -> Result<()> {
        refuse_existing(&self.out)?;
        let storage = match self.dtype {
            DtypeName::F16 => WeightFormat::F16,
            DtypeName::Q8 => WeightFormat::Q8,
            DtypeName::Q4 => WeightFormat::Q4,
        };
        let directory = Directory::new(hub::directory(&self.model)?)?;
        let (weights, reports) = quantize(&directory, storage)?;
        let mut files = vec![(WEIGHTS_FILE, weights)];
        for name in COPIED.into_iter().chain(SmallFiles::NAMES) {
            files.extend(directory.optional(name)?.map(|bytes| (name, bytes)));
        }
        write(&self.out, &files, storage)?;
        print(&reports, files[0].1.len())
    }
}

/// Writes the directory, with `files.json` last.
fn write(out: &Path, files: &[(&str, Vec<u8>)], storage: WeightFormat) -> Result<()> {
    let entries = files.iter().map(|(name, content)| manifest::File::of(name, content)).collect();
    let manifest = Manifest { format: manifest::FORMAT, dtype: storage.to_string(), files: entries };
    let mut draft = Draft::new(out);
    for (name, content) in files {
        draft.write(name, content)?;
    }
    draft.write(manifest::FILE, manifest.to_json()?.as_bytes())?;
    draft.keep();
    Ok(())
}

/// A directory being written. Half a model looks like a model, so everything created by this run is removed
/// again unless [`Draft::keep`] is called; nothing else is removed or overwritten.
struct Draft<'a> {
    out: &'a Path,
    files: Vec<PathBuf>,
    /// Each after its parent.
    folders: Vec<PathBuf>,
}

impl<'a> Draft<'a> {
    fn new(out: &'a Path) -> Self {
        Draft { out, files: Vec::new(), folders: Vec::new() }
    }

    /// Writes a new file.
    fn write(&mut self, name: &str, content: &[u8]) -> Result<()> {
        let path = self.out.join(name);
        self.make_folder(path.parent().unwrap_or(self.out))?;
        let mut file =
            File::options().write(true).create_new(true).open(&path).map_err(|source| {
                match source.kind() {
                    ErrorKind::AlreadyExists => {
                        let problem =
                            format!("{} has appeared meanwhile; name a new directory", path.display());
                        Error::invalid_input("out", problem)
                    }
                    _ => failed(&path, source),
                }
            })?;
        self.files.push(path.clone());
        file.write_all(content).map_err(|source| failed(&path, source))
    }

    fn make_folder(&mut self, folder: &Path) -> Result<()> {
        let is_missing = |folder: &&Path| !folder.as_os_str().is_empty() && !folder.exists();
        let missing: Vec<&Path> = folder.ancestors().take_while(is_missing).collect();
        for folder in missing.into_iter().rev() {
            match fs::create_dir(folder) {
                Ok(()) => self.folders.push(folder.to_owned()),
                // Another process has created it.
                Err(_) if folder.is_dir() => {}
                Err(source) => return Err(failed(folder, source)),
            }
        }
        Ok(())
    }

    fn keep(mut self) {
        self.files.clear();
        self.folders.clear();
    }
}

impl Drop for Draft<'_> {
    fn drop(&mut self) {
        for file in &self.files {
            let _ = fs::remove_file(file);
        }
        // Fails if the folder contains something else.
        for folder in self.folders.iter().rev() {
            let _ = fs::remove_dir(folder);
        }
    }
}

fn failed(path: &Path, source: std::io::Error) -> Error {
    Error::Io { file: path.display().to_string(), source }
}

/// Rejects a directory that isn't empty, which could be someone's work.
fn refuse_existing(out: &Path) -> Result<()> {
    let first = match fs::read_dir(out) {
        Ok(mut entries) => entries.next(),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(source) => return Err(failed(out, source)),
    };
    match first {
        None => Ok(()),
        Some(_) => {
            Err(Error::invalid_input("out", format!("{} is not empty; name a new directory", out.display())))
        }
    }
}

fn quantize(directory: &Directory, storage: WeightFormat) -> Result<(Vec<u8>, Vec<TensorReport>)> {
    let checkpoint = directory.checkpoint()?;
    let mut quantizer = Quantizer::new(storage);
    let bar = progress(checkpoint.headers().iter().map(|header| header.tensors.len()).sum(), "tensors");
    for name in directory.weight_files()? {
        let mut stream = Stream::new(name.as_str(), Some(directory.bytes(&name)?));
        directory.stream(&name, |chunk| {
            for tensor in stream.push(chunk)? {
                quantizer.push(tensor)?;
                bar.inc(1);
            }
            Ok(())
        })?;
        stream.finish()?;
    }
    bar.finish_and_clear();
    quantizer.finish()
}

fn print(reports: &[TensorReport], bytes: usize) -> Result<()> {
    let mut output = Output::new();
    output.line("stored       bytes   max error  relative  tensor")?;
    for report in reports {
        output.line(&format!(
            "{:6} {:11}  {:10.3e}  {:7.4} %  {}",
            report.storage.as_str(),
            report.bytes,
            report.max_error,
            100.0 * report.relative_error,
            printable(&report.name)
        ))?;
    }
    output.line(&format!("{WEIGHTS_FILE}: {bytes} bytes"))?;
    output.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_appear_meanwhile_are_neither_overwritten_nor_removed() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("new/out");
        let mut draft = Draft::new(&out);
        draft.write("a", b"own").unwrap();
        fs::write(out.join("b"), b"theirs").unwrap();
        let error = draft.write("b", b"own").unwrap_err().to_string();
        assert!(error.contains("has appeared meanwhile"), "{error}");
        drop(draft);
        assert_eq!(fs::read(out.join("b")).unwrap(), b"theirs");
        assert!(!out.join("a").exists());
    }

    #[test]
    fn only_folders_that_are_new_are_removed_again() {
        let folder = tempfile::tempdir().unwrap();
        let old = folder.path().join("old");
        fs::create_dir(&old).unwrap();
        let out = old.join("new/out");
        let mut draft = Draft::new(&out);
        draft.write("1_Pooling/config.json", b"{}").unwrap();
        drop(draft);
        assert!(old.exists() && !old.join("new").exists());
        let mut draft = Draft::new(&out);
        draft.write("1_Pooling/config.json", b"{}").unwrap();
        draft.keep();
        assert!(out.join("1_Pooling/config.json").exists());
    }
}
