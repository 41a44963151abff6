//! Exact match and F1 of answers, as in `evaluate-v1.1.py` and `evaluate-v2.0.py`.

use std::collections::BTreeMap;

use serde::Serialize;

use super::normalize_answer;

/// 1 if prediction and gold answer are equal after normalization, otherwise 0.
pub fn exact_match(prediction: &str, gold: &str) -> f64 {
    f64::from(u8::from(normalize_answer(prediction) == normalize_answer(gold)))
}

/// F1 of the words, counted with repetition. If either has no words: 1 if `empty_is_equal` and neither has
/// any (v2.0), otherwise 0 (v1.1).
pub fn token_f1(prediction: &str, gold: &str, empty_is_equal: bool) -> f64 {
    let (prediction, gold) = (normalize_answer(prediction), normalize_answer(gold));
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut gold_words = 0u32;
    for word in gold.split_whitespace() {
        *counts.entry(word).or_default() += 1;
        gold_words += 1;
    }
    let (mut words, mut same) = (0u32, 0u32);
    for word in prediction.split_whitespace() {
        words += 1;
        if let Some(count) = counts.get_mut(word).filter(|count| **count > 0) {
            *count -= 1;
            same += 1;
        }
    }
    if empty_is_equal && (words == 0 || gold_words == 0) {
        return f64::from(u8::from(words == gold_words));
    }
    if same == 0 {
        return 0.0;
    }
    let precision = f64::from(same) / f64::from(words);
    let recall = f64::from(same) / f64::from(gold_words);
    2.0 * precision * recall / (precision + recall)
}

/// Scores of SQuAD v1.1 in percent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Squad1 {
    /// Number of questions.
    pub n: usize,
    /// Fraction of predictions equal to a gold answer.
    pub exact_match: f64,
    /// Mean over the questions of the best F1 with a gold answer.
    pub f1: f64,
}

impl Squad1 {
    /// Scores predictions, each with its gold answers; a question without gold answers scores 0.
    pub fn score<'a>(questions: impl IntoIterator<Item = (&'a str, &'a [String])>) -> Self {
        let mut totals = ScoreTotals::default();
        for (prediction, golds) in questions {
            totals.add(
                best(golds, |gold| exact_match(prediction, gold)),
                best(golds, |gold| token_f1(prediction, gold, false)),
            );
        }
        Self { n: totals.n, exact_match: totals.exact(), f1: totals.f1() }
    }
}

/// Scores of SQuAD v2.0 in percent. An empty prediction means "no answer".
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Squad2 {
    /// Number of questions.
    pub n: usize,
    /// Exact match over all questions.
    pub exact_match: f64,
    /// F1 over all questions.
    pub f1: f64,
    /// Scores of questions with an answer; absent if there are none.
    #[serde(flatten)]
    pub has_answer: Option<HasAnswer>,
    /// Scores of questions without an answer; absent if there are none.
    #[serde(flatten)]
    pub no_answer: Option<NoAnswer>,
}

/// Scores of questions with an answer, named as in the official script.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct HasAnswer {
    /// Exact match.
    #[serde(rename = "HasAns_exact")]
    pub exact: f64,
    /// F1.
    #[serde(rename = "HasAns_f1")]
    pub f1: f64,
    /// Number of these questions.
    #[serde(rename = "HasAns_total")]
    pub n: usize,
}

/// Scores of questions without an answer, named as in the official script.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct NoAnswer {
    /// Exact match.
    #[serde(rename = "NoAns_exact")]
    pub exact: f64,
    /// F1.
    #[serde(rename = "NoAns_f1")]
    pub f1: f64,
    /// Number of these questions.
    #[serde(rename = "NoAns_total")]
    pub n: usize,
}

impl Squad2 {
    /// Scores predictions, each with its gold answers; a question without gold answers is unanswerable.
    pub fn score<'a>(questions: impl IntoIterator<Item = (&'a str, &'a [String])>) -> Self {
        let mut totals = [ScoreTotals::default(); 2];
        let nothing = [String::new()];
        for (prediction, golds) in questions {
            // The script omits gold answers that are empty after normalization.
            let real: Vec<String> =
                golds.iter().filter(|gold| !normalize_answer(gold).is_empty()).cloned().collect();
            let has_answer = !golds.is_empty();
            let golds = if real.is_empty() { &nothing[..] } else { &real[..] };
            let exact = best(golds, |gold| exact_match(prediction, gold));
            let f1 = best(golds, |gold| token_f1(prediction, gold, true));
            let [has, none] = &mut totals;
            (if has_answer { has } else { none }).add(exact, f1);
        }
        let [has, none] = totals;
        let all = ScoreTotals { n: has.n + none.n, exact: has.exact + none.exact, f1: has.f1 + none.f1 };
        Self {
            n: all.n,
            exact_match: all.exact(),
            f1: all.f1(),
            has_answer: (has.n > 0).then(|| HasAnswer { exact: has.exact(), f1: has.f1(), n: has.n }),
            no_answer: (none.n > 0).then(|| NoAnswer { exact: none.exact(), f1: none.f1(), n: none.n }),
        }
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct ScoreTotals {
    n: usize,
    exact: f64,
    f1: f64,
}

impl ScoreTotals {
    fn add(&mut self, exact: f64, f1: f64) {
        self.n += 1;
        self.exact += exact;
        self.f1 += f1;
    }

    fn exact(&self) -> f64 {
        100.0 * self.exact / self.n.max(1) as f64
    }

    fn f1(&self) -> f64 {
        100.0 * self.f1 / self.n.max(1) as f64
    }
}

fn best(golds: &[String], score: impl Fn(&str) -> f64) -> f64 {
    golds.iter().map(|gold| score(gold)).fold(0.0, f64::max)
}
