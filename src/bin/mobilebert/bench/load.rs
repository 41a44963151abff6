//! A model on its device, and where the time until then went.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::Instant;

use mobilebert::benchmark::{Benchmark, Seeding};
use mobilebert::config::Config;
use mobilebert::error::{Error, Result};
use mobilebert::model::{Loader, ModelFiles};
use mobilebert::session::SessionOptions;
use mobilebert::weights::Manifest;
use mobilebert::weights::manifest::{self, FileHash};

use super::report::Cold;
use crate::directory;

const CHUNK: usize = 1 << 20;

/// A model that stands, and how it came to.
pub struct Loaded {
    pub benchmark: Benchmark,
    pub cold: Cold,
}

/// Makes the weights.
pub fn seeded(config: &Config, seed: u64, options: &SessionOptions) -> Result<Loaded> {
    let (benchmark, times) = pollster::block_on(async {
        let seeding = Seeding::new(config, seed, options).await?;
        seeding.finish().await
    })?;
    let cold = Cold {
        generate_ms: Some(times.generate),
        upload_ms: times.upload,
        compile_ms: times.compile,
        ..Cold::default()
    };
    Ok(Loaded { benchmark, cold })
}

/// Reads a directory, without its tokenizer.
pub fn directory(folder: &Path, options: &SessionOptions) -> Result<Loaded> {
    directory::config(folder)?;
    let mut reading = Reading { folder, read: 0.0, verify: 0.0, upload: 0.0 };
    let config = reading.file("config.json")?;
    let index = folder.join(directory::INDEX);
    let index = if index.exists() { Some(reading.file(directory::INDEX)?) } else { None };
    let manifest = folder.join(manifest::FILE);
    let manifest =
        if manifest.exists() { Some(Manifest::parse(&reading.file(manifest::FILE)?)?) } else { None };
    let files = ModelFiles { config: &config, index: index.as_deref(), ..ModelFiles::default() };
    let before = Instant::now();
    let mut loader = pollster::block_on(Loader::new(&files, options))?;
    let compile_ms = since(before);
    for name in directory::weight_files(folder)? {
        reading.weights(&name, manifest.as_ref(), &mut loader)?;
    }
    let before = Instant::now();
    let model = pollster::block_on(loader.finish())?;
    reading.upload += since(before);
    let cold = Cold {
        download_ms: Some(reading.read),
        verify_ms: manifest.map(|_| reading.verify),
        upload_ms: reading.upload,
        compile_ms,
        ..Cold::default()
    };
    Ok(Loaded { benchmark: Benchmark::new(model, options.schedule), cold })
}

/// Files as they are read; milliseconds by what they were spent on.
struct Reading<'a> {
    folder: &'a Path,
    read: f64,
    verify: f64,
    upload: f64,
}

impl Reading<'_> {
    fn failed(&self, name: &str, source: std::io::Error) -> Error {
        let file = self.folder.join(name).display().to_string();
        match source.kind() {
            std::io::ErrorKind::NotFound => {
                Error::NotFound { file, hint: "a model directory needs its weights".into() }
            }
            _ => Error::Io { file, source },
        }
    }

    fn file(&mut self, name: &str) -> Result<Vec<u8>> {
        let before = Instant::now();
        let bytes = std::fs::read(self.folder.join(name)).map_err(|source| self.failed(name, source))?;
        self.read += since(before);
        Ok(bytes)
    }

    fn weights(&mut self, name: &str, manifest: Option<&Manifest>, loader: &mut Loader) -> Result<()> {
        let mut file = File::open(self.folder.join(name)).map_err(|source| self.failed(name, source))?;
        let total = file.metadata().map_err(|source| self.failed(name, source))?.len();
        loader.begin_file(name, Some(total))?;
        let stated = manifest.and_then(|manifest| manifest.get(name));
        let mut hash = FileHash::default();
        let mut chunk = vec![0; CHUNK];
        loop {
            let before = Instant::now();
            let read = file.read(&mut chunk).map_err(|source| self.failed(name, source))?;
            self.read += since(before);
            if read == 0 {
                break;
            }
            if stated.is_some() {
                let before = Instant::now();
                hash.update(&chunk[..read]);
                self.verify += since(before);
            }
            let before = Instant::now();
            loader.push(&chunk[..read])?;
            self.upload += since(before);
        }
        stated.map_or(Ok(()), |stated| stated.check(hash))
    }
}

fn since(before: Instant) -> f64 {
    1e3 * before.elapsed().as_secs_f64()
}
