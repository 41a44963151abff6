//! Pieces and their offsets in the source.

mod support;

use mobilebert::text::Piece;
use serde_json::json;
use support::random::Random;
use support::tokenizers::{by_json, by_vocab, shown, spelled, tokenizer_json, uncased};

#[test]
fn pieces_have_offsets_in_the_source_despite_normalization() {
    let tokenizer = uncased();
    let cases: &[(&str, &[(&str, &str)])] = &[
        ("The TOWER", &[("the", "The"), ("tower", "TOWER")]),
        ("\u{feff}the\u{0} tower\u{200b}", &[("the", "the"), ("tower", "tower")]),
        ("t\u{200d}he", &[("the", "t\u{200d}he")]),
        ("Môn", &[("mon", "Môn")]),
        ("Mo\u{302}n", &[("mon", "Mo\u{302}n")]),
        ("o\u{302}", &[("o", "o")]),
        ("İs", &[("is", "İs")]),
        ("東京", &[("東", "東"), ("京", "京")]),
        ("a東b", &[("a", "a"), ("東", "東"), ("b", "b")]),
        ("\u{202f}the\u{a0}\r\n\tlog", &[("the", "the"), ("log", "log")]),
        ("👍🏽", &[("[UNK]", "👍🏽")]),
        ("👨\u{200d}👩\u{200d}👧.", &[("[UNK]", "👨\u{200d}👩\u{200d}👧"), (".", ".")]),
        ("", &[]),
        (" \u{200b}\n", &[]),
        ("e", &[("e", "e")]),
    ];
    for (text, expected) in cases {
        let found = shown(&tokenizer, text);
        let found: Vec<(&str, &str)> = found.iter().map(|(token, slice)| (token.as_str(), *slice)).collect();
        assert_eq!(&found, expected, "{text:?}");
    }
}

#[test]
fn right_to_left_text_keeps_logical_order() {
    let text = "شاي مع نعناع";
    let slices: String = shown(&uncased(), text).into_iter().map(|(_, slice)| slice).collect();
    assert_eq!(slices, text.replace(' ', ""));
}

#[test]
fn special_tokens_in_a_text_are_themselves_but_plain_text_in_a_passage() {
    for mut tokenizer in [uncased(), by_json(&tokenizer_json()).unwrap()] {
        let special = tokenizer.special();
        let control = [Some(special.class), Some(special.separator), special.padding, special.mask];
        let controls = |pieces: Vec<Piece>| pieces.iter().filter(|p| control.contains(&Some(p.id))).count();
        for (text, count) in [("[SEP]", 1), ("a[SEP]b", 1), ("[CLS] [PAD] [UNK] [MASK]", 3), ("[sep]", 0)] {
            tokenizer.set_split_special_tokens(None);
            assert_eq!(controls(tokenizer.encode_with_special_tokens(text).unwrap()), count, "{text}");
            assert_eq!(controls(tokenizer.encode(text).unwrap()), 0, "{text}");
            for (split, count) in [(true, 0), (false, count)] {
                tokenizer.set_split_special_tokens(Some(split));
                assert_eq!(
                    controls(tokenizer.encode_with_special_tokens(text).unwrap()),
                    count,
                    "{text}, {split}"
                );
                assert_eq!(controls(tokenizer.encode(text).unwrap()), count, "{text}, {split}");
            }
        }
        tokenizer.set_split_special_tokens(Some(true));
        assert_eq!(spelled(&tokenizer, "[SEP]"), ["[", "sep", "]"]);
    }
}

#[test]
fn fill_mask_finds_the_mask_token_even_if_special_tokens_are_plain_text() {
    let mut tokenizer = uncased();
    tokenizer.set_split_special_tokens(Some(true));
    assert_eq!(tokenizer.encode_with_masks("[SEP]").unwrap().len(), 3);
    let text = "the [MASK] is a[MASK].";
    let pieces = tokenizer.encode_with_masks(text).unwrap();
    let found: Vec<&str> = pieces.iter().map(|piece| &text[piece.range()]).collect();
    assert_eq!(found, ["the", "[MASK]", "is", "a", "[MASK]", "."]);
    assert_eq!(pieces.iter().map(|piece| piece.word).collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5]);
    assert_eq!(pieces[1].id, tokenizer.special().mask.unwrap());
}

#[test]
fn random_texts_give_valid_pieces() {
    let tokenizers = [
        uncased(),
        by_vocab(json!({"do_lower_case": false})),
        by_vocab(json!({"tokenize_chinese_chars": false})),
    ];
    let mut random = Random::new(7);
    for round in 0..3000 {
        let text = random.text(if round % 100 == 0 { 3000 } else { 60 });
        for tokenizer in &tokenizers {
            let pieces = tokenizer.encode(&text).unwrap();
            check_pieces(&text, &pieces);
            for word in words(&pieces) {
                let source = &text[word[0].start..word[word.len() - 1].end];
                let again = tokenizer.encode(source).unwrap();
                let ids = |pieces: &[Piece]| pieces.iter().map(|piece| piece.id).collect::<Vec<_>>();
                assert_eq!(ids(&again), ids(word), "{source:?} of {text:?}");
            }
        }
    }
}

/// Offsets are in order, at character boundaries, never empty, and never start or end with white space.
fn check_pieces(text: &str, pieces: &[Piece]) {
    let mut before = Piece { id: 0, start: 0, end: 0, word: 0 };
    for piece in pieces {
        let slice = text.get(piece.range()).unwrap_or_else(|| panic!("{piece:?} of {text:?}"));
        assert!(!slice.is_empty() && slice.trim() == slice, "{slice:?} of {text:?}");
        assert!(before.start <= piece.start && before.end <= piece.end, "{before:?} {piece:?} of {text:?}");
        assert!(piece.word == before.word || piece.word == before.word + 1, "{piece:?} of {text:?}");
        before = *piece;
    }
}

fn words(pieces: &[Piece]) -> impl Iterator<Item = &[Piece]> {
    pieces.chunk_by(|a, b| a.word == b.word)
}

#[test]
fn a_long_text_has_the_same_pieces_as_its_parts() {
    let tokenizer = uncased();
    let mut random = Random::new(11);
    let mut text = String::new();
    let mut expected: Vec<Piece> = Vec::new();
    while text.len() < 1 << 20 {
        let part = random.text(40);
        text.push(' ');
        let (shift, first) = (text.len(), expected.last().map_or(0, |piece| piece.word + 1));
        let pieces = tokenizer.encode(&part).unwrap();
        expected.extend(pieces.into_iter().map(|piece| Piece {
            id: piece.id,
            start: piece.start + shift,
            end: piece.end + shift,
            word: piece.word + first,
        }));
        text.push_str(&part);
    }
    assert_eq!(tokenizer.encode(&text).unwrap(), expected);
}

#[test]
fn texts_without_spaces_are_tokenized_as_a_whole() {
    let tokenizer = uncased();
    assert_eq!(tokenizer.encode(&"東".repeat(200_000)).unwrap().len(), 200_000);
    let unknown = tokenizer.encode(&"x".repeat(1 << 20)).unwrap();
    assert_eq!((unknown.len(), unknown[0].range()), (1, 0..1 << 20));
    assert_eq!(tokenizer.encode(&"\u{301}".repeat(100_000)).unwrap(), []);
    let longest = tokenizer.encode(&"x".repeat(100)).unwrap();
    assert!(longest.len() > 1 && longest.iter().all(|piece| piece.id != tokenizer.special().unknown));
}

#[test]
fn cased_tokenizers_keep_case_and_accents() {
    assert_eq!(spelled(&by_vocab(json!({"do_lower_case": false})), "the The"), ["the", "[UNK]"]);
    let stripping = by_vocab(json!({"do_lower_case": false, "strip_accents": true}));
    assert_eq!(spelled(&stripping, "thé"), ["the"]);
    let keeping = by_vocab(json!({"strip_accents": false}));
    assert_eq!(spelled(&keeping, "THE thé"), ["the", "[UNK]"]);
    let joined = by_vocab(json!({"tokenize_chinese_chars": false}));
    assert_eq!(spelled(&joined, "東東"), ["[UNK]"]);
}

#[test]
fn decoding_joins_pieces_and_drops_control_tokens() {
    let tokenizer = uncased();
    let ids: Vec<u32> = ["[CLS]", "the", "to", "##w", "##n", ",", "[MASK]", "?", "[SEP]"]
        .map(|t| tokenizer.id(t).unwrap())
        .into();
    assert_eq!(tokenizer.decode(&ids), "the town, [MASK]?");
}
