//! Answers from all windows.

use mobilebert::error::Code;
use mobilebert::task::question_answering::{Answers, Search, SearchOptions};
use mobilebert::task::relevance;
use mobilebert::text::whole_characters;
use mobilebert::text::windows::{Window, WindowOptions, Windows};

use crate::support::random::Random;
use crate::{EVERY_SPAN, all_spans, close, naive_log_sum, pointing, tokenizer, wild_logits};

/// Answers by definition: all spans of all windows, best first, with distinct texts.
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
