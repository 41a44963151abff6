//! Spans in order, and the sum over all of them.

use mobilebert::task::question_answering::{RankedSpans, Span, log_sum_exp};

use crate::support::random::Random;
use crate::{all_spans, naive_log_sum, wild_logits};

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
        let sum = log_sum_exp(&start, &end, &allowed, longest, 1.0);
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
    assert!((log_sum_exp(&start, &end, &allowed, 1, 1.0) - 7f64.ln()).abs() < 1e-12);
    assert_eq!(log_sum_exp(&[], &[], &[], 30, 1.0), f64::NEG_INFINITY);
}
