//! `quantize`: a smaller copy of a model directory.

use std::fs;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use mobilebert::error::{Error, Result};
use mobilebert::model::{Directory, SmallFiles, WEIGHTS_FILE};
use mobilebert::weights::manifest::{self, Manifest};
use mobilebert::weights::{Quantizer, Storage, Stream, TensorReport};

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
    /// The new directory; must be empty or not exist
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    // Accepted by all commands, though nothing runs on a device here.
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
    /// Quantizes in memory, then writes the directory, its `files.json` last.
    pub fn run(self) -> Result<()> {
        refuse_existing(&self.out)?;
        let storage = match self.dtype {
            DtypeName::F16 => Storage::F16,
            DtypeName::Q8 => Storage::Q8,
            DtypeName::Q4 => Storage::Q4,
        };
        let directory = Directory::new(hub::directory(&self.model)?)?;
        let (weights, reports) = quantize(&directory, storage)?;
        let mut files = vec![(WEIGHTS_FILE, weights)];
        for name in COPIED.into_iter().chain(SmallFiles::NAMES) {
            files.extend(directory.optional(name)?.map(|bytes| (name, bytes)));
        }
        self.write(&files, storage).inspect_err(|_| self.remove(&files))?;
        print(&reports, files[0].1.len())
    }

    fn write(&self, files: &[(&str, Vec<u8>)], storage: Storage) -> Result<()> {
        let write = |name: &str, content: &[u8]| {
            let path = self.out.join(name);
            let folder = path.parent().unwrap_or(&self.out);
            fs::create_dir_all(folder).map_err(|source| failed(folder, source))?;
            fs::write(&path, content).map_err(|source| failed(&path, source))
        };
        files.iter().try_for_each(|(name, content)| write(name, content))?;
        let entries = files.iter().map(|(name, content)| manifest::File::of(name, content)).collect();
        let manifest = Manifest { format: manifest::FORMAT, dtype: storage.to_string(), files: entries };
        write(manifest::FILE, manifest.to_json()?.as_bytes())
    }

    /// Removes what was written before a failure: half a model looks like a model, and the folder has to be empty.
    fn remove(&self, files: &[(&str, Vec<u8>)]) {
        for name in files.iter().map(|(name, _)| *name).chain([manifest::FILE]) {
            let path = self.out.join(name);
            let _ = fs::remove_file(&path);
            // A subfolder, or the directory itself. Fails if there is something else in it.
            let _ = path.parent().map(fs::remove_dir);
        }
    }
}

fn failed(path: &Path, source: std::io::Error) -> Error {
    Error::Io { file: path.display().to_string(), source }
}

/// Refuses a directory that isn't empty, which could be someone's work.
fn refuse_existing(out: &Path) -> Result<()> {
    let first = match fs::read_dir(out) {
        Ok(mut entries) => entries.next(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(source) => return Err(failed(out, source)),
    };
    match first {
        None => Ok(()),
        Some(_) => {
            Err(Error::invalid_input("out", format!("{} is not empty; name a new directory", out.display())))
        }
    }
}

fn quantize(directory: &Directory, storage: Storage) -> Result<(Vec<u8>, Vec<TensorReport>)> {
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
