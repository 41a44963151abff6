//! Model inputs: single texts, pairs and windows. Also offsets in UTF-16.

mod support;

use mobilebert::error::Code;
use mobilebert::text::windows::{WindowOptions, Windows};
use mobilebert::text::{Tokenizer, TokenizerFiles, Utf16Index, byte_at, sequence, whole_characters};
use support::random::Random;

fn tokenizer() -> Tokenizer {
    let vocab = include_str!("oracles/fixtures/vocab.txt");
    Tokenizer::from_files(TokenizerFiles { vocab: Some(vocab), ..Default::default() }).unwrap()
}

#[test]
fn a_pair_is_enclosed_in_special_tokens() {
    let tokenizer = tokenizer();
    let id = |token: &str| tokenizer.id(token).unwrap();
    let encoded = sequence::encode(&tokenizer, "the lamp", Some("is lit."), 16).unwrap();
    let expected = ["[CLS]", "the", "lamp", "[SEP]", "is", "lit", ".", "[SEP]"].map(id);
    assert_eq!(encoded.ids, expected);
    assert_eq!(encoded.type_ids, [0, 0, 0, 0, 1, 1, 1, 1]);
    assert!(!encoded.truncated);
    let single = sequence::encode(&tokenizer, "", None, 2).unwrap();
    assert_eq!((single.ids, single.type_ids), (["[CLS]", "[SEP]"].map(id).to_vec(), vec![0, 0]));
}

/// The rule: remove one token at a time from the longer text. Of two equally long texts, the first one counts
/// as the originally shorter one, and keeps the smaller half.
#[test]
fn long_pairs_are_truncated_at_the_end_of_the_longer_text() {
    let tokenizer = tokenizer();
    for first in 0..12 {
        for second in 0..12 {
            for max_length in 3..24 {
                let (a, b) = ("the ".repeat(first), "of ".repeat(second));
                let encoded = sequence::encode(&tokenizer, &a, Some(&b), max_length).unwrap();
                let room = max_length - 3;
                let (mut left, mut right) = (first, second);
                while left + right > room {
                    if left > right || (left == right && first > second) {
                        left -= 1;
                    } else {
                        right -= 1;
                    }
                }
                // Both are truncated to half: the odd token goes to the longer text, or to the second of two
                // equal ones.
                if first.min(second) > room / 2 && first + second > room {
                    let (small, large) = (room / 2, room - room / 2);
                    (left, right) = if first > second { (large, small) } else { (small, large) };
                }
                let found = (encoded.pieces.len(), encoded.pair.len());
                assert_eq!(found, (left, right), "{first} and {second} in {max_length}");
                assert_eq!(encoded.truncated, first + second > room);
                assert!(encoded.ids.len() <= max_length);
            }
        }
    }
    let alone = sequence::encode(&tokenizer, &"the ".repeat(9), None, 6).unwrap();
    assert_eq!((alone.ids.len(), alone.truncated), (6, true));
    assert_eq!(sequence::encode(&tokenizer, "a", None, 1).unwrap_err().code(), Code::InvalidInput);
    assert_eq!(sequence::encode(&tokenizer, "a", Some("b"), 2).unwrap_err().code(), Code::InvalidInput);
}

#[test]
fn windows_cover_the_context_and_each_token_has_one_best_window() {
    let tokenizer = tokenizer();
    let mut random = Random::new(3);
    for _ in 0..400 {
        let words = 1 + random.below(120);
        let context = "lamp ".repeat(words);
        let question = "what ".repeat(1 + random.below(12));
        let options = WindowOptions {
            max_length: 5 + random.below(40),
            doc_stride: 1 + random.below(30),
            max_question: 1 + random.below(12),
        };
        let windows = Windows::new(&tokenizer, &question, &context, &options).unwrap();
        let mut best = vec![0; words];
        let mut seen = 0;
        for (index, window) in windows.iter().enumerate() {
            assert_eq!(window.index, index);
            assert!(window.ids.len() <= options.max_length && !window.pieces.is_empty(), "{options:?}");
            assert_eq!(window.ids.len(), window.type_ids.len());
            assert_eq!(window.pieces.len(), window.max_context.len());
            assert!(window.first_piece <= seen, "a gap before window {index}: {options:?}");
            seen = window.first_piece + window.pieces.len();
            for (at, &max) in window.max_context.iter().enumerate() {
                assert_eq!(window.ids[window.context_position + at], window.pieces[at].id);
                best[window.first_piece + at] += usize::from(max);
            }
        }
        assert_eq!(seen, words, "{options:?}");
        assert!(best.iter().all(|&count| count == 1), "{options:?}: {best:?}");
        assert!(windows.get(windows.len()).is_none());
        let asked = question.split_whitespace().count();
        let longest = options.max_question.min(options.max_length - 4);
        assert_eq!(windows.question_truncated(), asked > longest);
    }
}

#[test]
fn a_megabyte_of_context_has_more_than_a_thousand_windows() {
    let tokenizer = tokenizer();
    let context = "the lamp burned. ".repeat((1 << 20) / 17);
    let windows = Windows::new(&tokenizer, "what burned?", &context, &WindowOptions::default()).unwrap();
    assert!(windows.len() > 1000, "{}", windows.len());
    let last = windows.get(windows.len() - 1).unwrap();
    assert_eq!(last.pieces.last().unwrap().end, context.trim_end().len());
    assert!(windows.get(usize::MAX).is_none());
}

#[test]
fn windows_without_room_for_context_are_errors() {
    let tokenizer = tokenizer();
    let sizes = |max_length, doc_stride, max_question| WindowOptions { max_length, doc_stride, max_question };
    for (question, context, options, named) in [
        ("", "lamp", WindowOptions::default(), "question"),
        (" \u{200b}", "lamp", WindowOptions::default(), "question"),
        ("what", "", WindowOptions::default(), "context"),
        ("what", "\n\u{0}", WindowOptions::default(), "context"),
        ("what", "lamp", sizes(4, 1, 1), "max_length"),
        ("what", "lamp", sizes(0, 1, 1), "max_length"),
        ("what", "lamp", sizes(384, 0, 64), "doc_stride"),
        ("what", "lamp", sizes(384, 128, 0), "max_question"),
    ] {
        let error = Windows::new(&tokenizer, question, context, &options).unwrap_err();
        assert_eq!(error.code(), Code::InvalidInput);
        assert!(error.to_string().contains(named), "{error}");
    }
    Windows::new(&tokenizer, "what", "lamp", &sizes(5, usize::MAX, usize::MAX)).unwrap();
}

#[test]
fn utf16_units_equal_a_count_from_the_start() {
    let mut random = Random::new(5);
    for round in 0..300 {
        let text = random.text(if round % 10 == 0 { 4000 } else { 30 });
        let index = Utf16Index::new(&text);
        for _ in 0..40 {
            let offset = random.below(text.len() + 4);
            let border = (0..=offset.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap();
            assert_eq!(index.units(offset), text[..border].encode_utf16().count(), "{offset} of {text:?}");
        }
        assert_eq!(index.range(&(0..text.len())), 0..text.encode_utf16().count());
    }
}

#[test]
fn the_byte_of_a_utf16_unit_is_the_start_of_its_character() {
    let mut random = Random::new(6);
    for _ in 0..300 {
        let text = random.text(30);
        let mut units = 0;
        for (byte, character) in text.char_indices() {
            for unit in units..units + character.len_utf16() {
                assert_eq!(byte_at(&text, unit), Some(byte), "{unit} of {text:?}");
            }
            units += character.len_utf16();
        }
        assert_eq!(byte_at(&text, units), Some(text.len()));
        assert_eq!(byte_at(&text, units + 1), None);
    }
}

#[test]
fn slices_keep_combining_marks_with_their_letters() {
    let cases = [
        ("cafe\u{301} x", 0..4, "cafe\u{301}"),
        ("❤\u{fe0f} x", 0..3, "❤\u{fe0f}"),
        ("ae\u{301}\u{323}b", 2..4, "e\u{301}\u{323}"),
        (" \u{301}b", 1..4, "\u{301}b"),
        ("plain", 1..3, "la"),
        ("東京", 0..3, "東"),
        ("東京", 1..4, "東京"),
        ("ab", 1..9, "b"),
        ("ab", 2..2, ""),
    ];
    for (text, range, expected) in cases {
        assert_eq!(&text[whole_characters(text, range)], expected, "{text:?}");
    }
    let mut random = Random::new(9);
    for _ in 0..3000 {
        let text = random.text(20);
        let range = random.below(text.len() + 3)..random.below(text.len() + 3);
        let wide = whole_characters(&text, range.clone());
        assert!(text.get(wide).is_some(), "{range:?} of {text:?}");
    }
}
