//! `eval squad`: the official exact match and F1, with windows as in BERT's `run_squad`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use clap::ValueEnum;
use mobilebert::config::{Calibration, Head, SpanCosts};
use mobilebert::error::{Error, Result};
use mobilebert::model::{Model, QuestionAnswering};
use mobilebert::session::{ExtraOutputs, Outputs, Sequence};
use mobilebert::task::metrics::{Squad1, Squad2};
use mobilebert::task::question_answering::{Answers, Search, SearchOptions};
use mobilebert::text::windows::{Window, Windows};
use mobilebert::text::{Piece, Tokenizer};

use super::calibration::{CalibrationErrors, Predictions, WithErrors};
use super::squad_data::{DataSet, Example};
use crate::arguments::{ModelArguments, WindowArguments, max_answer_tokens};
use crate::output::{Output, progress};
use crate::output_file::OutputFile;

/// Number of questions per call: enough to batch windows of similar length.
const CHUNK: usize = 128;

/// Arguments of `eval squad`.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    model: ModelArguments,
    /// A file in SQuAD's format
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
    /// Version of SQuAD: in 2.0, questions may have no answer [default: that of the file]
    #[arg(long)]
    version: Option<Version>,
    /// Only the first N questions
    #[arg(long, value_name = "N")]
    limit: Option<std::num::NonZeroUsize>,
    /// The file for predictions, in the format of the official script: {id: answer}
    #[arg(long, value_name = "FILE")]
    predictions: Option<PathBuf>,
    /// v2.0: predict no answer if its score exceeds the best answer's by more than this
    #[arg(long, value_name = "X", default_value_t = 0.0, allow_negative_numbers = true, value_parser = finite)]
    null_threshold: f64,
    /// Also print the expected calibration error of the answers' probabilities, without and with the model's calibration
    #[arg(long)]
    calibration: bool,
    /// Maximum length of an answer in tokens
    #[arg(long, value_name = "N", default_value_t = max_answer_tokens())]
    max_answer_tokens: std::num::NonZeroUsize,
    #[command(flatten)]
    windows: WindowArguments,
}

/// `--version`
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Version {
    /// Every question has an answer
    #[value(name = "1.1")]
    One,
    /// Questions may have no answer
    #[value(name = "2.0")]
    Two,
}

impl Arguments {
    /// Answers every question and prints the scores as the last line.
    pub fn run(self) -> Result<()> {
        let set = DataSet::read(&self.data)?;
        let limit = self.limit.map_or(usize::MAX, std::num::NonZeroUsize::get);
        let examples: Vec<Example<'_>> = set.examples().take(limit).collect();
        let with_null = match self.version {
            Some(version) => version == Version::Two,
            None => set.has_impossible_questions(),
        };
        let inputs = [vec![self.data.clone()], self.model.files()].concat();
        let create = |path| OutputFile::create("predictions", path, &inputs);
        let predictions_file = self.predictions.as_deref().map(create).transpose()?;
        let mut model = QuestionAnswering::new(self.model.open_for(Head::QuestionAnswering)?)?;
        check_texts(&examples, model.model().tokenizer()?, &self.data)?;
        let bar = progress(examples.len(), "questions");
        let mut predictions = Vec::with_capacity(examples.len());
        let calibration = model.model().config().calibration.clone();
        let mut said = self.calibration.then(Predictions::default);
        for chunk in examples.chunks(CHUNK) {
            let contexts = contexts(chunk, model.model().tokenizer()?)?;
            let asked = Asked::new(chunk, &contexts, &self.windows, model.model())?;
            let options = SearchOptions::best_span(self.max_answer_tokens.get());
            let answers = asked.answers(options, &Calibration::default())?;
            let first = predictions.len();
            let threshold = with_null.then_some(self.null_threshold);
            predictions.extend(answers.iter().map(|answers| prediction(answers, threshold)));
            if let Some(said) = &mut said {
                self.add_probabilities(&asked, &predictions[first..], with_null, &calibration, said)?;
            }
            bar.inc(chunk.len() as u64);
        }
        bar.finish_and_clear();
        if let Some(file) = predictions_file {
            file.write(&predictions_json(&examples, &predictions)?)?;
        }
        let errors = said.map(|said| said.errors());
        score(&examples, &predictions, with_null, errors, &mut Output::new())
    }

    /// Adds the answers' probabilities as a user would see them; without `with_null`, given that the text has
    /// an answer. An answer is right if its F1 with a gold answer is at least one half. Questions for which
    /// no answer is predicted don't count.
    fn add_probabilities(
        &self,
        asked: &Asked<'_>,
        predictions: &[String],
        with_null: bool,
        calibration: &Calibration,
        said: &mut Predictions,
    ) -> Result<()> {
        let options =
            SearchOptions { max_answer_tokens: self.max_answer_tokens.get(), ..SearchOptions::default() };
        let [plain, calibrated] = [&Calibration::default(), calibration].map(|calibration| {
            let null_bias = if with_null { calibration.null_bias } else { f64::NEG_INFINITY };
            asked.answers(options, &Calibration { null_bias, ..calibration.clone() })
        });
        let answers = plain?.into_iter().zip(calibrated?);
        for ((example, prediction), (plain, calibrated)) in
            asked.examples.iter().zip(predictions).zip(answers)
        {
            // A calibration changes the first answer's probability, not which answer is first.
            if let (false, Some(plain), Some(calibrated)) =
                (prediction.is_empty(), plain.answers.first(), calibrated.answers.first())
            {
                let is_right = example.question.is_right(&plain.text);
                said.add([plain.probability, calibrated.probability], is_right);
            }
        }
        Ok(())
    }
}

/// Questions with the logits of their windows.
struct Asked<'a> {
    examples: &'a [Example<'a>],
    windows: Vec<Windows<'a>>,
    /// Outputs of all windows of all questions, in order.
    outputs: Vec<Outputs>,
    /// What the model deducts for an answer's length.
    span_costs: SpanCosts,
}

impl<'a> Asked<'a> {
    /// Reads all windows in one call so that the session can batch similar lengths.
    fn new(
        examples: &'a [Example<'a>],
        contexts: &'a [Rc<[Piece]>],
        arguments: &WindowArguments,
        model: &mut Model,
    ) -> Result<Self> {
        let mut options = arguments.options();
        options.max_length = options.max_length.min(model.max_length());
        let windows = examples
            .iter()
            .zip(contexts)
            .map(|(example, pieces)| {
                Windows::over(model.tokenizer()?, &example.question.question, pieces, &options)
            })
            .collect::<Result<Vec<_>>>()?;
        let inputs: Vec<Sequence> = windows
            .iter()
            .flat_map(Windows::iter)
            .map(|window| Sequence::new(window.ids, window.type_ids))
            .collect();
        let outputs = pollster::block_on(model.run(&inputs, ExtraOutputs::default()))?;
        Ok(Asked { examples, windows, outputs, span_costs: model.config().span_costs })
    }

    /// The answers to each question.
    fn answers(&self, options: SearchOptions, calibration: &Calibration) -> Result<Vec<Answers>> {
        let mut outputs = self.outputs.iter();
        self.examples
            .iter()
            .zip(&self.windows)
            .map(|(example, windows)| {
                let mut search = Search::new(example.context, options)?
                    .with_temperature(calibration.temperature)
                    .with_null_bias(calibration.null_bias)
                    .with_span_costs(self.span_costs);
                for (window, outputs) in windows.iter().zip(&mut outputs) {
                    add(&mut search, &window, outputs)?;
                }
                Ok(search.answers())
            })
            .collect()
    }
}

/// `{id: answer}`
fn predictions_json(examples: &[Example<'_>], predictions: &[String]) -> Result<Vec<u8>> {
    let by_id: BTreeMap<&str, &str> = examples
        .iter()
        .zip(predictions)
        .map(|(example, prediction)| (example.question.id.as_str(), prediction.as_str()))
        .collect();
    serde_json::to_vec(&by_id).map_err(|error| Error::internal("predictions", error.to_string()))
}

/// Parses a number other than NaN.
fn finite(argument: &str) -> std::result::Result<f64, String> {
    let number: f64 = argument.parse().map_err(|_| "not a number".to_owned())?;
    if number.is_nan() { Err("not a number".to_owned()) } else { Ok(number) }
}

fn add(search: &mut Search<'_>, window: &Window<'_>, outputs: &Outputs) -> Result<()> {
    let logits = |name: &str| {
        outputs.get(name).ok_or_else(|| Error::internal("eval squad", format!("the model has no {name}")))
    };
    search.add_window(window, &logits("start_logits")?.data, &logits("end_logits")?.data)
}

/// The best answer, or an empty string if the null answer's score exceeds it by more than `threshold`.
fn prediction(answers: &Answers, threshold: Option<f64>) -> String {
    let best = answers.answers.first();
    match (best, threshold) {
        (None, _) => String::new(),
        (Some(_), Some(threshold)) if answers.null_difference() > threshold => String::new(),
        (Some(best), _) => best.text.clone(),
    }
}

/// Checks that every question and passage has tokens, before anything is computed.
fn check_texts(examples: &[Example<'_>], tokenizer: &Tokenizer, file: &Path) -> Result<()> {
    for chunk in examples.chunks(CHUNK) {
        for (example, context) in chunk.iter().zip(contexts(chunk, tokenizer)?) {
            if context.is_empty() || tokenizer.encode(&example.question.question)?.is_empty() {
                return Err(example.without_text(file, context.is_empty()));
            }
        }
    }
    Ok(())
}

/// The pieces of every example's passage; questions about one passage share them.
fn contexts(examples: &[Example<'_>], tokenizer: &Tokenizer) -> Result<Vec<Rc<[Piece]>>> {
    let mut contexts: Vec<Rc<[Piece]>> = Vec::with_capacity(examples.len());
    for (index, example) in examples.iter().enumerate() {
        let shared =
            index.checked_sub(1).filter(|&last| std::ptr::eq(examples[last].context, example.context));
        contexts.push(match shared {
            Some(last) => contexts[last].clone(),
            None => tokenizer.encode(example.context)?.into(),
        });
    }
    Ok(contexts)
}

/// The scores as the last line of output.
fn score(
    examples: &[Example<'_>],
    predictions: &[String],
    with_null: bool,
    errors: Option<CalibrationErrors>,
    output: &mut Output,
) -> Result<()> {
    let gold: Vec<Vec<String>> = examples.iter().map(|example| example.question.gold()).collect();
    let questions = predictions.iter().map(String::as_str).zip(gold.iter().map(Vec::as_slice));
    if with_null {
        output.json(&WithErrors { scores: Squad2::score(questions), errors })
    } else {
        output.json(&WithErrors { scores: Squad1::score(questions), errors })
    }
}
