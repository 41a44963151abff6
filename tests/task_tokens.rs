//! Token classification and fill-mask with the tokenizer of the fixtures.

use mobilebert::error::Code;
use mobilebert::task::fill_mask::{self, Replaced, Targets};
use mobilebert::task::token_classification::{self, Aggregation, Entities, Entity, EntityOptions, redact};
use mobilebert::text::{Tokenizer, TokenizerFiles, sequence};

fn tokenizer() -> Tokenizer {
    let vocab = include_str!("oracles/fixtures/vocab.txt");
    Tokenizer::from_files(TokenizerFiles { vocab: Some(vocab), ..Default::default() }).unwrap()
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

/// Entities of `text`, as `label:text`, if piece `i` clearly has label `given[i]`.
fn entities(text: &str, labels: &[&str], given: &[usize]) -> Vec<String> {
    let labels = names(labels);
    let pieces = tokenizer().encode(text).unwrap();
    assert_eq!(pieces.len(), given.len(), "{text}");
    let mut logits = vec![0.0; pieces.len() * labels.len()];
    given.iter().enumerate().for_each(|(piece, label)| logits[piece * labels.len() + label] = 20.0);
    let options = EntityOptions::default();
    let mut entities = Entities::new(text, &labels, &options);
    // In two parts, as if windows met in the middle of the text.
    let (first, second) = pieces.split_at(pieces.len() / 2);
    let rows = logits.split_at(first.len() * labels.len());
    entities.add(first, rows.0).unwrap();
    entities.add(second, rows.1).unwrap();
    let shown = |entity: Entity| {
        assert_eq!(text[entity.start_byte..entity.end_byte], entity.text);
        let before = text[..entity.start_byte].encode_utf16().count();
        assert_eq!(entity.start_utf16, before);
        assert_eq!(entity.end_utf16, before + entity.text.encode_utf16().count());
        assert!(entity.probability > 0.99 && entity.token.is_none());
        format!("{}:{}", entity.label, entity.text)
    };
    entities.finish().into_iter().map(shown).collect()
}

#[test]
fn adjacent_tokens_with_the_same_label_form_an_entity() {
    let found =
        |text: &str, given: &[usize]| entities(text, &["O", "B-PER", "I-PER", "B-LOC", "I-LOC"], given);
    assert_eq!(found("👍 Zoë ate in 東京.", &[0, 1, 0, 0, 3, 4, 0]), ["PER:Zoë", "LOC:東京"]);
    assert_eq!(found("Zoë Zoë ate", &[1, 1, 0]), ["PER:Zoë", "PER:Zoë"]);
    assert_eq!(found("Zoë Zoë ate", &[2, 2, 2]), ["PER:Zoë Zoë ate"]);
    assert_eq!(found("Zoë Seoul", &[2, 4]), ["PER:Zoë", "LOC:Seoul"]);
    assert_eq!(found("at cafe\u{301}", &[0, 3]), ["LOC:cafe\u{301}"]);
    assert_eq!(
        found("Zoë ate Zoë", &[2, 0, 2]),
        ["PER:Zoë", "PER:Zoë"],
        "joined across a token without a label"
    );
    assert_eq!(found("", &[]), Vec::<String>::new());
}

#[test]
fn labels_for_the_end_of_an_entity_and_for_single_tokens_are_understood() {
    let bioes = ["O", "B-PER", "I-PER", "E-PER", "S-PER"];
    let bilou = ["O", "B-PER", "I-PER", "L-PER", "U-PER"];
    for labels in [bioes, bilou] {
        let found = |given: &[usize]| entities("the lamp was lit", &labels, given);
        assert_eq!(found(&[1, 2, 3, 0]), ["PER:the lamp was"]);
        assert_eq!(found(&[1, 3, 2, 3]), ["PER:the lamp", "PER:was lit"], "an end closes the entity");
        assert_eq!(found(&[4, 4, 0, 4]), ["PER:the", "PER:lamp", "PER:lit"]);
        assert_eq!(found(&[4, 2, 3, 0]), ["PER:the", "PER:lamp was"], "nothing continues a single token");
        assert_eq!(found(&[3, 3, 0, 0]), ["PER:the lamp"], "an end without a beginning");
    }
    // Without `B-` or `I-` among the labels, "E-" is part of a name.
    let found = |given: &[usize]| entities("the lamp was lit", &["O", "E-MAIL", "PHONE"], given);
    assert_eq!(found(&[1, 1, 1, 2]), ["E-MAIL:the lamp was", "PHONE:lit"]);
}

#[test]
fn ignored_labels_are_omitted_and_separate_entities() {
    let text = "the lamp was lit";
    let labels = names(&["O", "B-PER", "I-PER"]);
    let found = |aggregation, ignored: &[&str]| {
        let options = EntityOptions { aggregation, ignore_labels: names(ignored) };
        let mut entities = Entities::new(text, &labels, &options);
        let row = |label: usize| (0..3).map(move |at| if at == label { 9.0f32 } else { 0.0 });
        let logits: Vec<f32> = [1, 2, 0, 2].into_iter().flat_map(row).collect();
        entities.add(&tokenizer().encode(text).unwrap(), &logits).unwrap();
        let shown = |entity: Entity| format!("{}:{}", entity.label, entity.text);
        entities.finish().into_iter().map(shown).collect::<Vec<_>>()
    };
    assert_eq!(found(Aggregation::Simple, &["O"]), ["PER:the lamp", "PER:lit"]);
    assert_eq!(found(Aggregation::Simple, &[]), ["PER:the lamp", "O:was", "PER:lit"]);
    assert_eq!(found(Aggregation::First, &["PER"]), ["O:was"]);
    assert_eq!(found(Aggregation::Max, &["B-PER", "O"]), ["PER:lamp", "PER:lit"]);
    assert_eq!(found(Aggregation::None, &["O"]), ["B-PER:the", "I-PER:lamp", "I-PER:lit"]);
    assert_eq!(found(Aggregation::None, &[]).len(), 4);
}

#[test]
fn tokens_that_are_entities_keep_their_combining_marks() {
    let (text, labels) = ("cafe\u{301} lit", names(&["B-LOC"]));
    let options = EntityOptions { aggregation: Aggregation::None, ..EntityOptions::default() };
    let mut entities = Entities::new(text, &labels, &options);
    let pieces = tokenizer().encode(text).unwrap();
    entities.add(&pieces, &vec![0.0; pieces.len()]).unwrap();
    let found = entities.finish();
    assert_eq!(found[0].text, "cafe\u{301}");
    assert_eq!(redact(text, &found, |_| "x".into()), "x x");
}

#[test]
fn redaction_replaces_every_entity_once() {
    let text = "👍 Zoë ate in Seoul.";
    let entity = |label: &str, part: &str| {
        let start_byte = text.find(part).unwrap();
        let (start_utf16, end_utf16, probability) = (0, 0, 1.0);
        let end_byte = start_byte + part.len();
        let (label, text) = (label.to_owned(), part.to_owned());
        Entity { label, text, probability, start_utf16, end_utf16, start_byte, end_byte, token: None }
    };
    let redacted = |entities: &[Entity]| redact(text, entities, |entity| format!("[{}]", entity.label));
    assert_eq!(redacted(&[]), text);
    assert_eq!(
        redacted(&[entity("LOC", "Seoul"), entity("PER", "Zoë")]),
        "👍 [PER] ate in [LOC].",
        "any order"
    );
    let overlapping = [entity("B", "ate in"), entity("A", "Zoë ate"), entity("C", "in")];
    assert_eq!(redacted(&overlapping), "👍 [A] Seoul.");
    assert_eq!(redacted(&[entity("A", text)]), "[A]");
}

#[test]
fn token_logits_of_the_wrong_length_are_an_error() {
    let pieces = tokenizer().encode("the lamp").unwrap();
    token_classification::tokens(&pieces, &[0.0; 3], &names(&["a", "b"])).unwrap_err();
    token_classification::tokens(&pieces, &[], &[]).unwrap_err();
    token_classification::tokens(&pieces, &[f32::NAN; 4], &names(&["a", "b"])).unwrap_err();
    let (labels, options) = (names(&["a", "b"]), EntityOptions::default());
    let mut entities = Entities::new("the lamp", &labels, &options);
    entities.add(&pieces, &[0.0; 3]).unwrap_err();
    entities.add(&pieces, &[f32::INFINITY; 4]).unwrap_err();
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
    let fills = fill_mask::fills(&tokenizer, &encoded.ids, masks[0], &logits, None, 3).unwrap();
    let total = 3f64.exp() + 2f64.exp() + 5f64.exp() + size - 3.0;
    assert_eq!(fills.len(), 3);
    assert_eq!((fills[0].token_str.as_str(), fills[0].sequence.as_str()), ("lamp", "the lamp was [MASK]."));
    assert_eq!((fills[1].token_str.as_str(), fills[1].sequence.as_str()), ("##s", "thes was [MASK]."));
    assert!((fills[0].probability - 3f64.exp() / total).abs() < 1e-12);
    assert_eq!(fills[2].token, 0, "equal ones in the order of the vocabulary");
    let error = fill_mask::fills(&tokenizer, &encoded.ids, 1, &logits, None, 3).unwrap_err();
    assert!(error.to_string().contains("[MASK]"), "{error}");
    logits[7] = f32::NAN;
    fill_mask::fills(&tokenizer, &encoded.ids, masks[0], &logits, None, 3).unwrap_err();
}

#[test]
fn targets_are_looked_up_in_the_vocabulary_or_replaced_by_their_first_token() {
    let tokenizer = tokenizer();
    let find = |targets: &[&str]| Targets::find(&tokenizer, &names(targets));
    let id = |token: &str| tokenizer.id(token).unwrap();
    let found = find(&["lamp", "##s", "Lamps", "lamp"]).unwrap();
    assert_eq!(found.ids, [id("lamp"), id("##s")]);
    let replaced = Replaced { target: "Lamps".into(), token: "lamp".into() };
    assert_eq!(found.replaced, [replaced]);
    let error = find(&["lamp", "☃", "goats", " "]).unwrap_err();
    assert_eq!(error.code(), Code::InvalidInput);
    assert!(error.to_string().contains(r#"no token for "☃", " ""#), "{error}");
    assert!(!error.to_string().contains("goats"), "{error}");
    assert!(find(&[]).unwrap_err().to_string().contains("targets"));
}
