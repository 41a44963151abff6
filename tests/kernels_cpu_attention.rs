//! Compares the CPU twins of the three attention kernels with their formulas in f64: unusual shapes, scores
//! of 1e4, masked tails, and fully masked rows.

mod support;

use mobilebert::kernels::attention::{self, AttentionOperands, AttentionParameters};
use mobilebert::kernels::attention_context;
use mobilebert::kernels::attention_probabilities::{self, AttentionProbabilitiesOperands};
use mobilebert::kernels::{Scratch, Simd, Workers};
use support::compare::{Tolerance, assert_close};
use support::random::Random;
use support::reference;

struct Case {
    parameters: AttentionParameters,
    mask: Vec<u32>,
    query: Vec<f32>,
    key: Vec<f32>,
    value: Vec<f32>,
    /// Allowed error of a probability, given the rounding of f32 scores.
    tolerance: f64,
    value_size: f32,
}

/// With `exact`, queries and keys are small integers and the scores, of up to 1e4, have no rounding error. Otherwise the
/// scores are about 10.
fn case(random: &mut Random, [batch, sequence, heads, head_size]: [usize; 4], exact: bool) -> Case {
    let parameters = reference::attention_parameters(random, [batch, sequence, heads, head_size]);
    let len = |stride: u32| batch * sequence * stride as usize;
    let [queries, keys] = [parameters.query_stride, parameters.key_stride].map(len);
    let integers = |random: &mut Random, len: usize, size: f32| -> Vec<f32> {
        random.values(len, size).into_iter().map(f32::round).collect()
    };
    let (query, key, tolerance) = if exact {
        let size = (2e4 / head_size as f32).sqrt().clamp(3.0, 140.0);
        (integers(random, queries, size), integers(random, keys, size), 1e-6)
    } else {
        let size = (10.0 / (head_size as f32).sqrt()).sqrt();
        (random.values(queries, size), random.values(keys, size), 1e-5)
    };
    let value_size = [1.0, 2.5e7][random.below(2)];
    Case {
        parameters,
        mask: random.mask(batch, sequence, true),
        query,
        key,
        value: random.values(len(parameters.value_stride), value_size),
        tolerance,
        value_size,
    }
}

fn check(case: &Case) {
    let Case { parameters, mask, query, key, value, tolerance, value_size } = case;
    let AttentionParameters { sequence, heads, .. } = *parameters;
    let expected = reference::probabilities(parameters, mask, query, key);
    let expected_context = reference::context(parameters, &expected, value);
    let of_values = Tolerance::new(tolerance * f64::from(*value_size), 0.0);
    let mut single = Vec::new();
    for simd in Simd::available() {
        for threads in [1, 3] {
            let what = format!("{} with {threads} threads: {parameters:?}", simd.name());
            let workers = Workers::new(threads, simd).unwrap();
            let mut scratch = Scratch::default();

            let mut found = vec![f32::NAN; expected.len()];
            let operands = AttentionProbabilitiesOperands { attention_mask: mask, query, key };
            attention_probabilities::run(parameters, &operands, &mut found, &mut scratch, &workers);
            assert_close(&what, &expected, &found, Tolerance::new(*tolerance, 0.0));
            for (index, &probability) in found.iter().enumerate() {
                let (sequence, heads) = (sequence as usize, heads as usize);
                let masked = mask[index / (sequence * sequence * heads) * sequence + index % sequence] == 0;
                assert!(!masked || probability == 0.0, "{what}: a masked key has probability {probability}");
            }

            let mut context = vec![f32::NAN; expected_context.len()];
            attention_context::run(parameters, &found, value, &mut context, &mut scratch, &workers);
            assert_close(&what, &expected_context, &context, of_values);

            let mut fused = vec![f32::NAN; expected_context.len()];
            let operands = AttentionOperands { attention_mask: mask, query, key, value };
            attention::run(parameters, &operands, &mut fused, &mut scratch, &workers);
            assert_close(&what, &expected_context, &fused, of_values);
            if threads == 1 {
                single = fused;
            } else {
                assert_eq!(single, fused, "{what}: threads change the result");
            }
        }
    }
}

#[test]
fn attention_matches_its_formula_for_random_shapes() {
    let mut random = Random::new(20);
    for round in 0..40 {
        let shape =
            [random.between(1, 3), random.between(1, 70), random.between(1, 4), random.between(1, 40)];
        check(&case(&mut random, shape, round % 2 == 0));
    }
}

#[test]
fn attention_matches_its_formula_for_extreme_shapes() {
    let mut random = Random::new(21);
    for shape in
        [[1, 1, 1, 1], [2, 1, 4, 32], [1, 512, 1, 32], [1, 2, 1, 256], [1, 129, 3, 1], [1, 48, 2, 16]]
    {
        for exact in [false, true] {
            check(&case(&mut random, shape, exact));
        }
    }
}

#[test]
fn a_fully_masked_sequence_gives_zeros() {
    let mut random = Random::new(22);
    let mut case = case(&mut random, [2, 30, 2, 8], true);
    case.mask.fill(0);
    case.mask[30..40].fill(1);
    for simd in Simd::available() {
        let workers = Workers::new(1, simd).unwrap();
        let mut output = vec![f32::NAN; 2 * 30 * 16];
        let operands = AttentionOperands {
            attention_mask: &case.mask,
            query: &case.query,
            key: &case.key,
            value: &case.value,
        };
        attention::run(&case.parameters, &operands, &mut output, &mut Scratch::default(), &workers);
        let (masked, attended) = output.split_at(30 * 16);
        assert!(masked.iter().all(|&value| value == 0.0), "{}", simd.name());
        assert!(
            attended.iter().all(|&value| value.is_finite()) && attended.iter().any(|&value| value != 0.0)
        );
    }
    // The second sequence attends to only ten keys; the values of the other keys must not matter.
    check(&case);
}

#[test]
fn scratch_memory_of_a_larger_call_does_not_change_results() {
    let mut random = Random::new(23);
    let (large, small) = (case(&mut random, [2, 90, 3, 20], false), case(&mut random, [1, 33, 2, 9], false));
    let workers = Workers::new(1, Simd::best()).unwrap();
    let run = |case: &Case, scratch: &mut Scratch| {
        let AttentionParameters { batch, sequence, heads, head_size, .. } = case.parameters;
        let mut output = vec![0.0; (batch * sequence * heads * head_size) as usize];
        let operands = AttentionOperands {
            attention_mask: &case.mask,
            query: &case.query,
            key: &case.key,
            value: &case.value,
        };
        attention::run(&case.parameters, &operands, &mut output, scratch, &workers);
        output
    };
    let mut used = Scratch::default();
    run(&large, &mut used);
    assert_eq!(run(&small, &mut used), run(&small, &mut Scratch::default()));
}
