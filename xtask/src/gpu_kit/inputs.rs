//! Where the kit's data and its teacher come from.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use super::Options;
use crate::process::{command, root, run as run_command, target};

/// Teachers to start from, the best first.
const TEACHERS: [&str; 3] = ["minilm-l6-squad-2", "../teachers/minilm-l6-squad-2", "minilm-l6-squad"];

/// Folders that are there.
pub struct Inputs {
    /// The data sets.
    pub data: PathBuf,
    /// The teacher's start, with its tokenizer.
    pub teacher: PathBuf,
}

impl Inputs {
    /// The folders that the options, the environment or the place next to the checkout name.
    pub fn find(options: &Options) -> Result<Self> {
        let data = folder(options.data.as_deref(), "MOBILEBERT_DATA", "../shared/data");
        let models = folder(options.models.as_deref(), "MOBILEBERT_MODELS", "../shared/models");
        let (file, source) = match options.stages.as_str() {
            "sst2" => ("sst2/train.tsv.gz", "GLUE's SST-2, https://gluebenchmark.com"),
            _ => ("squad/train-v1.1.json.gz", "SQuAD v1.1, https://rajpurkar.github.io/SQuAD-explorer"),
        };
        if !data.join(file).is_file() {
            bail!(
                "{}: no {file} ({source}; training/README.md says how the folder is laid out); name the folder by --data or MOBILEBERT_DATA, or try the kit by --sample",
                data.display()
            );
        }
        let Some(teacher) = TEACHERS.iter().map(|name| models.join(name)).find(|path| is_model(path)) else {
            bail!(
                "{}: no minilm-l6-squad-2 or minilm-l6-squad (a BERT fine-tuned on SQuAD, 6 layers, 384 wide; `python -m training teacher --config training/configs/squad-teacher.toml` makes one); name the folder by --models or MOBILEBERT_MODELS, or try the kit by --sample",
                models.display()
            );
        };
        Ok(Self { data, teacher })
    }

    /// Generated data, and a teacher of random weights.
    pub fn sample(python: &Path) -> Result<Self> {
        let to = target().join("gpu-kit-sample");
        let (data, teacher) = (to.join("data"), to.join("teacher-start"));
        if !is_model(&teacher) {
            println!("generating data and a teacher in {}", to.display());
            run_command(command(python).args(["-m", "training.tests.sample"]).arg(&to))?;
        }
        Ok(Self { data, teacher })
    }
}

/// Whether real data and a teacher are at hand without options.
pub fn at_hand(options: &Options) -> bool {
    Inputs::find(options).is_ok()
}

fn folder(given: Option<&Path>, variable: &str, default: &str) -> PathBuf {
    let named = given.map(Path::to_path_buf).or_else(|| std::env::var_os(variable).map(PathBuf::from));
    root().join(named.unwrap_or_else(|| default.into()))
}

fn is_model(folder: &Path) -> bool {
    ["config.json", "model.safetensors", "tokenizer.json"].iter().all(|name| folder.join(name).is_file())
}

#[cfg(test)]
mod tests {
    use super::{Inputs, Options};

    fn options(data: &str, stages: &str) -> Options {
        Options { data: Some(data.into()), models: Some("nowhere".into()), ..Options::new(stages) }
    }

    #[test]
    fn what_is_missing_is_named_with_where_to_get_it() {
        for (stages, file, source) in [
            ("squad", "squad/train-v1.1.json.gz", "rajpurkar"),
            ("sst2", "sst2/train.tsv.gz", "gluebenchmark"),
        ] {
            let error = Inputs::find(&options("no-such-folder", stages)).err().expect("nothing is there");
            let error = error.to_string();
            assert!(error.contains(&format!("no-such-folder: no {file}")), "{error}");
            assert!(error.contains(source) && error.contains("--data or MOBILEBERT_DATA"), "{error}");
            assert!(!error.contains('\n'), "{error}");
        }
    }
}
