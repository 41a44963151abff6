//! `activate`, `add` and `layer_norm`.

use mobilebert::kernels::{Activate, Add, Columns, LayerNorm};
use mobilebert::plan::{Activation, Residual};

use crate::support::compare::{Tolerance, assert_close};
use crate::support::gpu::{Builder, shared_executor};
use crate::support::matrix::SIZES;
use crate::support::random::Random;
use crate::support::reference::{self, ACTIVATIONS};

fn to_f64(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&value| f64::from(value)).collect()
}

#[test]
fn activations_match_their_formulas_at_all_magnitudes() {
    let Some(mut executor) = shared_executor("activations_match_their_formulas_at_all_magnitudes") else {
        return;
    };
    let mut random = Random::new(20);
    let mut values =
        vec![0.0, -0.0, 1.0, -1.0, 2.5e7, -2.5e7, 1e30, -1e30, 1e-30, -1e-30, 88.8, -88.8, 20.0, -20.0];
    values.extend(random.values(2000, 6.0));
    values.extend(random.values(500, 0.01));
    values.extend(random.values(500, 60.0));
    values.extend(random.mixed_magnitudes(485, 1e9));
    for activation in ACTIVATIONS {
        // The number of values, 3499, is odd on purpose.
        let mut builder = Builder::new(1, 1);
        let input = builder.activation(&values);
        builder.step(Activate { input, activation }, values.len());
        let expected: Vec<f64> =
            to_f64(&values).iter().map(|&x| reference::activate(activation, x)).collect();
        let found = builder.run(&mut executor);
        // Relative where the function grows without bound, absolute around zero.
        assert_close(&format!("{activation:?}"), &expected, &found, Tolerance::new(2e-7, 6e-7));
    }
}

/// A NaN in a network's results shows that something is wrong; zeros would hide it.
#[test]
fn relu_preserves_a_nan() {
    let Some(mut executor) = shared_executor("relu_preserves_a_nan") else { return };
    let mut builder = Builder::new(1, 1);
    let input = builder.activation(&[f32::NAN, -1.0, 2.0]);
    builder.step(Activate { input, activation: Activation::Relu }, 3);
    let found = builder.run(&mut executor);
    assert!(found[0].is_nan() && found[1..] == [0.0, 2.0], "{found:?}");
}

#[test]
fn add_matches_its_formula_with_and_without_a_scale() {
    let Some(mut executor) = shared_executor("add") else { return };
    let mut random = Random::new(30);
    for (rows, features) in [(1, 1), (7, 3), (65, 513), (512, 128)] {
        for scaled in [false, true] {
            let (input, added) = (
                random.mixed_magnitudes(rows * features, 2.5e7),
                random.mixed_magnitudes(rows * features, 1e4),
            );
            let scale = random.mixed_magnitudes(features, 3.0);
            let mut builder = Builder::new(1, rows);
            let operation = Add {
                input: builder.activation(&input),
                residual: Residual {
                    from: Columns::all(builder.activation(&added), features),
                    scale: scaled.then(|| builder.parameter(&[features], &scale)),
                },
                features,
            };
            builder.step(operation, rows * features);
            let expected: Vec<f64> = (0..rows * features)
                .map(|i| {
                    let scale = if scaled { f64::from(scale[i % features]) } else { 1.0 };
                    f64::from(input[i]) + scale * f64::from(added[i])
                })
                .collect();
            let what = format!("{rows} x {features}, scaled {scaled}");
            assert_close(&what, &expected, &builder.run(&mut executor), Tolerance::new(4e-3, 3e-7));
        }
    }
}

#[test]
fn layer_norm_matches_its_formula_at_all_magnitudes_and_offsets() {
    let Some(mut executor) = shared_executor("layer_norm") else { return };
    let mut random = Random::new(60);
    for (rows, features) in [(1, 1), (3, 2), (5, 63), (512, 128), (17, 1025), (2, 4096)] {
        for size in SIZES {
            for shift in [0.0, 8.0 * size] {
                let input: Vec<f32> =
                    random.mixed_magnitudes(rows * features, size).iter().map(|x| x + shift).collect();
                let (weight, bias) =
                    (random.mixed_magnitudes(features, 2.0), random.mixed_magnitudes(features, 2.0));
                let epsilon = 1e-12f32;
                let expected = reference::layer_norm(&input, &weight, &bias, epsilon);
                let condition = to_f64(&input).chunks(features).fold(0.0, |worst: f64, row| {
                    let mean = row.iter().sum::<f64>() / features as f64;
                    let variance = row.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / features as f64;
                    let largest = row.iter().fold(0.0, |largest: f64, x| largest.max(x.abs()));
                    worst.max(largest / (variance + f64::from(epsilon)).sqrt())
                });
                // Columns of a wider matrix.
                let gap = random.below(3) * 5;
                let mut wide = random.values(rows * (features + gap), 1.0);
                for (wide, row) in wide.chunks_mut(features + gap).zip(input.chunks(features)) {
                    wide[gap / 2..][..features].copy_from_slice(row);
                }
                let mut builder = Builder::new(1, rows);
                let operation = LayerNorm {
                    input: Columns {
                        buffer: builder.activation(&wide),
                        stride: features + gap,
                        first: gap / 2,
                    },
                    weight: builder.parameter(&[features], &weight),
                    bias: builder.parameter(&[features], &bias),
                    features,
                    epsilon,
                };
                builder.step(operation, rows * features);
                let what = format!("{rows} x {features} of {size:e} around {shift:e}");
                // The rounding error of the mean carries over to the differences from it.
                let tolerance = Tolerance::new(4e-7 * condition + 2e-6, 1e-5);
                assert_close(&what, &expected, &builder.run(&mut executor), tolerance);
            }
        }
    }
}
