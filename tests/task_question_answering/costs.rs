//! The costs of a span's length, compared with their definition.

use mobilebert::config::SpanCosts;
use mobilebert::task::question_answering::{Answers, Search, SearchOptions};
use mobilebert::text::Piece;
use mobilebert::text::windows::{Window, WindowOptions, Windows};

use crate::support::random::Random;
use crate::{EVERY_SPAN, tokenizer, wild_logits};

const CONTEXT: &str =
    "Ana has a lamp. It was lit at 6.30! Why?\nNobody\r\n\nknows: 3.5 x . 2 (see p.4) The end";

fn answers(
    windows: &[(Window<'_>, Vec<f32>, Vec<f32>)],
    options: SearchOptions,
    costs: Option<SpanCosts>,
) -> Answers {
    let mut search = Search::new(CONTEXT, options).unwrap();
    if let Some(costs) = costs {
        search = search.with_span_costs(costs);
    }
    windows.iter().for_each(|(window, start, end)| search.add_window(window, start, end).unwrap());
    search.answers()
}

/// The number of sentences and lines that end inside a text.
fn ends(text: &str) -> usize {
    let mut chars = text.chars().peekable();
    let (mut count, mut mark) = (0, false);
    while let Some(char) = chars.next() {
        if char.is_whitespace() {
            let mut line = char == '\n';
            while let Some(space) = chars.next_if(|next| next.is_whitespace()) {
                line |= space == '\n';
            }
            count += usize::from(chars.peek().is_some() && (line || mark));
        }
        mark = matches!(char, '.' | '!' | '?' | ':');
    }
    count
}

#[test]
fn a_span_costs_as_much_as_the_tokens_and_ends_of_sentences_in_it() {
    let tokenizer = tokenizer();
    let mut random = Random::new(31);
    for round in 0..60 {
        let sizes = WindowOptions {
            max_length: 14 + random.below(40),
            doc_stride: 1 + random.below(12),
            max_question: 9,
        };
        let windows = Windows::new(&tokenizer, "what is it", CONTEXT, &sizes).unwrap();
        let mut logits = |count| (0..count).map(|_| random.unit() * 6.0).collect::<Vec<f32>>();
        let windows: Vec<_> = windows
            .iter()
            .map(|window| (window.ids.len(), window))
            .map(|(n, window)| (window, logits(n), logits(n)))
            .collect();
        let costs = SpanCosts {
            token: f64::from(random.unit().abs()),
            sentence: f64::from(random.unit().abs() * 8.0),
        };
        let options = SearchOptions { top_k: 10_000, max_answer_tokens: 1 + random.below(30), ..EVERY_SPAN };
        let mut expected: Vec<(f64, &str)> = Vec::new();
        for (window, start, end) in &windows {
            for first in (0..window.pieces.len()).filter(|&at| window.max_context[at]) {
                for last in first..window.pieces.len().min(first + options.max_answer_tokens) {
                    let text = &CONTEXT[window.pieces[first].start..window.pieces[last].end];
                    let [from, to] = [first, last].map(|at| window.context_position + at);
                    let score = f64::from(start[from]) + f64::from(end[to]);
                    let cost = costs.token * (last - first) as f64 + costs.sentence * ends(text) as f64;
                    expected.push((score - cost, text));
                }
            }
        }
        expected.sort_by(|a, b| b.0.total_cmp(&a.0));
        let found = answers(&windows, options, Some(costs));
        assert!(
            (found.answers[0].score - expected[0].0).abs() < 1e-4,
            "round {round}: {found:?} {expected:?}"
        );
        let total: f64 =
            expected.iter().map(|(score, _)| score.exp()).sum::<f64>() + found.no_answer.score.exp();
        let probability = found.answers.iter().map(|answer| answer.probability).sum::<f64>();
        let best: f64 = found.answers.iter().map(|answer| answer.score.exp()).sum();
        assert!((probability - best / total).abs() < 1e-4, "round {round}: {probability} {}", best / total);
    }
}

#[test]
fn ends_of_sentences_and_lines_are_counted_once_and_points_in_numbers_not_at_all() {
    for (text, count) in [
        ("6.30", 0),
        ("a lamp. It", 1),
        ("Why?\nNobody", 1),
        ("Nobody\r\n\nknows", 1),
        ("knows: 3.5", 1),
        ("p.4", 0),
        ("x . 2", 1),
        ("lit at 6", 0),
    ] {
        assert!(CONTEXT.contains(text));
        assert_eq!(ends(text), count, "{text:?}");
    }
}

#[test]
fn without_costs_results_are_bit_identical() {
    let tokenizer = tokenizer();
    let windows = Windows::new(&tokenizer, "what is it", CONTEXT, &WindowOptions::default()).unwrap();
    let window = windows.get(0).unwrap();
    let mut random = Random::new(32);
    for _ in 0..40 {
        let tokens = window.ids.len();
        let one = [(window.clone(), wild_logits(&mut random, tokens), wild_logits(&mut random, tokens))];
        let options = SearchOptions { top_k: 50, ..SearchOptions::default() };
        let [plain, free] =
            [None, Some(SpanCosts::default())].map(|costs| format!("{:?}", answers(&one, options, costs)));
        assert_eq!(plain, free);
    }
}

#[test]
fn a_cost_prefers_one_of_two_answers_to_both() {
    let tokenizer = tokenizer();
    let windows = Windows::new(&tokenizer, "what is it", CONTEXT, &WindowOptions::default()).unwrap();
    let window = windows.get(0).unwrap();
    let (mut start, mut end) = (vec![-5.0; window.ids.len()], vec![-5.0; window.ids.len()]);
    // Each word is likely as both ends; together, they are a little more likely.
    for (word, start_logit, end_logit) in [("lamp", 5.0, 5.0), ("Nobody", 4.8, 5.1)] {
        let from = CONTEXT.find(word).unwrap();
        let place = |found: fn(&Piece) -> usize, byte: usize| {
            window.context_position + window.pieces.iter().position(|piece| found(piece) == byte).unwrap()
        };
        start[place(|piece| piece.start, from)] = start_logit;
        end[place(|piece| piece.end, from + word.len())] = end_logit;
    }
    let one = [(window, start, end)];
    let best = |costs| answers(&one, SearchOptions::default(), costs).answers[0].text.clone();
    assert!(best(None).starts_with("lamp") && best(None).ends_with("Nobody"));
    assert_eq!(best(Some(SpanCosts { token: 0.02, sentence: 0.0 })), "lamp");
    assert_eq!(best(Some(SpanCosts { token: 0.0, sentence: 0.2 })), "lamp");
}
