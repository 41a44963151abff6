//! The effect of a model's calibration: it changes probabilities and the verdict, but neither answers nor scores.

use mobilebert::config::Calibration;
use mobilebert::task::question_answering::{Answers, Search, SearchOptions, Verdict};
use mobilebert::text::windows::{WindowOptions, Windows};

use crate::support::random::Random;
use crate::{EVERY_SPAN, tokenizer};

const CONTEXT: &str = "one lamp was lit by the keeper of a tower";

fn answers(start: &[f32], end: &[f32], options: SearchOptions, temperature: f64) -> Answers {
    let tokenizer = tokenizer();
    let windows = Windows::new(&tokenizer, "who?", CONTEXT, &WindowOptions::default()).unwrap();
    let window = windows.get(0).unwrap();
    let mut search = Search::new(CONTEXT, options).unwrap().with_temperature(temperature);
    search.add_window(&window, &start[..window.ids.len()], &end[..window.ids.len()]).unwrap();
    search.answers()
}

#[test]
fn a_temperature_divides_scores_in_the_softmax_and_nothing_else() {
    let mut random = Random::new(5);
    for temperature in [0.25, 0.8, 1.0, 1.7, 40.0] {
        let logits = |random: &mut Random| (0..20).map(|_| random.unit() * 9.0).collect::<Vec<f32>>();
        let (start, end) = (logits(&mut random), logits(&mut random));
        let options = SearchOptions { top_k: 100, ..EVERY_SPAN };
        let plain = answers(&start, &end, options, 1.0);
        let scaled = answers(&start, &end, options, temperature);
        let power = |score: f64| (score / temperature).exp();
        let total: f64 = plain.answers.iter().map(|answer| power(answer.score)).sum();
        let total = total + power(plain.no_answer.score);
        for (plain, scaled) in plain.answers.iter().zip(&scaled.answers) {
            assert_eq!((&plain.text, plain.score), (&scaled.text, scaled.score));
            let expected = power(plain.score) / total;
            assert!(
                (scaled.probability - expected).abs() < 1e-9 * expected.max(1e-3),
                "{scaled:?} {expected}"
            );
        }
        assert!((scaled.no_answer.probability - power(plain.no_answer.score) / total).abs() < 1e-9);
    }
}

#[test]
fn a_bias_changes_the_odds_of_no_answer_and_minus_infinity_excludes_it() {
    let tokenizer = tokenizer();
    let windows = Windows::new(&tokenizer, "who?", CONTEXT, &WindowOptions::default()).unwrap();
    let window = windows.get(0).unwrap();
    let mut random = Random::new(6);
    let logits: Vec<f32> = window.ids.iter().map(|_| random.unit() * 9.0).collect();
    let with = |bias: f64| {
        let options = SearchOptions { top_k: 1000, ..EVERY_SPAN };
        let mut search = Search::new(CONTEXT, options).unwrap().with_temperature(1.7).with_null_bias(bias);
        search.add_window(&window, &logits, &logits).unwrap();
        search.answers()
    };
    let odds = |found: &Answers| found.no_answer.probability / found.answers[0].probability;
    let plain = with(0.0);
    for bias in [-3.0, 0.5, 4.0] {
        let biased = with(bias);
        assert!((odds(&biased) / odds(&plain) / bias.exp() - 1.0).abs() < 1e-9, "{bias}");
        assert_eq!(biased.no_answer.score, plain.no_answer.score);
    }
    let certain = with(f64::NEG_INFINITY);
    assert_eq!(certain.no_answer.probability, 0.0);
    assert!((certain.answers.iter().map(|answer| answer.probability).sum::<f64>() - 1.0).abs() < 1e-9);
}

/// Divided by the temperature, they exceed the largest `f32`.
#[test]
fn large_logits_and_a_small_temperature_give_probabilities() {
    let mut logits = vec![-2e38; 20];
    logits[4] = 2e38;
    let found = answers(&logits, &logits, SearchOptions { top_k: 100, ..EVERY_SPAN }, 0.25);
    assert_eq!((found.answers[0].probability, found.no_answer.probability), (1.0, 0.0));
    let variants = found.answers.iter().flat_map(|answer| &answer.variants);
    assert!(variants.into_iter().all(|variant| (0.0..=1.0).contains(&variant.probability)));
}

#[test]
fn the_verdict_follows_the_threshold_the_least_probability_and_without_them_the_most_probable() {
    let decide = |null: f32, calibration: &Calibration| {
        let mut logits = vec![-5.0; 20];
        logits[4] = 1.0;
        logits[0] = null;
        let found = answers(&logits, &logits, SearchOptions::default(), calibration.temperature);
        (found.no_answer.verdict(&found.answers, calibration), found.answers[0].probability)
    };
    let plain = Calibration::default();
    assert_eq!(decide(0.0, &plain).0, Verdict::Answer);
    assert_eq!(decide(2.0, &plain).0, Verdict::NoAnswer);
    // The score is 2 for the answer and -1 for no answer, so the difference is -3.
    let strict = Calibration { null_threshold: Some(-3.5), ..plain.clone() };
    assert_eq!(decide(-0.5, &strict).0, Verdict::NoAnswer);
    let lenient = Calibration { null_threshold: Some(2.5), ..plain.clone() };
    assert_eq!(decide(2.0, &lenient).0, Verdict::Answer);
    let (_, probability) = decide(-0.5, &plain);
    let unsure = |unsure_below| Calibration { unsure_below, ..plain.clone() };
    assert_eq!(decide(-0.5, &unsure(probability + 0.01)).0, Verdict::Unsure);
    assert_eq!(decide(-0.5, &unsure(probability - 0.01)).0, Verdict::Answer);
    let nothing = answers(&[f32::NEG_INFINITY; 20], &[0.0; 20], SearchOptions::default(), 1.0);
    assert_eq!(nothing.no_answer.verdict(&nothing.answers, &lenient), Verdict::NoAnswer);
}
