//! Answers that are distinct, and extended to whole words.

use mobilebert::task::question_answering::{Merge, Search, SearchOptions};
use mobilebert::text::windows::{WindowOptions, Windows};
use mobilebert::text::{Piece, whole_characters};

use crate::support::random::Random;
use crate::{all_spans, close, naive_log_sum, pointing, tokenizer};

/// Distinct answers by definition, for a text with at most 256 spans: each span joins the best answer whose
/// best span it overlaps or whose text it repeats.
fn naive_distinct(
    context: &str,
    spans: &[(f64, std::ops::Range<usize>)],
    total: f64,
) -> Vec<(std::ops::Range<usize>, f64)> {
    let mut spans = spans.to_vec();
    spans.sort_by(|a, b| b.0.total_cmp(&a.0).then((a.1.start, a.1.end).cmp(&(b.1.start, b.1.end))));
    let mut answers: Vec<(std::ops::Range<usize>, f64)> = Vec::new();
    for (score, range) in spans {
        let overlaps = |best: &std::ops::Range<usize>| best.start < range.end && range.start < best.end;
        let same = answers
            .iter_mut()
            .find(|(best, _)| overlaps(best) || context[best.clone()] == context[range.clone()]);
        let probability = (score - total).exp();
        match same {
            Some((_, sum)) => *sum += probability,
            None => answers.push((range, probability)),
        }
    }
    answers
}

/// The byte range of the words that a range of pieces touches.
fn whole_words(pieces: &[Piece], first: usize, last: usize) -> std::ops::Range<usize> {
    let of_word = |word: u32| pieces.iter().filter(move |piece| piece.word == word);
    let start = of_word(pieces[first].word).map(|piece| piece.start).min().unwrap();
    start..of_word(pieces[last].word).map(|piece| piece.end).max().unwrap()
}

#[test]
fn overlapping_spans_are_one_answer_with_their_summed_probability() {
    let tokenizer = tokenizer();
    let mut random = Random::new(3);
    let words = ["lamps", "weeks", "東京", "cafe\u{301}s", "300km", "👍🏽", ",", "lamps"];
    for round in 0..300 {
        let context: Vec<&str> = (0..1 + random.below(12)).map(|_| *random.choose(&words)).collect();
        let context = context.join(" ");
        let sizes = WindowOptions { max_length: 12 + random.below(30), doc_stride: 4, max_question: 3 };
        let options = SearchOptions {
            top_k: 1 + random.below(6),
            max_answer_tokens: 1 + random.below(4),
            merge: Merge::Overlapping,
            align_to_words: round % 2 == 0,
        };
        let windows = Windows::new(&tokenizer, "what is it", &context, &sizes).unwrap();
        let mut search = Search::new(&context, options).unwrap();
        let (mut spans, mut null) = (Vec::new(), f64::INFINITY);
        for window in windows.iter() {
            let logits = |random: &mut Random| -> Vec<f32> {
                (0..window.ids.len()).map(|_| random.unit() * 4.0).collect()
            };
            let (start, end) = (logits(&mut random), logits(&mut random));
            search.add_window(&window, &start, &end).unwrap();
            null = null.min(f64::from(start[0]) + f64::from(end[0]));
            let shown = window.context_position..window.context_position + window.pieces.len();
            let of_window =
                all_spans(&start[shown.clone()], &end[shown], &window.max_context, options.max_answer_tokens);
            for span in of_window {
                let (first, last) = (window.first_piece + span.start, window.first_piece + span.end);
                let pieces = windows.context();
                let range = if options.align_to_words {
                    whole_words(pieces, first, last)
                } else {
                    pieces[first].start..pieces[last].end
                };
                spans.push((span.score, whole_characters(&context, range)));
            }
        }
        assert!(spans.len() <= 256, "{} spans", spans.len());
        let total = naive_log_sum(spans.iter().map(|span| span.0).chain([null]));
        let expected = naive_distinct(&context, &spans, total);
        let found = search.answers();
        assert_eq!(found.answers.len(), expected.len().min(options.top_k));
        for (answer, (range, probability)) in found.answers.iter().zip(&expected) {
            assert_eq!(&(answer.start_byte..answer.end_byte), range, "{context:?} {found:?} {expected:?}");
            assert!(close(answer.probability, *probability), "{answer:?} {probability}");
            let sum: f64 = answer.variants.iter().map(|variant| variant.probability).sum();
            assert!(close(answer.probability, sum));
            let best = &answer.variants[0];
            assert_eq!(
                (&best.text, best.start_utf16, best.score),
                (&answer.text, answer.start_utf16, answer.score)
            );
            for variant in &answer.variants {
                assert_eq!(context[variant.start_byte..variant.end_byte], variant.text);
                assert!(variant.score <= answer.score);
            }
        }
        let sum: f64 = found.answers.iter().map(|answer| answer.probability).sum();
        assert!(sum + found.no_answer.probability <= 1.0 + 1e-12);
    }
}

#[test]
fn a_confident_model_still_gives_as_many_distinct_answers_as_asked_for() {
    let tokenizer = tokenizer();
    // Every one of the 256 best spans starts or ends at the peak.
    let context = "the lamp was lit on the tower , and the boat came in with oil and glass . ".repeat(12);
    let sizes = WindowOptions { max_length: 384, ..WindowOptions::default() };
    let windows = Windows::new(&tokenizer, "what?", &context, &sizes).unwrap();
    let window = windows.get(0).unwrap();
    let (mut start, mut end) = pointing(&window, 90, 91);
    start[window.context_position + 90] = 30.0;
    end[window.context_position + 91] = 30.0;
    let mut lists = Vec::new();
    for top_k in [1, 3, 7] {
        let options = SearchOptions { top_k, max_answer_tokens: 300, ..SearchOptions::default() };
        let mut search = Search::new(&context, options).unwrap();
        search.add_window(&window, &start, &end).unwrap();
        let answers = search.answers().answers;
        assert_eq!(answers.len(), top_k);
        for (place, answer) in answers.iter().enumerate() {
            for other in &answers[..place] {
                let apart = answer.end_byte <= other.start_byte || other.end_byte <= answer.start_byte;
                assert!(apart && answer.text != other.text, "{answer:?} {other:?}");
            }
        }
        lists.push(answers);
    }
    assert!(
        lists[0] == lists[2][..1] && lists[1] == lists[2][..3],
        "the number of answers changes the answers"
    );
}

#[test]
fn the_metrics_judge_the_best_span_regardless_of_its_variants() {
    let tokenizer = tokenizer();
    // "week" alone is the best span, but the spans around "lamp" have a higher total probability.
    let context = "lamps and oil in a week";
    let windows = Windows::new(&tokenizer, "what?", context, &WindowOptions::default()).unwrap();
    let window = windows.get(0).unwrap();
    let (mut start, mut end) = (vec![-9.0; window.ids.len()], vec![-9.0; window.ids.len()]);
    let at = |piece: usize| window.context_position + piece;
    (start[at(6)], end[at(6)]) = (2.4, 2.0);
    start[at(0)] = 2.0;
    [1.9, 1.9, 1.9, 1.9].iter().zip([0, 1, 2, 3]).for_each(|(&logit, piece)| end[at(piece)] = logit);
    let ask = |options: SearchOptions| {
        let mut search = Search::new(context, options).unwrap();
        search.add_window(&window, &start, &end).unwrap();
        search.answers()
    };
    let best = ask(SearchOptions::best_span(30));
    assert_eq!((best.answers[0].text.as_str(), best.answers[0].score), ("week", f64::from(2.4f32) + 2.0));
    assert_eq!(best.null_difference(), -18.0 - best.answers[0].score);
    let distinct = ask(SearchOptions { top_k: 2, ..SearchOptions::default() });
    assert_eq!(distinct.answers[0].text, "week");
    assert_eq!(distinct.null_difference(), best.null_difference());
    assert!(distinct.answers[0].probability > best.answers[0].probability);
    assert!(distinct.answers[1].probability > distinct.answers[0].probability, "the order would be the same");
    // Without whole words, the tokenizer's pieces are visible.
    end[at(0)] = 4.0;
    let mut search = Search::new(context, SearchOptions::best_span(30)).unwrap();
    search.add_window(&window, &start, &end).unwrap();
    assert_eq!(search.answers().answers[0].text, "lamp");
}

#[test]
fn a_word_is_extended_beyond_the_window_that_cuts_it() {
    let tokenizer = tokenizer();
    let context = "the 300km away";
    // [CLS] what [SEP] and [SEP] leave two pieces of "300km" per window.
    let sizes = WindowOptions { max_length: 6, doc_stride: 2, max_question: 1 };
    let windows = Windows::new(&tokenizer, "what", context, &sizes).unwrap();
    let (window, at) = windows
        .iter()
        .find_map(|window| {
            let at = window
                .pieces
                .iter()
                .zip(&window.max_context)
                .position(|(piece, &max)| max && piece.start == 5)?;
            Some((window, at))
        })
        .unwrap();
    let (start, end) = pointing(&window, at, at);
    let mut search = Search::new(context, SearchOptions::default()).unwrap();
    search.add_window(&window, &start, &end).unwrap();
    let answers = search.answers();
    assert_eq!((answers.answers[0].text.as_str(), answers.answers[0].start_byte), ("300km", 4));
}
