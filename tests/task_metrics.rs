//! Scores compared with values calculated by hand, and with the official scripts on whole data sets.

mod not_run;

use mobilebert::task::metrics::{
    Squad1, Squad2, accuracy, exact_match, expected_calibration_error, f1, matthews, normalize_answer,
    pearson, spearman, token_f1,
};
use not_run::required;
use serde_json::Value;

fn near(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-9, "{found}, expected {expected}");
}

fn answers(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

#[test]
fn answers_are_normalized_as_in_the_official_script() {
    for (text, expected) in [
        ("The  Cat's, meow!", "cats meow"),
        ("a an the", ""),
        ("Theatre an-the", "theatre anthe"),
        ("the—end", "—end"),
        ("$1,000.50", "100050"),
        ("A\u{a0}\tB", "b"),
        ("«An» Émile", "« » émile"),
        ("an_the", "anthe"),
        ("a–b a", "–b"),
    ] {
        assert_eq!(normalize_answer(text), expected, "{text:?}");
    }
}

#[test]
fn f1_counts_words_with_repetition() {
    // 2 of 3 predicted words, 2 of 4 gold words.
    near(token_f1("big red dog", "red dog of war", false), 2.0 * (2.0 / 3.0) * 0.5 / (2.0 / 3.0 + 0.5));
    // "dog" twice in the prediction, once in the gold answer.
    near(token_f1("dog dog", "dog", false), 2.0 / 3.0);
    near(token_f1("cat", "dog", false), 0.0);
    near(token_f1("the", "a", false), 0.0);
    near(token_f1("the", "a", true), 1.0);
    near(token_f1("cat", "", true), 0.0);
    near(exact_match("The cat.", "cat"), 1.0);
    near(exact_match("cats", "cat"), 0.0);
}

#[test]
fn squad_takes_the_best_gold_answer_of_each_question() {
    let golds = [answers(&["red dog", "dog"]), answers(&["nineteen eleven", "1911"]), answers(&[])];
    let predictions = ["the dog", "in 1911", "x"];
    let scores = Squad1::score(predictions.into_iter().zip(golds.iter().map(Vec::as_slice)));
    assert_eq!(scores.n, 3);
    near(scores.exact_match, 100.0 / 3.0);
    near(scores.f1, 100.0 * (1.0 + 2.0 / 3.0) / 3.0);
    assert_eq!(Squad1::score([]), Squad1::default());
}

#[test]
fn squad_2_distinguishes_questions_with_and_without_an_answer() {
    let golds = [answers(&["red dog"]), answers(&[]), answers(&[]), answers(&["1911", "the"])];
    let predictions = ["red cat", "", "no", "1911"];
    let scores = Squad2::score(predictions.into_iter().zip(golds.iter().map(Vec::as_slice)));
    near(scores.exact_match, 50.0);
    near(scores.f1, 100.0 * (0.5 + 1.0 + 0.0 + 1.0) / 4.0);
    let json = serde_json::to_value(scores).unwrap();
    for (name, value) in [
        ("n", 4.0),
        ("exact_match", 50.0),
        ("HasAns_exact", 50.0),
        ("HasAns_f1", 75.0),
        ("HasAns_total", 2.0),
        ("NoAns_exact", 50.0),
        ("NoAns_f1", 50.0),
        ("NoAns_total", 2.0),
    ] {
        near(json[name].as_f64().unwrap_or_else(|| panic!("{name} in {json}")), value);
    }
    let only_answered = Squad2::score([("red dog", golds[0].as_slice())]);
    let json = serde_json::to_value(only_answered).unwrap();
    assert!(json.get("NoAns_f1").is_none() && json.get("HasAns_f1").is_some(), "{json}");
}

/// The questions of a SQuAD file with the predictions of `tests/oracles/squad_scores.py`, or nothing without the file.
fn mechanical(file: &str) -> Option<Vec<(String, Vec<String>)>> {
    let path = required(&format!("scores of {file}"), "MOBILEBERT_DATA", &format!("squad/{file}"))?;
    let data: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let second = data["version"] == "v2.0";
    let list = |value: &Value| value.as_array().unwrap().clone();
    let questions = list(&data["data"]).into_iter().flat_map(|article| list(&article["paragraphs"]));
    let questions = questions.flat_map(|paragraph| list(&paragraph["qas"]));
    let predicted = questions.map(|question| {
        let golds: Vec<String> = list(&question["answers"])
            .iter()
            .map(|answer| answer["text"].as_str().unwrap().to_owned())
            .collect();
        let digit = question["id"].as_str().unwrap().chars().last().unwrap().to_digit(16).unwrap();
        let words = golds.last().map(|gold| gold.split_whitespace().take(2).collect::<Vec<_>>().join(" "));
        let prediction = match words {
            _ if second && digit % 4 == 0 => String::new(),
            None => "nothing".to_owned(),
            Some(words) if digit % 2 == 0 => format!("the {words}"),
            Some(words) => words,
        };
        (prediction, golds)
    });
    Some(predicted.collect())
}

#[test]
fn scores_of_squad_dev_equal_the_official_definitions() {
    if let Some(questions) = mechanical("dev-v1.1.json") {
        let scores = Squad1::score(questions.iter().map(|(found, golds)| (found.as_str(), golds.as_slice())));
        assert_eq!(scores.n, 10_570);
        near(scores.exact_match, 64.2100283822138);
        near(scores.f1, 86.26648661823437);
    }
    if let Some(questions) = mechanical("dev-v2.0.json") {
        let scores = Squad2::score(questions.iter().map(|(found, golds)| (found.as_str(), golds.as_slice())));
        assert_eq!(scores.n, 11_873);
        near(scores.exact_match, 36.890423650299);
        near(scores.f1, 45.30680742709721);
        let (has, none) = (scores.has_answer.unwrap(), scores.no_answer.unwrap());
        assert_eq!((has.n, none.n), (5_928, 5_945));
        near(has.exact, 47.216599190283404);
        near(has.f1, 64.07350279722016);
        near(none.exact, 26.59377628259041);
        near(none.f1, 26.59377628259041);
    }
}

#[test]
fn metrics_of_labels_equal_those_of_scikit_learn() {
    let (predictions, labels) = ([1, 0, 1, 1], [1, 1, 1, 0]);
    near(accuracy(&predictions, &labels), 0.5);
    near(f1(&predictions, &labels), 2.0 / 3.0);
    near(matthews(&predictions, &labels), -1.0 / 3.0);
    near(matthews(&labels, &labels), 1.0);
    near(matthews(&[1, 1], &[0, 1]), 0.0);
    near(f1(&[0, 0], &[0, 0]), 0.0);
    near(accuracy(&[], &[]), 0.0);
    // scikit-learn's matthews_corrcoef.
    near(matthews(&[1, 0, 0, 1, 1, 0, 1], &[1, 1, 0, 1, 0, 0, 1]), 0.4166666666666667);
}

#[test]
fn correlations_equal_those_of_scipy() {
    near(pearson(&[1.0, 2.0, 3.0], &[2.0, 4.0, 6.0]), 1.0);
    near(pearson(&[1.0, 2.0, 3.0, 4.0], &[1.0, 3.0, 2.0, 4.0]), 0.8);
    near(pearson(&[1.0, 2.0], &[5.0, 5.0]), 0.0);
    near(pearson(&[], &[]), 0.0);
    // scipy's pearsonr and spearmanr.
    let (a, b) = ([1.0, 2.5, 2.0, 9.0, -3.0], [0.0, 1.0, 1.0, 4.0, 2.0]);
    near(pearson(&a, &b), 0.6137353851576854);
    near(spearman(&a, &b), 0.35909242322980395);
    near(spearman(&[1.0, 10.0, 100.0], &[-3.0, -2.0, 7.0]), 1.0);
    // Ranks 1, 2.5, 2.5, 4 against 1, 2, 3, 4: covariance 4.5, variances 4.5 and 5.
    near(spearman(&[1.0, 2.0, 2.0, 9.0], &[1.0, 2.0, 3.0, 4.0]), 4.5 / (4.5f64 * 5.0).sqrt());
}

#[test]
fn calibration_compares_what_is_said_with_what_is_right() {
    // Probability 0.8 ten times, right eight times.
    let calibrated = (0..10).map(|index| (0.8, index < 8));
    near(expected_calibration_error(calibrated), 0.0);
    // A quarter at 1.0, always wrong; the rest at 0.55, right in two of three.
    let mixed = [(1.0, false), (0.55, true), (0.55, true), (0.55, false)];
    near(expected_calibration_error(mixed), 0.25 + 0.75 * (2.0 / 3.0 - 0.55));
    // Errors in opposite directions in one bin cancel, in two they don't.
    near(expected_calibration_error([(0.50, true), (0.52, false)]), 0.01);
    near(expected_calibration_error([(0.45, true), (0.55, false)]), 0.55);
    near(expected_calibration_error([]), 0.0);
}
