//! `cargo xtask gpu-kit`: a folder with everything that a machine with a GPU and no network needs to measure and train.

pub mod dry_run;
mod inputs;
mod packages;
mod size;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::process::{cargo, command, find, output, root, run as run_command, target};
use crate::{engine, fingerprint, folder, python};
use inputs::Inputs;
use size::{check, mebibytes, total};

/// Maximum size of the kit, in MiB.
const LIMIT: u64 = 64;

/// The kit's contents.
#[derive(Args)]
pub struct Options {
    /// Folder of the data sets [default: MOBILEBERT_DATA].
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Folder of the teacher's checkpoint [default: MOBILEBERT_MODELS].
    #[arg(long, value_name = "DIR")]
    pub models: Option<PathBuf>,
    /// The models whose stages the kit can train; `run.sh` trains the first by default.
    #[arg(long, value_name = "NAME,…", value_parser = ["squad", "sst2"], value_delimiter = ',', default_value = "squad,sst2")]
    pub stages: Vec<String>,
    /// A checkpoint folder that an earlier run returned, to resume from.
    #[arg(long, value_name = "DIR")]
    pub checkpoint: Option<PathBuf>,
    /// Maximum size of the kit, in MiB.
    #[arg(long, value_name = "MIB", default_value_t = LIMIT)]
    pub limit: u64,
}

impl Options {
    /// The command line's defaults, with these stages.
    fn new(stages: &[&str]) -> Self {
        let stages = stages.iter().map(|name| (*name).to_owned()).collect();
        Self { data: None, models: None, stages, checkpoint: None, limit: LIMIT }
    }
}

/// How the command-line tool for the kit is built.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Build {
    /// As for users.
    Release,
    /// For the dry run: as already compiled for the tests, and with generated data if there is no real data.
    Debug,
}

/// Fills `target/gpu-kit` and prints its size.
pub fn run(options: &Options) -> Result<ExitCode> {
    let kit = fill(options, Build::Release)?;
    println!("{}: {:.1} MiB", kit.display(), mebibytes(total(&kit)?));
    println!("try it: bash {} --cpu --seconds 60", kit.join("run.sh").display());
    Ok(ExitCode::SUCCESS)
}

/// Fills `target/gpu-kit`; keeps the results of earlier runs of the kit in its `out` and `work`.
pub fn fill(options: &Options, build: Build) -> Result<PathBuf> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        bail!("the kit's program must be built on x86-64 Linux, where it will run");
    }
    let kit = target().join("gpu-kit");
    let python = python::training()?;
    let inputs = match Inputs::find(options, &python) {
        Err(error) if build == Build::Debug => {
            println!("{error:#}; the dry run uses generated data");
            Inputs::sample(&python)?
        }
        found => found?,
    };
    let program = program(build)?;
    clear(&kit)?;
    fs::copy(&program, kit.join("mobilebert")).with_context(|| program.display().to_string())?;
    strip(&kit.join("mobilebert"))?;
    sources(&kit)?;
    models(&kit, &inputs, &program, &options.stages)?;
    for stages in &options.stages {
        data(&kit, &inputs, &python, stages)?;
    }
    packages::fetch(&kit.join("deb"))?;
    if let Some(checkpoint) = &options.checkpoint {
        if !checkpoint.join("index.json").is_file() {
            bail!("{}: not a checkpoint, which has an index.json next to its parts", checkpoint.display());
        }
        folder::copy(checkpoint, &kit.join("checkpoint"), &|_| Ok(true))?;
    }
    fs::write(kit.join("stages"), format!("{}\n", options.stages.join("\n")))?;
    fs::write(kit.join("version"), version(inputs.generated)?)?;
    // For dry runs on this machine, whose own Python may lack PyTorch.
    fs::write(kit.join("python"), format!("{}\n", python.display()))?;
    check(&kit, options.limit)?;
    Ok(kit)
}

/// Removes the previous contents.
fn clear(kit: &Path) -> Result<()> {
    fs::create_dir_all(kit)?;
    for entry in fs::read_dir(kit)? {
        let path = entry?.path();
        if path.ends_with("out") || path.ends_with("work") {
            continue;
        }
        if path.is_dir() { fs::remove_dir_all(&path)? } else { fs::remove_file(&path)? }
    }
    Ok(())
}

/// The command-line tool.
fn program(build: Build) -> Result<PathBuf> {
    if build == Build::Debug {
        return engine::build();
    }
    println!("building the command-line tool for release");
    run_command(cargo().args(["build", "--quiet", "--package=mobilebert-cli", "--release"]))?;
    Ok(target().join("release/mobilebert"))
}

fn strip(program: &Path) -> Result<()> {
    if find("strip").is_none() {
        println!("no `strip` (Debian: binutils): the program keeps its symbols");
        return Ok(());
    }
    run_command(command("strip").arg(program))
}

/// Scripts, configurations and the training package, at the same paths as in the checkout.
fn sources(kit: &Path) -> Result<()> {
    let root = root();
    for file in [
        "bench/gpu/summary.py",
        "bench/peers/torch_gpu.py",
        "src/benchmark/data/logits.json",
        "src/benchmark/data/variants.json",
        "tests/goldens/generator.py",
    ] {
        let to = kit.join(file);
        fs::create_dir_all(to.parent().unwrap_or(kit))?;
        fs::copy(root.join(file), to).with_context(|| file.to_owned())?;
    }
    fs::copy(root.join("bench/gpu/run.sh"), kit.join("run.sh"))?;
    let wanted = |path: &Path| {
        let below = path.strip_prefix(root.join("training")).unwrap_or(path);
        let left_out = ["tests", "runs", "results"].iter().any(|name| below.starts_with(name));
        Ok(!left_out && path.extension().is_some_and(|found| found == "py" || found == "toml"))
    };
    for name in fs::read_dir(root.join("training"))? {
        let path = name?.path();
        let to = kit.join("training").join(path.file_name().unwrap_or_default());
        if path.is_dir() && !path.ends_with("runs") && !path.ends_with("tests") {
            folder::copy(&path, &to, &wanted)?;
        } else if path.is_file() && wanted(&path)? {
            fs::create_dir_all(kit.join("training"))?;
            fs::copy(&path, to)?;
        }
    }
    Ok(())
}

/// The initial teacher and the students in 8 bits. Their tokenizers are needed for the models that are
/// returned.
fn models(kit: &Path, inputs: &Inputs, program: &Path, stages: &[String]) -> Result<()> {
    let small = target().join("gpu-kit-teacher");
    if small.exists() {
        fs::remove_dir_all(&small)?;
    }
    let mut quantize = command(program);
    quantize.arg("quantize").arg("--model").arg(&inputs.teacher).args(["--dtype", "q8", "--out"]).arg(&small);
    run_command(quantize.stdout(std::process::Stdio::null()))?;
    let mut pairs = vec![(small, kit.join("models/teacher-start"))];
    for student in stages.iter().map(|name| format!("mobilebert-{name}")) {
        pairs.push((root().join("models").join(&student), kit.join("shipped").join(student)));
    }
    for (from, to) in pairs {
        fs::create_dir_all(&to)?;
        for name in ["config.json", "model.safetensors"] {
            fs::copy(from.join(name), to.join(name))
                .with_context(|| from.join(name).display().to_string())?;
        }
    }
    Ok(())
}

/// The tokenized training examples, created once per version of their inputs.
fn data(kit: &Path, inputs: &Inputs, python: &Path, stages: &str) -> Result<()> {
    let cache = target().join("gpu-kit-data");
    let config = root().join(format!("training/configs/gpu-{stages}-teacher.toml"));
    let made = cache.join("packed").join(format!("{stages}.xz"));
    let stamp = cache.join(format!("{stages}.fingerprint"));
    let mut sources =
        vec![config.clone(), inputs.teacher.join("tokenizer.json"), root().join("training/data")];
    sources.push(root().join("training/tasks"));
    sources.push(inputs.data.join(stages));
    let fingerprint = fingerprint::of(&sources, "packed")?;
    if !fingerprint::is_fresh(&stamp, &fingerprint, std::slice::from_ref(&made)) {
        // The configuration's `models:teacher-start`, for its tokenizer.
        let models = cache.join("models");
        let start = models.join("teacher-start");
        if start.exists() {
            fs::remove_dir_all(&start)?;
        }
        folder::copy(&inputs.teacher, &start, &|path| {
            Ok(path.ends_with("config.json") || path.ends_with("tokenizer.json"))
        })?;
        println!("tokenizing the training data of {}", inputs.data.display());
        let mut pack = command(python);
        pack.args(["-m", "training", "pack", "--config"]).arg(config);
        pack.arg("--data").arg(&inputs.data).arg("--models").arg(models).arg("--out").arg(&cache);
        run_command(&mut pack)?;
        fingerprint::write(&stamp, &fingerprint)?;
    }
    let to = kit.join("data/packed");
    fs::create_dir_all(&to)?;
    fs::copy(&made, to.join(format!("{stages}.xz")))?;
    Ok(())
}

/// The commit that the kit is built from, with notes about the kit.
fn version(generated: bool) -> Result<String> {
    let commit = output(command("git").args(["log", "-1", "--format=%H %cI"]))?;
    let changed = output(command("git").args(["status", "--porcelain", "--untracked-files=no"]))?;
    let changed = if changed.trim().is_empty() { "" } else { ", with changes that aren't committed" };
    let data = if generated { ", with generated data and a teacher of random weights" } else { "" };
    Ok(format!("{}{changed}{data}\n", commit.trim()))
}
