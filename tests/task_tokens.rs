//! Token classification and fill-mask with the tokenizer of the fixtures.

use mobilebert::task::{fill_mask, token_classification};
use mobilebert::text::{Tokenizer, TokenizerFiles, sequence};

fn tokenizer() -> Tokenizer {
    let vocab = include_str!("oracles/fixtures/vocab.txt");
    Tokenizer::from_files(TokenizerFiles { vocab: Some(vocab), ..Default::default() }).unwrap()
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

/// Entities of `text` if piece `i` clearly has label `labels[i]`.
fn entities(text: &str, labels: &[usize]) -> Vec<(String, String)> {
    let names = names(&["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]);
    let pieces = tokenizer().encode(text).unwrap();
    assert_eq!(pieces.len(), labels.len(), "{text}");
    let mut logits = vec![0.0; pieces.len() * names.len()];
    labels.iter().enumerate().for_each(|(piece, label)| logits[piece * names.len() + label] = 20.0);
    let tokens = token_classification::tokens(&pieces, &logits, &names).unwrap();
    token_classification::entities(text, &tokens)
        .into_iter()
        .map(|entity| {
            assert_eq!(text[entity.start_byte..entity.end_byte], entity.text);
            let before = text[..entity.start_byte].encode_utf16().count();
            assert_eq!(entity.start_utf16, before);
            assert_eq!(entity.end_utf16, before + entity.text.encode_utf16().count());
            assert!(entity.probability > 0.99);
            (entity.label, entity.text)
        })
        .collect()
}

#[test]
fn adjacent_tokens_with_the_same_label_form_an_entity() {
    let found = |text: &str, labels: &[usize]| {
        entities(text, labels).into_iter().map(|(label, text)| format!("{label}:{text}")).collect::<Vec<_>>()
    };
    assert_eq!(found("👍 Zoë ate in 東京.", &[0, 1, 0, 0, 3, 4, 0]), ["PER:Zoë", "LOC:東京"]);
    assert_eq!(found("Zoë Zoë ate", &[1, 1, 0]), ["PER:Zoë", "PER:Zoë"]);
    assert_eq!(found("Zoë Zoë ate", &[2, 2, 2]), ["PER:Zoë Zoë ate"]);
    assert_eq!(found("Zoë Seoul", &[2, 4]), ["PER:Zoë", "LOC:Seoul"]);
    assert_eq!(found("at cafe\u{301}", &[0, 3]), ["LOC:cafe\u{301}"]);
    assert_eq!(found("", &[]), Vec::<String>::new());
}

#[test]
fn token_logits_of_the_wrong_length_are_an_error() {
    let pieces = tokenizer().encode("the lamp").unwrap();
    token_classification::tokens(&pieces, &[0.0; 3], &names(&["a", "b"])).unwrap_err();
    token_classification::tokens(&pieces, &[], &[]).unwrap_err();
    token_classification::tokens(&pieces, &[f32::NAN; 4], &names(&["a", "b"])).unwrap_err();
}

#[test]
fn the_most_probable_tokens_fill_the_mask() {
    let tokenizer = tokenizer();
    let id = |token: &str| tokenizer.id(token).unwrap();
    let pieces = tokenizer.encode_with_masks("The [MASK] was [MASK].").unwrap();
    let encoded = sequence::assemble(&tokenizer, pieces, None, 32).unwrap();
    let masks = fill_mask::masks(&tokenizer, &encoded.ids);
    assert_eq!(masks, [2, 4]);
    // Eight more logits than tokens, as with a padded vocabulary; the largest logit is among them.
    let mut logits = vec![0.0; tokenizer.vocabulary_size() + 8];
    let size = logits.len() as f64;
    logits[id("lamp") as usize] = 3.0;
    logits[id("##s") as usize] = 2.0;
    logits[tokenizer.vocabulary_size()] = 5.0;
    let fills = fill_mask::fills(&tokenizer, &encoded.ids, masks[0], &logits, 3).unwrap();
    let total = 3f64.exp() + 2f64.exp() + 5f64.exp() + size - 3.0;
    assert_eq!(fills.len(), 3);
    assert_eq!((fills[0].token_str.as_str(), fills[0].sequence.as_str()), ("lamp", "the lamp was [MASK]."));
    assert_eq!((fills[1].token_str.as_str(), fills[1].sequence.as_str()), ("##s", "thes was [MASK]."));
    assert!((fills[0].probability - 3f64.exp() / total).abs() < 1e-12);
    assert_eq!(fills[2].token, 0, "equal ones in the order of the vocabulary");
    let error = fill_mask::fills(&tokenizer, &encoded.ids, 1, &logits, 3).unwrap_err();
    assert!(error.to_string().contains("[MASK]"), "{error}");
    logits[7] = f32::NAN;
    fill_mask::fills(&tokenizer, &encoded.ids, masks[0], &logits, 3).unwrap_err();
}
