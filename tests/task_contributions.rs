//! Contributions of words are differences between the probabilities from `classify`, for the included
//! sentiment model.

use std::ops::ControlFlow;

use mobilebert::error::Code;
use mobilebert::model::{MAX_WORDS, Text, TextClassification};
use mobilebert::session::{Device, SessionOptions};

const SST2: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/models/mobilebert-sst2");

fn model() -> TextClassification {
    let options = SessionOptions { device: Device::Cpu, ..SessionOptions::default() };
    pollster::block_on(TextClassification::open(SST2, &options)).unwrap()
}

fn probability(model: &mut TextClassification, text: &str, label: &str) -> f64 {
    let results = pollster::block_on(model.classify(&[Text::from(text)])).unwrap();
    results[0].labels.iter().find(|one| one.label == label).unwrap().probability
}

fn contributions(
    model: &mut TextClassification,
    text: &str,
    label: Option<&str>,
) -> mobilebert::model::Contributions {
    pollster::block_on(model.contributions_with(text, label, async |_| ControlFlow::Continue(()))).unwrap()
}

#[test]
fn a_contribution_is_the_probability_with_a_word_less_that_without_it() {
    let mut model = model();
    let text = "  Not a\u{a0}bad film, 東京 —  at\nall 🙂";
    let shorter = [
        " a\u{a0}bad film, 東京 —  at\nall 🙂",
        "  Not\u{a0}bad film, 東京 —  at\nall 🙂",
        "  Not a film, 東京 —  at\nall 🙂",
    ];
    for label in ["positive", "negative"] {
        let found = contributions(&mut model, text, Some(label));
        let whole = probability(&mut model, text, label);
        assert!((found.probability - whole).abs() < 1e-6);
        let words: Vec<&str> = found.words.iter().map(|word| word.text.as_str()).collect();
        assert_eq!(words, ["Not", "a", "bad", "film,", "東京", "—", "at", "all", "🙂"]);
        for (word, shorter) in found.words.iter().zip(shorter) {
            let expected = whole - probability(&mut model, shorter, label);
            assert!((word.contribution - expected).abs() < 1e-6, "{word:?} {expected}");
        }
        let units: Vec<u16> = text.encode_utf16().collect();
        for word in &found.words {
            assert_eq!(&text[word.start_byte..word.end_byte], word.text);
            assert_eq!(String::from_utf16_lossy(&units[word.start_utf16..word.end_utf16]), word.text);
            assert_eq!(word.unknown, word.text == "🙂", "{word:?}");
        }
    }
}

#[test]
fn without_a_label_it_is_the_most_probable_one_and_an_unknown_one_is_an_error() {
    let mut model = model();
    assert_eq!(contributions(&mut model, "A dreadful film.", None).label, "negative");
    assert_eq!(contributions(&mut model, "", None).words, []);
    let call = model.contributions_with("A film.", Some("POSITIVE"), async |_| ControlFlow::Continue(()));
    let error = pollster::block_on(call).unwrap_err();
    assert_eq!(error.code(), Code::InvalidInput);
    assert!(error.to_string().contains("negative, positive"), "{error}");
}

#[test]
fn a_long_text_has_contributions_of_its_first_words_and_can_be_stopped() {
    let mut model = model();
    let text = "good ".repeat(MAX_WORDS + 1);
    let found = contributions(&mut model, &text, None);
    assert!(found.truncated && found.words.len() == MAX_WORDS);
    let stopped = model.contributions_with(&text, None, async |_| ControlFlow::Break(()));
    assert_eq!(pollster::block_on(stopped).unwrap_err().code(), Code::Aborted);
}
