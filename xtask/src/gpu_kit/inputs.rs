//! Finds the kit's data and teacher.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use super::Options;
use crate::process::{command, root, run as run_command, target};

/// Initial teachers, best first.
const TEACHERS: [&str; 2] = ["minilm-l6-squad-2", "minilm-l6-squad"];

/// Existing folders.
pub struct Inputs {
    /// The data sets.
    pub data: PathBuf,
    /// The initial teacher, with its tokenizer.
    pub teacher: PathBuf,
    /// True if both were generated.
    pub generated: bool,
}

impl Inputs {
    /// The inputs named by the options or the environment; if none are, generated data and a teacher with
    /// random weights.
    pub fn find(options: &Options, python: &Path) -> Result<Self> {
        match named(options) {
            (None, None) => {
                println!(
                    "neither --data or MOBILEBERT_DATA nor --models or MOBILEBERT_MODELS is given: filling the kit with generated data and a teacher with random weights, for a dry run"
                );
                Self::sample(python)
            }
            (data, models) => Self::check(options, data, models),
        }
    }

    fn check(options: &Options, data: Option<PathBuf>, models: Option<PathBuf>) -> Result<Self> {
        let data = data.unwrap_or_default();
        for stages in &options.stages {
            let (file, source) = match stages.as_str() {
                "sst2" => ("sst2/train.tsv.gz", "GLUE's SST-2, https://gluebenchmark.com"),
                _ => ("squad/train-v1.1.json.gz", "SQuAD v1.1, https://rajpurkar.github.io/SQuAD-explorer"),
            };
            if !data.join(file).is_file() {
                bail!(
                    "no data folder with {file}: pass it with --data or MOBILEBERT_DATA ({source}; training/README.md describes its layout), or leave it out with --stages"
                );
            }
        }
        let teacher = models
            .as_deref()
            .and_then(|folder| TEACHERS.iter().map(|name| folder.join(name)).find(|path| is_model(path)));
        let Some(teacher) = teacher else {
            bail!(
                "no models folder with minilm-l6-squad-2 or minilm-l6-squad: pass it with --models or MOBILEBERT_MODELS (a BERT fine-tuned on SQuAD with 6 layers, 384 wide; training/configs/squad-teacher.toml trains one)"
            );
        };
        Ok(Self { data, teacher, generated: false })
    }

    /// Generated data, and a teacher with random weights.
    pub fn sample(python: &Path) -> Result<Self> {
        let to = target().join("gpu-kit-sample");
        let (data, teacher) = (to.join("data"), to.join("teacher-start"));
        if !is_model(&teacher) {
            run_command(command(python).args(["-m", "training.tests.sample"]).arg(&to))?;
        }
        Ok(Self { data, teacher, generated: true })
    }
}

fn named(options: &Options) -> (Option<PathBuf>, Option<PathBuf>) {
    let folder = |given: &Option<PathBuf>, variable| {
        let named = given.clone().or_else(|| std::env::var_os(variable).map(PathBuf::from));
        named.map(|folder| root().join(folder))
    };
    (folder(&options.data, "MOBILEBERT_DATA"), folder(&options.models, "MOBILEBERT_MODELS"))
}

fn is_model(folder: &Path) -> bool {
    ["config.json", "model.safetensors", "tokenizer.json"].iter().all(|name| folder.join(name).is_file())
}

#[cfg(test)]
mod tests {
    use super::{Inputs, Options};

    #[test]
    fn what_is_missing_is_named_with_where_to_get_it() {
        let cases = [
            ("squad", "squad/train-v1.1.json.gz", "rajpurkar"),
            ("sst2", "sst2/train.tsv.gz", "gluebenchmark"),
        ];
        for (stages, file, source) in cases {
            let error = Inputs::check(&Options::new(&[stages]), Some("nowhere".into()), None);
            let error = error.err().expect("nothing is there").to_string();
            assert!(
                error.starts_with(&format!("no data folder with {file}: pass it with --data")),
                "{error}"
            );
            assert!(error.contains(source) && !error.contains('\n'), "{error}");
        }
        let data = std::env::temp_dir().join(format!("gpu-kit-data-{}", std::process::id()));
        std::fs::create_dir_all(data.join("squad")).expect("a folder");
        std::fs::write(data.join("squad/train-v1.1.json.gz"), "").expect("a file");
        let error = Inputs::check(&Options::new(&["squad"]), Some(data.clone()), Some("nowhere".into()));
        let error = error.err().expect("no teacher is there").to_string();
        assert!(error.starts_with("no models folder with minilm-l6-squad-2 or"), "{error}");
        std::fs::remove_dir_all(data).expect("the folder is there");
    }
}
