//! `eval glue`: a task's official metrics on its development file.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use mobilebert::config::Head;
use mobilebert::error::{Error, Result};
use mobilebert::model::{Model, TextClassification};
use mobilebert::session::{ExtraOutputs, Outputs, Sequence};
use mobilebert::task::metrics;
use mobilebert::text::sequence;
use serde::Serialize;

use super::calibration::{CalibrationErrors, Predictions, WithErrors};
use super::glue_data::{Example, Task};
use crate::arguments::ModelArguments;
use crate::output::{Output, progress};

/// Number of examples per call: enough to batch similar lengths.
const CHUNK: usize = 256;

/// Arguments of `eval glue`.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    model: ModelArguments,
    /// The task, which determines the file's columns and the metrics
    #[arg(long, value_name = "T", ignore_case = true)]
    task: Task,
    /// The task's development file
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
    /// Only the first N examples
    #[arg(long, value_name = "N")]
    limit: Option<NonZeroUsize>,
    /// Maximum length of an input in tokens; longer ones are truncated
    #[arg(long, value_name = "N", default_value = "128")]
    max_length: NonZeroUsize,
    /// Also print the expected calibration error of the probabilities, without and with the model's temperature
    #[arg(long)]
    calibration: bool,
}

/// The last line of output. In percent; correlations are multiplied by 100, as in GLUE's table.
#[derive(Debug, Default, PartialEq, Serialize)]
struct Scores {
    n: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    accuracy: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    matthews: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    f1: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pearson: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    spearman: Option<f64>,
}

impl Arguments {
    /// Classifies every example and prints the scores as the last line.
    pub fn run(self) -> Result<()> {
        let mut examples = self.task.read(&self.data)?;
        examples.truncate(self.limit.map_or(usize::MAX, NonZeroUsize::get));
        let mut model = TextClassification::new(self.model.open_for(Head::SequenceClassification)?)?;
        let model = model.model();
        let classes = classes(self.task, &model.config().labels)?;
        if self.calibration && self.task == Task::Stsb {
            return Err(Error::invalid_input("calibration", "STS-B has scores, not probabilities"));
        }
        let bar = progress(examples.len(), "examples");
        let mut logits = Vec::with_capacity(examples.len());
        for chunk in examples.chunks(CHUNK) {
            logits.extend(self.logits(chunk, model)?);
            bar.inc(chunk.len() as u64);
        }
        bar.finish_and_clear();
        let gold: Vec<f64> = examples.iter().map(|example| example.gold).collect();
        let temperature = model.config().calibration.temperature;
        let errors = self.calibration.then(|| calibration_errors(temperature, &classes, &logits, &gold));
        Output::new().json(&WithErrors { scores: scores(self.task, &classes, &logits, &gold), errors })
    }

    fn logits(&self, examples: &[Example], model: &mut Model) -> Result<Vec<Vec<f32>>> {
        let tokenizer = model.tokenizer()?;
        let longest = self.max_length.get().min(model.max_length());
        let inputs = examples
            .iter()
            .map(|example| sequence::encode(tokenizer, &example.text, example.pair.as_deref(), longest))
            .map(|encoded| encoded.map(|encoded| Sequence::new(encoded.ids, encoded.type_ids)))
            .collect::<Result<Vec<_>>>()?;
        let results = pollster::block_on(model.run(&inputs, ExtraOutputs::default()))?;
        results.iter().map(finite_logits).collect()
    }
}

/// The task's class for each of the model's labels: by name if the labels have the classes' names, otherwise
/// by index.
fn classes(task: Task, labels: &[String]) -> Result<Vec<usize>> {
    let names = task.classes();
    let wanted = names.len().max(1);
    if labels.len() != wanted {
        let problem =
            format!("has {} labels, but this task has {wanted}; use a model trained on it", labels.len());
        return Err(Error::config("id2label", problem));
    }
    let class = |label: &String| {
        let label = label.to_lowercase().replace([' ', '-'], "_");
        names.iter().position(|names| names.contains(&label.as_str()))
    };
    if labels.iter().all(|label| label.starts_with("LABEL_")) || names.is_empty() {
        return Ok((0..labels.len()).collect());
    }
    let by_name: Option<Vec<usize>> = labels.iter().map(class).collect();
    by_name.ok_or_else(|| {
        let problem = format!("has {}, which aren't this task's classes", labels.join(", "));
        Error::config("id2label", problem)
    })
}

/// The logits, checked to be finite, so that NaN isn't scored as a prediction.
fn finite_logits(outputs: &Outputs) -> Result<Vec<f32>> {
    let missing = || Error::internal("eval glue", "the model has no logits");
    let logits = &outputs.get("logits").ok_or_else(missing)?.data;
    match logits.iter().find(|logit| !logit.is_finite()) {
        Some(found) => {
            Err(Error::tensor("logits", format!("contain {found}; the weights are damaged or too large")))
        }
        None => Ok(logits.clone()),
    }
}

/// Index of the largest logit; the first one if there are ties.
fn largest(logits: &[f32]) -> Option<usize> {
    (0..logits.len()).max_by(|&a, &b| logits[a].total_cmp(&logits[b]).then(b.cmp(&a)))
}

/// The probability of the largest logit.
fn probability(logits: &[f32], temperature: f64) -> f64 {
    let scaled = |logit: &f32| f64::from(*logit) / temperature;
    let largest = logits.iter().map(scaled).fold(f64::NEG_INFINITY, f64::max);
    1.0 / logits.iter().map(|logit| (scaled(logit) - largest).exp()).sum::<f64>()
}

fn calibration_errors(
    temperature: f64,
    classes: &[usize],
    logits: &[Vec<f32>],
    gold: &[f64],
) -> CalibrationErrors {
    let mut said = Predictions::default();
    for (logits, &gold) in logits.iter().zip(gold) {
        let is_right = largest(logits).is_some_and(|label| classes[label] as f64 == gold);
        said.add([1.0, temperature].map(|temperature| probability(logits, temperature)), is_right);
    }
    said.errors()
}

fn scores(task: Task, classes: &[usize], logits: &[Vec<f32>], gold: &[f64]) -> Scores {
    let n = gold.len();
    if task == Task::Stsb {
        let predicted: Vec<f64> = logits.iter().map(|logits| f64::from(logits[0])).collect();
        let pearson = Some(100.0 * metrics::pearson(&predicted, gold));
        let spearman = Some(100.0 * metrics::spearman(&predicted, gold));
        return Scores { n, pearson, spearman, ..Scores::default() };
    }
    let predicted = logits.iter().filter_map(|logits| largest(logits));
    let predicted: Vec<usize> = predicted.map(|label| classes[label]).collect();
    let gold: Vec<usize> = gold.iter().map(|&class| class as usize).collect();
    let accuracy = Some(100.0 * metrics::accuracy(&predicted, &gold));
    match task {
        Task::Cola => {
            Scores { n, matthews: Some(100.0 * metrics::matthews(&predicted, &gold)), ..Scores::default() }
        }
        Task::Mrpc => {
            Scores { n, accuracy, f1: Some(100.0 * metrics::f1(&predicted, &gold)), ..Scores::default() }
        }
        _ => Scores { n, accuracy, ..Scores::default() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| name.to_string()).collect()
    }

    #[test]
    fn labels_are_matched_by_name_or_by_index() {
        assert_eq!(classes(Task::Sst2, &labels(&["POSITIVE", "negative"])).unwrap(), [1, 0]);
        assert_eq!(classes(Task::Rte, &labels(&["not entailment", "entailment"])).unwrap(), [1, 0]);
        assert_eq!(classes(Task::Wnli, &labels(&["LABEL_0", "LABEL_1"])).unwrap(), [0, 1]);
    }

    #[test]
    fn a_model_for_another_task_is_rejected() {
        assert!(classes(Task::Stsb, &labels(&["a", "b"])).is_err());
        assert!(classes(Task::Cola, &labels(&["a"])).unwrap_err().to_string().contains("1 labels"));
    }

    #[test]
    fn every_task_has_its_official_metrics() {
        let logits = [vec![1.0, 0.0], vec![0.0, 1.0], vec![0.0, 1.0], vec![0.5, 0.5]];
        let gold = [0.0, 1.0, 0.0, 0.0];
        let scores = |task| scores(task, &[0, 1], &logits, &gold);
        assert_eq!(scores(Task::Sst2), Scores { n: 4, accuracy: Some(75.0), ..Scores::default() });
        let mrpc = scores(Task::Mrpc);
        assert_eq!((mrpc.accuracy, mrpc.f1.map(f64::round)), (Some(75.0), Some(67.0)));
        assert_eq!(scores(Task::Cola).matthews.map(f64::round), Some(58.0));
    }

    #[test]
    fn a_probability_is_a_softmax_at_a_temperature() {
        for (temperature, odds) in [(1.0, 2.0f64.exp()), (2.0, 1.0f64.exp())] {
            let expected = odds / (1.0 + odds);
            assert!((probability(&[-1.0, 1.0], temperature) - expected).abs() < 1e-12);
        }
        assert_eq!(probability(&[1e6, 0.0], 1.0), 1.0);
    }

    #[test]
    fn similarity_is_correlated() {
        let logits = [vec![1.0], vec![2.0], vec![4.0]];
        let scores = scores(Task::Stsb, &[0], &logits, &[0.0, 1.0, 3.0]);
        assert!(
            (scores.pearson.unwrap() - 100.0).abs() < 1e-9 && (scores.spearman.unwrap() - 100.0).abs() < 1e-9
        );
    }
}
