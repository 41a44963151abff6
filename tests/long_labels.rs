//! Token classification of texts that are longer than the model's maximum length.

use std::ops::ControlFlow;
use std::path::Path;

use mobilebert::error::Code;
use mobilebert::model::{LabelOptions, TokenClassification};
use mobilebert::session::{Device, SessionOptions};

/// A model whose windows have 62 pieces.
fn model() -> TokenClassification {
    let directory =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/transformers-js/token-classification");
    let options = SessionOptions { device: Device::Cpu, ..SessionOptions::default() };
    pollster::block_on(TokenClassification::open(directory, &options)).unwrap()
}

#[test]
fn every_token_of_a_long_text_is_labeled_where_it_has_the_most_context() {
    let mut model = model();
    // Single-piece words, so that the text of a window alone has the same pieces.
    let text = "goats lamp week light litres anything naive ".repeat(40);
    let pieces = model.model().tokenizer().unwrap().encode(&text).unwrap();
    let labeled = pollster::block_on(model.label(&text)).unwrap();
    let ranges: Vec<_> = labeled.tokens.iter().map(|token| token.start_byte..token.end_byte).collect();
    assert_eq!(
        ranges,
        pieces.iter().map(|piece| piece.range()).collect::<Vec<_>>(),
        "each token once, in order"
    );
    assert!(labeled.tokens.iter().enumerate().all(|(at, token)| token.index == at));
    assert_eq!(labeled.windows, 1 + (pieces.len() - 62).div_ceil(31));
    // A window alone gives its own tokens the same labels: each window starts 31 pieces after the previous
    // one.
    for window in 0..labeled.windows {
        let first = window * 31;
        let last = (first + 62).min(pieces.len());
        let alone = &text[pieces[first].start..pieces[last - 1].end];
        let alone = pollster::block_on(model.label(alone)).unwrap();
        let own = if window == 0 { 0 } else { 16 }..if last == pieces.len() { last - first } else { 46 };
        for at in own {
            let (left, right) = (&alone.tokens[at], &labeled.tokens[first + at]);
            assert_eq!(left.label, right.label, "window {window}, token {at}");
            assert!((left.probability - right.probability).abs() < 1e-5, "{left:?} {right:?}");
        }
    }
}

#[test]
fn entities_continue_where_windows_meet() {
    let mut model = model();
    let text = "goats lamps weeks reefs litres anything ".repeat(60);
    let labeled = pollster::block_on(model.label(&text)).unwrap();
    assert!(labeled.windows > 5);
    // Joined from the list of all tokens: a token continues the previous entity unless its label starts a new
    // one.
    let mut expected: Vec<(usize, usize, String)> = Vec::new();
    let mut last = String::new();
    for token in &labeled.tokens {
        let name = token.label.trim_start_matches("B-").trim_start_matches("I-").to_owned();
        match expected.last_mut() {
            Some(entity) if last == name && !token.label.starts_with("B-") => entity.1 = token.end_byte,
            _ => expected.push((token.start_byte, token.end_byte, name.clone())),
        }
        last = name;
    }
    expected.retain(|(_, _, name)| name != "O");
    let found =
        labeled.entities.iter().map(|entity| (entity.start_byte, entity.end_byte, entity.label.clone()));
    assert_eq!(found.collect::<Vec<_>>(), expected);
}

#[test]
fn a_text_without_a_token_and_one_endless_word_are_labeled() {
    let mut model = model();
    for text in ["", " \n\t "] {
        let labeled = pollster::block_on(model.label(text)).unwrap();
        assert_eq!((labeled.entities.len(), labeled.tokens.len(), labeled.windows), (0, 0, 0));
    }
    let word = "a".repeat(100_000);
    let labeled = pollster::block_on(model.label(&word)).unwrap();
    assert_eq!((labeled.tokens.len(), labeled.tokens[0].end_byte), (1, 100_000));
}

#[test]
fn a_stopped_call_is_aborted_and_the_model_stays_usable() {
    let mut model = model();
    let text = "goats lamps weeks ".repeat(200);
    let options = LabelOptions::default();
    let mut seen = Vec::new();
    let call = model.label_with(&text, &options, async |windows| {
        seen.push(windows);
        if windows < 20 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    assert_eq!(pollster::block_on(call).unwrap_err().code(), Code::Aborted);
    assert!(seen.last().is_some_and(|&windows| (20..30).contains(&windows)), "{seen:?}");
    assert_eq!(pollster::block_on(model.label("goats")).unwrap().tokens.len(), 1);
}
