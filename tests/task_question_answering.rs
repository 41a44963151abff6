//! Spans, probabilities and offsets of answers, compared with a naive implementation.

mod support;

use mobilebert::error::Code;
use mobilebert::task::question_answering::{
    Answers, Merge, RankedSpans, Search, SearchOptions, Span, log_sum_exp,
};
use mobilebert::task::relevance;
use mobilebert::text::windows::{Window, WindowOptions, Windows};
use mobilebert::text::{Piece, Tokenizer, TokenizerFiles, whole_characters};
use support::random::Random;

fn tokenizer() -> Tokenizer {
    let vocab = include_str!("oracles/fixtures/vocab.txt");
    Tokenizer::from_files(TokenizerFiles { vocab: Some(vocab), ..Default::default() }).unwrap()
}

/// Every span is an answer of its own.
const EVERY_SPAN: SearchOptions =
    SearchOptions { top_k: 1, max_answer_tokens: 30, merge: Merge::Never, align_to_words: false };

/// All spans, by definition.
fn all_spans(start: &[f32], end: &[f32], allowed: &[bool], longest: usize) -> Vec<Span> {
    let mut spans = Vec::new();
    for first in (0..start.len()).filter(|&at| allowed[at]) {
        for (last, &logit) in end.iter().enumerate().skip(first).take(longest) {
            let score = f64::from(start[first]) + f64::from(logit) + 0.0;
            if score > f64::NEG_INFINITY {
                spans.push(Span { start: first, end: last, score });
            }
        }
    }
    spans.sort_by(|a, b| b.score.total_cmp(&a.score).then((a.start, a.end).cmp(&(b.start, b.end))));
    spans
}

fn naive_log_sum(scores: impl Iterator<Item = f64> + Clone) -> f64 {
    let largest = scores.clone().fold(f64::NEG_INFINITY, f64::max);
    if largest == f64::NEG_INFINITY {
        largest
    } else {
        largest + scores.map(|s| (s - largest).exp()).sum::<f64>().ln()
    }
}

/// Logits of all magnitudes, with ties, zeros of both signs and −∞.
fn wild_logits(random: &mut Random, count: usize) -> Vec<f32> {
    let kind = random.below(5);
    (0..count)
        .map(|_| match (kind, random.below(12)) {
            (_, 0) => f32::NEG_INFINITY,
            (_, 1) => *random.choose(&[0.0, -0.0, 1.0]),
            (0, _) => random.below(4) as f32,
            (1, _) => random.unit() * 10.0,
            (2, _) => random.unit() * 5e4,
            (3, _) => random.unit() * 10f32.powi(random.below(60) as i32 - 30),
            (_, _) => f32::NEG_INFINITY,
        })
        .collect()
}

#[test]
fn ranked_spans_equal_a_full_sort() {
    let mut random = Random::new(1);
    for _ in 0..1500 {
        let tokens = random.below(40);
        let (start, end) = (wild_logits(&mut random, tokens), wild_logits(&mut random, tokens));
        let allowed: Vec<bool> = (0..tokens).map(|_| random.below(4) > 0).collect();
        let longest = *random.choose(&[1, 2, 3, 7, 30, 100, usize::MAX / 2]);
        let expected = all_spans(&start, &end, &allowed, longest);
        let found: Vec<Span> = RankedSpans::new(&start, &end, &allowed, longest).collect();
        assert_eq!(found, expected, "{start:?} {end:?} {allowed:?} {longest}");
        let sum = log_sum_exp(&start, &end, &allowed, longest);
        let naive = naive_log_sum(expected.iter().map(|span| span.score));
        let close = sum == naive || (sum - naive).abs() <= 1e-12 * naive.abs().max(1.0);
        assert!(close, "{sum} {naive}: {start:?} {end:?} {allowed:?} {longest}");
    }
}

#[test]
fn the_sum_over_spans_does_not_cancel_or_overflow() {
    // A huge end logit out of reach of any allowed start must not swamp the rest.
    let (start, mut end) = ([0.0; 8], [0.0; 8]);
    end[0] = 3e38;
    let mut allowed = [true; 8];
    allowed[0] = false;
    assert!((log_sum_exp(&start, &end, &allowed, 1) - 7f64.ln()).abs() < 1e-12);
    assert_eq!(log_sum_exp(&[], &[], &[], 30), f64::NEG_INFINITY);
}

/// Answers by definition: all spans of all windows, best first, each text once.
fn naive(
    context: &str,
    windows: &[(Window<'_>, Vec<f32>, Vec<f32>)],
    options: SearchOptions,
) -> (Vec<(String, usize, f64)>, f64) {
    let mut null = f64::INFINITY;
    let mut spans = Vec::new();
    for (window, start, end) in windows {
        null = null.min(f64::from(start[0]) + f64::from(end[0]));
        let shown = window.context_position..window.context_position + window.pieces.len();
        for span in
            all_spans(&start[shown.clone()], &end[shown], &window.max_context, options.max_answer_tokens)
        {
            let range = window.pieces[span.start].start..window.pieces[span.end].end;
            spans.push((span.score, whole_characters(context, range)));
        }
    }
    let total = naive_log_sum(spans.iter().map(|span| span.0).chain([null]));
    spans.sort_by(|a, b| b.0.total_cmp(&a.0).then((a.1.start, a.1.end).cmp(&(b.1.start, b.1.end))));
    let mut answers: Vec<(String, usize, f64)> = Vec::new();
    for (score, range) in spans {
        let text = &context[range.clone()];
        if answers.len() < options.top_k && answers.iter().all(|answer| answer.0 != text) {
            answers.push((text.to_owned(), range.start, (score - total).exp()));
        }
    }
    (answers, (null - total).exp())
}

#[test]
fn answers_equal_the_naive_ones_in_any_order_of_windows() {
    let tokenizer = tokenizer();
    let mut random = Random::new(2);
    let words =
        ["the", "lamp", "東京", "cafe\u{301}", "Zoë", "👍🏽", "the", ".", "1911", "İzmir", "카페", "شاي"];
    for _ in 0..200 {
        let context: Vec<&str> = (0..1 + random.below(60)).map(|_| *random.choose(&words)).collect();
        let context = context.join(*random.choose::<&str>(&[" ", "\u{202f}", "  ", "\r\n"]));
        let sizes = WindowOptions {
            max_length: 6 + random.below(30),
            doc_stride: 1 + random.below(9),
            max_question: 3,
        };
        let options = SearchOptions {
            top_k: 1 + random.below(7),
            max_answer_tokens: 1 + random.below(12),
            ..EVERY_SPAN
        };
        let windows = Windows::new(&tokenizer, "what is it", &context, &sizes).unwrap();
        let windows: Vec<_> = windows
            .iter()
            .map(|window| {
                let tokens = window.ids.len();
                (window, wild_logits(&mut random, tokens), wild_logits(&mut random, tokens))
            })
            .collect();
        let mut results: Vec<Answers> = Vec::new();
        for turn in 0..3 {
            let mut order: Vec<usize> = (0..windows.len()).collect();
            match turn {
                0 => {}
                1 => order.reverse(),
                _ => (1..order.len()).for_each(|at| order.swap(at, random.below(at + 1))),
            }
            let mut search = Search::new(&context, options).unwrap();
            for at in order {
                let (window, start, end) = &windows[at];
                search.add_window(window, start, end).unwrap();
                search.add_window(window, start, end).unwrap();
            }
            results.push(search.answers());
        }
        assert!(
            results[0] == results[1] && results[0] == results[2],
            "the order of windows shows: {results:?}"
        );
        let (expected, no_answer) = naive(&context, &windows, options);
        let found = &results[0];
        assert_eq!(found.windows, windows.len());
        assert_eq!(found.answers.len(), expected.len());
        for (answer, (text, start, probability)) in found.answers.iter().zip(expected) {
            assert_eq!((&answer.text, answer.start_byte), (&text, start));
            assert_eq!(&context[answer.start_byte..answer.end_byte], text);
            let units: Vec<u16> = context.encode_utf16().collect();
            let slice = String::from_utf16(&units[answer.start_utf16..answer.end_utf16]).unwrap();
            assert_eq!(slice, text);
            assert!(close(answer.probability, probability), "{} {probability}", answer.probability);
        }
        if !no_answer.is_nan() {
            assert!(close(found.no_answer.probability, no_answer), "{found:?} {no_answer}");
        }
    }
}

/// Distinct answers by definition, for a text with at most 256 spans: each span joins the best answer whose best span it
/// overlaps or repeats.
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
    // Every one of the 256 best spans begins or ends at the peak.
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
    // "week" alone is the best span, but the spans around "lamp" have more probability together.
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
    // Without whole words, the tokenizer's pieces show.
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

fn close(a: f64, b: f64) -> bool {
    a == b || (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1e-200)
}

/// Logits with a clear maximum at the context pieces `first..=last` of the only window.
fn pointing(window: &Window<'_>, first: usize, last: usize) -> (Vec<f32>, Vec<f32>) {
    let (mut start, mut end) = (vec![-5.0; window.ids.len()], vec![-5.0; window.ids.len()]);
    start[window.context_position + first] = 5.0;
    end[window.context_position + last] = 5.0;
    (start, end)
}

#[test]
fn answers_can_be_at_both_ends_and_a_single_word() {
    let tokenizer = tokenizer();
    for (context, first, last, expected) in [
        ("Lamp was lit", 0, 0, "Lamp"),
        ("Lamp was lit", 2, 2, "lit"),
        ("Lamp was lit", 0, 2, "Lamp was lit"),
        ("Yes", 0, 0, "Yes"),
        ("  Yes \n", 0, 0, "Yes"),
        ("in 東京 here", 1, 2, "東京"),
        ("the cafe\u{301}, here", 1, 1, "cafe\u{301}"),
        ("👍🏽 is here", 0, 0, "👍🏽"),
        ("شاي here", 0, 2, "شاي"),
    ] {
        let windows = Windows::new(&tokenizer, "what?", context, &WindowOptions::default()).unwrap();
        let window = windows.get(0).unwrap();
        let (start, end) = pointing(&window, first, last);
        let mut search = Search::new(context, SearchOptions::default()).unwrap();
        search.add_window(&window, &start, &end).unwrap();
        let answers = search.answers();
        let answer = &answers.answers[0];
        assert_eq!(answer.text, expected, "{context:?}");
        assert_eq!(&context[answer.start_byte..answer.end_byte], expected);
        assert_eq!(answer.score, 10.0);
        assert!(answer.probability > 0.99 && answers.null_difference() == -20.0, "{answers:?}");
    }
}

#[test]
fn question_and_special_tokens_are_never_an_answer() {
    let tokenizer = tokenizer();
    let context = "the lamp was lit";
    let windows = Windows::new(&tokenizer, "who lit it?", context, &WindowOptions::default()).unwrap();
    let window = windows.get(0).unwrap();
    let mut logits = vec![9.0; window.ids.len()];
    logits[window.context_position..window.context_position + 4].copy_from_slice(&[0.0, 1.0, 0.0, 0.0]);
    let mut search = Search::new(context, SearchOptions { top_k: 100, ..EVERY_SPAN }).unwrap();
    search.add_window(&window, &logits, &logits).unwrap();
    let answers = search.answers();
    assert_eq!(answers.answers.len(), 10);
    assert_eq!(answers.answers[0].text, "lamp");
    assert_eq!(answers.no_answer.score, 18.0);
    assert_eq!(answers.null_difference(), 16.0);
    let total: f64 = answers.answers.iter().map(|answer| answer.probability).sum();
    assert!((total + answers.no_answer.probability - 1.0).abs() < 1e-12);
}

#[test]
fn damaged_logits_are_an_error_and_leave_the_search_unchanged() {
    let tokenizer = tokenizer();
    let context = "the lamp was lit";
    let windows = Windows::new(&tokenizer, "who?", context, &WindowOptions::default()).unwrap();
    let window = windows.get(0).unwrap();
    let (start, end) = pointing(&window, 1, 1);
    let mut search = Search::new(context, SearchOptions::default()).unwrap();
    assert_eq!(search.answers().answers, []);
    for bad in [f32::NAN, f32::INFINITY] {
        for at in [0, 3, start.len() - 1] {
            let mut damaged = end.clone();
            damaged[at] = bad;
            let error = search.add_window(&window, &start, &damaged).unwrap_err();
            assert!(error.to_string().contains("end_logits"), "{error}");
            search.add_window(&window, &damaged, &end).unwrap_err();
        }
    }
    search.add_window(&window, &start[1..], &end).unwrap_err();
    search.add_window(&window, &[], &[]).unwrap_err();
    assert_eq!(search.answers().windows, 0);
    search.add_window(&window, &start, &end).unwrap();
    assert_eq!(search.answers().answers[0].text, "lamp");
    for options in
        [SearchOptions { top_k: 0, ..EVERY_SPAN }, SearchOptions { max_answer_tokens: 0, ..EVERY_SPAN }]
    {
        assert_eq!(Search::new(context, options).unwrap_err().code(), Code::InvalidInput);
    }
}

#[test]
fn impossible_logits_give_no_answer_and_no_panic() {
    let tokenizer = tokenizer();
    let context = "the lamp";
    let windows = Windows::new(&tokenizer, "who?", context, &WindowOptions::default()).unwrap();
    let window = windows.get(0).unwrap();
    let nothing = vec![f32::NEG_INFINITY; window.ids.len()];
    let mut search = Search::new(context, SearchOptions::default()).unwrap();
    search.add_window(&window, &nothing, &nothing).unwrap();
    let answers = search.answers();
    assert_eq!((answers.answers.len(), answers.no_answer.probability), (0, 0.0));
    assert_eq!(answers.null_difference(), 0.0);
}

#[test]
fn windows_that_share_rare_words_with_the_question_come_first() {
    let tokenizer = tokenizer();
    let mut context = "the day was on the wind and the tide . ".repeat(100);
    context.push_str("the jetty and the goats were carried off . ");
    context.push_str(&"the day was on the wind and the tide . ".repeat(100));
    let sizes = WindowOptions { max_length: 64, doc_stride: 16, max_question: 16 };
    let windows = Windows::new(&tokenizer, "what happened to the goats?", &context, &sizes).unwrap();
    let order = relevance::order(&windows);
    let mut sorted = order.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, (0..windows.len()).collect::<Vec<_>>());
    let goats = tokenizer.id("goats").unwrap();
    let holds = |&index: &usize| windows.get(index).unwrap().pieces.iter().any(|piece| piece.id == goats);
    let found = order.iter().filter(|index| holds(index)).count();
    assert!(found >= 1 && order.iter().take(found).all(holds), "{order:?}");
    assert_eq!(relevance::order(&windows), order);
}
