//! Loads a model onto its device, and measures the parts of the cold start.

use std::path::Path;
use std::time::Instant;

use mobilebert::benchmark::{Benchmark, Seeding};
use mobilebert::config::Config;
use mobilebert::error::Result;
use mobilebert::model::{Directory, Loader, ModelFiles};
use mobilebert::session::SessionOptions;

use super::report::Cold;
use crate::hub;

/// A loaded model and its cold start.
pub struct LoadedBenchmark {
    pub benchmark: Benchmark,
    pub cold: Cold,
}

/// Generates the weights.
pub fn seeded(config: &Config, seed: u64, options: &SessionOptions) -> Result<LoadedBenchmark> {
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
    Ok(LoadedBenchmark { benchmark, cold })
}

/// Loads a directory, without its tokenizer.
pub fn directory(folder: &Path, options: &SessionOptions) -> Result<LoadedBenchmark> {
    let before = Instant::now();
    let directory = Directory::new(hub::directory(folder)?)?;
    let config = directory.config_json()?;
    let index = directory.shard_index()?;
    let mut spent = Spent { read: since(before), ..Spent::default() };
    let files = ModelFiles { config: &config, index: index.as_ref(), ..ModelFiles::default() };
    let before = Instant::now();
    let mut loader = pollster::block_on(Loader::new(&files, options))?;
    spent.compile = since(before);
    for name in directory.weight_files()? {
        spent.weights(&directory, &name, &mut loader)?;
    }
    let before = Instant::now();
    let model = pollster::block_on(loader.finish())?;
    spent.upload += since(before);
    let cold = Cold {
        download_ms: Some(spent.read),
        verify_ms: directory.has_manifest().then_some(spent.verify),
        upload_ms: spent.upload,
        compile_ms: spent.compile,
        ..Cold::default()
    };
    Ok(LoadedBenchmark { benchmark: Benchmark::new(model), cold })
}

/// Milliseconds of a load, by activity.
#[derive(Default)]
struct Spent {
    read: f64,
    verify: f64,
    upload: f64,
    /// Including the choice of the device.
    compile: f64,
}

impl Spent {
    fn weights(&mut self, directory: &Directory, name: &str, loader: &mut Loader) -> Result<()> {
        let began = Instant::now();
        loader.begin_file(name, Some(directory.bytes(name)?))?;
        let (mut upload, mut compile) = (0.0, 0.0);
        let hashing = directory.stream(name, |chunk| {
            let before = Instant::now();
            loader.push(chunk)?;
            upload += since(before);
            let before = Instant::now();
            loader.choose_when_due()?;
            compile += since(before);
            Ok(())
        })?;
        let verify = 1e3 * hashing.as_secs_f64();
        self.verify += verify;
        self.upload += upload;
        self.compile += compile;
        // The rest is reading.
        self.read += since(began) - verify - upload - compile;
        Ok(())
    }
}

fn since(before: Instant) -> f64 {
    1e3 * before.elapsed().as_secs_f64()
}
