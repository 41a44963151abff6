//! Compares the CPU twins without a matrix product with their formulas in f64, for every instruction set of
//! this machine, with one thread and with several.

mod support;

use mobilebert::kernels::Table;
use mobilebert::kernels::activate::{self, ActivateParameters};
use mobilebert::kernels::add::{self, AddOperands, AddParameters};
use mobilebert::kernels::embedding::{self, EmbeddingParameters};
use mobilebert::kernels::layer_norm::{self, LayerNormOperands, LayerNormParameters};
use mobilebert::kernels::position::{self, PositionOperands, PositionParameters};
use mobilebert::plan::PAD_ID;
use support::compare::{Tolerance, assert_close};
use support::cpu::with_every_simd;
use support::random::Random;
use support::reference::{self, ACTIVATIONS};

#[test]
fn activations_match_their_formulas_at_all_magnitudes() {
    let mut random = Random::new(14);
    for activation in ACTIVATIONS {
        for (len, size) in [(1, 1.0), (1000, 8.0), (77, 2.5e7), (513, 1e-4)] {
            let input = random.mixed_magnitudes(len, size);
            let expected: Vec<f64> =
                input.iter().map(|&x| reference::activate(activation, f64::from(x))).collect();
            let parameters = ActivateParameters { len: len as u32, activation: activation as u32 };
            for (name, found) in
                with_every_simd(len, |output, workers| activate::run(&parameters, &input, output, workers))
            {
                assert_close(
                    &format!("{name} {activation:?}"),
                    &expected,
                    &found,
                    Tolerance::new(1.5e-7, 3e-7),
                );
            }
        }
    }
}

#[test]
fn add_matches_its_formula_with_and_without_a_scale() {
    let mut random = Random::new(15);
    for _ in 0..30 {
        let (rows, features) = (random.between(1, 50), random.between(1, 130));
        let [input, residual] = [0; 2].map(|_| random.mixed_magnitudes(rows * features, 2.5e7));
        let scale = random.mixed_magnitudes(features, 2.0);
        let has_scale = random.below(2) as u32;
        let expected: Vec<f64> = (0..rows * features)
            .map(|i| {
                let scale = if has_scale == 1 { f64::from(scale[i % features]) } else { 1.0 };
                f64::from(input[i]) + scale * f64::from(residual[i])
            })
            .collect();
        let parameters =
            AddParameters { len: (rows * features) as u32, features: features as u32, has_scale };
        let operands = AddOperands {
            input_values: &input,
            residual: &residual,
            scale: if has_scale == 1 { &scale } else { &[] },
        };
        for (name, found) in with_every_simd(rows * features, |output, workers| {
            add::run(&parameters, &operands, output, workers)
        }) {
            assert_close(name, &expected, &found, Tolerance::new(8.0, 1e-6));
        }
    }
}

#[test]
fn layer_norm_matches_its_formula_at_all_magnitudes_and_offsets() {
    let mut random = Random::new(16);
    for (rows, features, size, offset) in [
        (1, 1, 1.0, 0.0),
        (3, 2, 1.0, 0.0),
        (70, 512, 2.5e7, 0.0),
        (512, 128, 1.0, 3.0),
        (5, 333, 1e-4, 0.0),
        (9, 1024, 1.0, 1000.0),
        (4, 17, 2.5e7, 1e6),
    ] {
        let input: Vec<f32> =
            random.values(rows * features, size).into_iter().map(|value| value + offset).collect();
        let (weight, bias) = (random.values(features, 2.0), random.values(features, 1.0));
        for epsilon in [1e-12, 1e-5] {
            let expected = reference::layer_norm(&input, &weight, &bias, epsilon);
            let parameters = LayerNormParameters {
                rows: rows as u32,
                features: features as u32,
                epsilon,
                row_stride: features as u32,
                input_first: 0,
            };
            let operands = LayerNormOperands { input_values: &input, weight: &weight, bias: &bias };
            // The mean is as precise as the input: an offset of a thousand standard deviations costs three digits.
            let tolerance = Tolerance::new(4e-6 + 4e-7 * f64::from(offset / size), 4e-6);
            for (name, found) in with_every_simd(expected.len(), |output, workers| {
                layer_norm::run(&parameters, &operands, output, workers);
            }) {
                let what = format!("{name}: {rows} × {features} of {size:e} around {offset}");
                assert_close(&what, &expected, &found, tolerance);
            }
        }
    }
}

#[test]
fn layer_norm_of_equal_values_is_the_bias() {
    let (input, weight, bias) = ([2.5e7f32; 40], [3.0f32; 20], [0.25f32; 20]);
    let parameters =
        LayerNormParameters { rows: 2, features: 20, epsilon: 1e-12, row_stride: 20, input_first: 0 };
    let operands = LayerNormOperands { input_values: &input, weight: &weight, bias: &bias };
    for (name, found) in
        with_every_simd(40, |output, workers| layer_norm::run(&parameters, &operands, output, workers))
    {
        assert_eq!(found, [0.25; 40], "{name}");
    }
}

#[test]
fn embedding_gathers_word_vectors_with_zeros_for_padding() {
    let mut random = Random::new(17);
    for trigram in [0, 1] {
        for (batch, sequence, size) in [(1, 1, 4), (2, 3, 5), (3, 40, 128)] {
            let vocabulary = 50;
            let values = random.values(vocabulary * size, 1.0);
            let table = Table::from_f32(values.clone(), size);
            let ids: Vec<u32> = (0..batch * sequence)
                .map(|_| if random.below(5) == 0 { PAD_ID } else { random.below(vocabulary) as u32 })
                .collect();
            let word = |batch: usize, token: isize| -> Vec<f32> {
                match usize::try_from(token).ok().filter(|&token| token < sequence) {
                    Some(token) if ids[batch * sequence + token] != PAD_ID => {
                        values[ids[batch * sequence + token] as usize * size..][..size].to_vec()
                    }
                    _ => vec![0.0; size],
                }
            };
            let mut expected = Vec::new();
            for b in 0..batch {
                for token in 0..sequence as isize {
                    let tokens = if trigram == 1 { vec![token + 1, token, token - 1] } else { vec![token] };
                    tokens.into_iter().for_each(|token| expected.extend(word(b, token)));
                }
            }
            let parameters = EmbeddingParameters {
                batch: batch as u32,
                sequence: sequence as u32,
                embedding_size: size as u32,
                trigram,
                ..Default::default()
            };
            for (name, found) in with_every_simd(expected.len(), |output, workers| {
                embedding::run(&parameters, &ids, &table, output, workers);
            }) {
                assert_eq!(found, expected, "{name}");
            }
        }
    }
}

#[test]
fn position_adds_only_the_terms_that_are_present() {
    let mut random = Random::new(18);
    for (has_input, has_token_type) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        let (batch, sequence, size) = (3, 17, 21);
        let input = random.values(batch * sequence * size, 5.0);
        let (position, types) = (random.values(30 * size, 1.0), random.values(2 * size, 1.0));
        let ids: Vec<u32> = (0..batch * sequence).map(|_| random.below(2) as u32).collect();
        let expected: Vec<f64> = (0..batch * sequence * size)
            .map(|i| {
                let (token, feature) = (i / size, i % size);
                let mut value = f64::from(position[token % sequence * size + feature]);
                value += f64::from(has_input) * f64::from(input[i]);
                value + f64::from(has_token_type) * f64::from(types[ids[token] as usize * size + feature])
            })
            .collect();
        let parameters = PositionParameters {
            batch: batch as u32,
            sequence: sequence as u32,
            hidden_size: size as u32,
            has_input,
            has_token_type,
            ..Default::default()
        };
        let [position, types] = [position, types].map(|values| Table::from_f32(values, size));
        let operands = PositionOperands {
            token_type_ids: &ids,
            input_values: if has_input == 1 { &input } else { &[] },
            position: &position,
            token_type: (has_token_type == 1).then_some(&types),
        };
        for (name, found) in with_every_simd(expected.len(), |output, workers| {
            position::run(&parameters, &operands, output, workers);
        }) {
            assert_close(name, &expected, &found, Tolerance::new(1e-6, 1e-6));
        }
    }
}
