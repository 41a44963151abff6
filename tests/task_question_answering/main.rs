//! Spans, probabilities and offsets of answers, compared with a naive implementation.

mod answers;
mod calibrated;
mod costs;
mod distinct;
mod spans;

#[path = "../support/mod.rs"]
mod support;

use mobilebert::task::question_answering::{Merge, SearchOptions, Span};
use mobilebert::text::windows::Window;
use mobilebert::text::{Tokenizer, TokenizerFiles};
use support::random::Random;

fn tokenizer() -> Tokenizer {
    let vocab = include_str!("../oracles/fixtures/vocab.txt");
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
