//! Arguments shared by several commands.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use mobilebert::config::Head;
use mobilebert::error::{Error, Result};
use mobilebert::model::{Directory, Model, SmallFiles, WEIGHTS};
use mobilebert::plan::Schedule;
use mobilebert::session::{Device, SessionOptions};
use mobilebert::task::question_answering::SearchOptions;
use mobilebert::text::windows::WindowOptions;
use mobilebert::weights::manifest;

use crate::hub::{self, user_cache};

/// The device and how it is used: the same three options for all commands.
#[derive(Args, Clone, Debug)]
pub struct Machine {
    /// The device to run on
    #[arg(long, value_name = "NAME", default_value = "auto", help_heading = "Device")]
    pub device: DeviceName,
    /// Threads of the CPU executor [default: one per core]
    #[arg(long, value_name = "N", help_heading = "Device")]
    pub threads: Option<NonZeroUsize>,
    /// Grouping of operations into kernels [default: measured on a GPU, tiled on the CPU]
    #[arg(long, value_name = "NAME", help_heading = "Device")]
    pub schedule: Option<ScheduleName>,
}

/// `--device`
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DeviceName {
    /// The GPU or the CPU, whichever is measured to be faster; the CPU if there is no GPU or only a software
    /// one
    Auto,
    /// The GPU, including software adapters; fails if there is none
    Gpu,
    /// The CPU
    Cpu,
}

/// `--schedule`
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ScheduleName {
    /// One kernel per operation: the reference
    Operations,
    /// Linears with fused activation and residual, attention in one kernel
    Tiled,
    /// One kernel per layer, for MobileBERT with NoNorm on a GPU
    Chain,
}

/// How a model is loaded for a task.
#[derive(Args, Clone, Debug)]
struct LoadingArguments {
    #[command(flatten)]
    machine: Machine,
    #[command(flatten)]
    special_tokens: SpecialTokenArguments,
}

/// The model directory and the device.
#[derive(Args, Clone, Debug)]
pub struct ModelArguments {
    /// A model directory (config.json, model.safetensors or pytorch_model.bin, tokenizer.json or
    /// vocab.txt), or a Hugging Face id, owner/name
    #[arg(long, value_name = "DIR")]
    pub model: PathBuf,
    #[command(flatten)]
    loading: LoadingArguments,
}

/// The treatment of special tokens in a text.
#[derive(Args, Clone, Copy, Debug)]
pub struct SpecialTokenArguments {
    /// Treat special tokens written in a text, such as [SEP], as plain text. The default is set by
    /// tokenizer_config.json; without it, only [SEP] and the like are plain text, and only in questions and
    /// passages
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub split_special_tokens: Option<bool>,
}

/// The same for tasks with a model included in the project.
#[derive(Args, Clone, Debug)]
pub struct ShippedModelArguments {
    /// A model directory (config.json, model.safetensors or pytorch_model.bin, tokenizer.json or
    /// vocab.txt), or a Hugging Face id, owner/name. The default is the project's own model for this task,
    /// in the folder `models` of the current directory
    #[arg(long, value_name = "DIR")]
    pub model: Option<PathBuf>,
    #[command(flatten)]
    loading: LoadingArguments,
}

/// Sizes of the windows that a long passage is split into, as in BERT's SQuAD code.
#[derive(Args, Clone, Copy, Debug)]
pub struct WindowArguments {
    /// Tokens per window, including the question and special tokens
    #[arg(long, value_name = "N", default_value_t = count(WindowOptions::default().max_length), help_heading = "Windows")]
    pub max_length: NonZeroUsize,
    /// Tokens from the start of a window to the start of the next
    #[arg(long, value_name = "N", default_value_t = count(WindowOptions::default().doc_stride), help_heading = "Windows")]
    pub doc_stride: NonZeroUsize,
    /// Maximum length of the question in tokens
    #[arg(long, value_name = "N", default_value_t = count(WindowOptions::default().max_question), help_heading = "Windows")]
    pub max_question: NonZeroUsize,
}

/// A default for an option that takes at least 1.
pub fn count(default: usize) -> NonZeroUsize {
    NonZeroUsize::new(default).unwrap_or(NonZeroUsize::MIN)
}

/// Default of `--max-answer-tokens`.
pub fn max_answer_tokens() -> NonZeroUsize {
    count(SearchOptions::default().max_answer_tokens)
}

impl WindowArguments {
    /// The library's options.
    pub fn options(&self) -> WindowOptions {
        WindowOptions {
            max_length: self.max_length.get(),
            doc_stride: self.doc_stride.get(),
            max_question: self.max_question.get(),
        }
    }
}

impl Machine {
    /// The library's options.
    pub fn options(&self) -> SessionOptions {
        SessionOptions {
            device: match self.device {
                DeviceName::Auto => Device::Auto,
                DeviceName::Gpu => Device::Gpu,
                DeviceName::Cpu => Device::Cpu,
            },
            threads: self.threads.map_or(0, NonZeroUsize::get),
            schedule: self.schedule(),
            choices: user_cache().map(|cache| cache.join("mobilebert")),
            ..SessionOptions::default()
        }
    }

    /// The requested schedule.
    pub fn schedule(&self) -> Option<Schedule> {
        self.schedule.map(|name| match name {
            ScheduleName::Operations => Schedule::Operations,
            ScheduleName::Tiled => Schedule::Tiled,
            ScheduleName::Chain => Schedule::Chain,
        })
    }
}

impl ShippedModelArguments {
    /// Loads the given model, or the included one with this name, for a task that needs this head.
    pub fn open(&self, shipped: &str, head: Head) -> Result<Model> {
        let own = || Path::new("models").join(shipped);
        let model = self.model.clone().unwrap_or_else(own);
        if self.model.is_none() && !model.exists() {
            return Err(Error::NotFound {
                file: model.display().to_string(),
                hint: "name a model directory with --model, or run in the project's folder, which has its own models"
                    .into(),
            });
        }
        self.loading.open_for(&model, head)
    }
}

impl ModelArguments {
    /// The files that the directory has or may have, for commands that write files; empty for an id.
    pub fn files(&self) -> Vec<PathBuf> {
        let directory = Directory::new(&self.model).ok();
        let shards = directory.and_then(|directory| directory.weight_files().ok()).unwrap_or_default();
        let names = WEIGHTS.into_iter().chain(SmallFiles::NAMES).chain([manifest::FILE, "config.json"]);
        names.map(str::to_owned).chain(shards).map(|name| self.model.join(name)).collect()
    }

    /// Loads the model with the head named in its files.
    pub fn open(&self) -> Result<Model> {
        pollster::block_on(Model::open(hub::directory(&self.model)?, &self.loading.machine.options()))
    }

    /// Loads the model for a task that needs this head.
    pub fn open_for(&self, head: Head) -> Result<Model> {
        self.loading.open_for(&self.model, head)
    }
}

impl LoadingArguments {
    fn open_for(&self, model: &Path, head: Head) -> Result<Model> {
        let directory = hub::directory(model)?;
        let mut model = pollster::block_on(Model::open_for(directory, head, &self.machine.options()))?;
        self.special_tokens.apply(&mut model);
        Ok(model)
    }
}

impl SpecialTokenArguments {
    /// Sets how `model` treats special tokens in a text, if the option is given.
    fn apply(self, model: &mut Model) {
        if self.split_special_tokens.is_some() {
            model.set_split_special_tokens(self.split_special_tokens);
        }
    }
}
