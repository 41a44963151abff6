//! Element-wise functions and reductions, without branches so that the compiler vectorizes their loops. The coefficients
//! are minimax fits made for this project; the tests compare the functions with f64.

use crate::plan::Activation;

/// 1.5 · 2²³. Adding it rounds to the nearest integer, which ends up in the low bits; subtracting it again gives the integer
/// as a float.
const ROUND_TO_INTEGER: f32 = 12_582_912.0;

/// `eˣ` with an error of about one unit in the last place. Returns 0 below −87.33 (where the result would be denormal), at
/// most 2¹²⁷ (for 88.02 and above), and NaN for NaN.
#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
    // ln 2 as a sum of two constants; the first has few enough bits that its products with integers are exact.
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    let bounded = if x > 88.02 { 88.02 } else { x };
    let bounded = if bounded < -87.33 { -87.33 } else { bounded };
    let shifted = bounded * std::f32::consts::LOG2_E + ROUND_TO_INTEGER;
    let exponent = shifted - ROUND_TO_INTEGER;
    let rest = (bounded - exponent * LN_2_HIGH) - exponent * LN_2_LOW;
    let mut sum = 1.394_216_1e-3;
    sum = sum * rest + 8.363_776e-3;
    sum = sum * rest + 4.166_636_3e-2;
    sum = sum * rest + 1.666_657_3e-1;
    sum = sum * rest + 5.000_000_3e-1;
    sum = sum * (rest * rest) + rest;
    let power = f32::from_bits((shifted.to_bits() << 23).wrapping_add(0x3F80_0000));
    let value = sum * power + power;
    if x < -87.33 { 0.0 } else { value }
}

/// `x · Φ(x)`, where Φ is the normal CDF: equal to `x/2 · (1 + erf(x/√2))`, but without cancellation.
#[inline(always)]
fn gelu(x: f32) -> f32 {
    // The upper tail Q(a) = 1 − Φ(a) = e^(−a²/2) · R(t), t = 1/(1 + 0.33 a), R a polynomial.
    let distance = x.abs();
    let t = 1.0 / (1.0 + 0.33 * distance);
    let mut sum = -2.582_940_3e-2;
    sum = sum * t + 1.483_841_4e-1;
    sum = sum * t - 3.219_494_5e-1;
    sum = sum * t + 2.912_483_9e-1;
    sum = sum * t - 1.065_789_e-1;
    sum = sum * t + 1.458_389_3e-1;
    sum = sum * t + 1.037_214e-1;
    sum = sum * t + 1.336_799_9e-1;
    sum = sum * t + 1.314_786e-1;
    sum = sum * t + 6.339_59e-6;
    let tail = distance * (sum * exp(-0.5 * x * x));
    if x > 0.0 { x - tail } else { -tail }
}

/// `x/2 · (1 + tanh u) = x / (1 + e^(−2u))`.
#[inline(always)]
fn gelu_tanh(x: f32) -> f32 {
    const TWO_SQRT_2_OVER_PI: f32 = 1.595_769;
    x / (1.0 + exp(-TWO_SQRT_2_OVER_PI * (x + 0.044_715 * (x * x * x))))
}

#[inline(always)]
fn tanh(x: f32) -> f32 {
    let square = x * x;
    let mut sum = -6.113_188_5e-3;
    sum = sum * square + 2.101_008e-2;
    sum = sum * square - 5.385_407e-2;
    sum = sum * square + 1.333_279_5e-1;
    sum = sum * square - 3.333_332_9e-1;
    let near = sum * square * x + x;
    let far = 1.0 - 2.0 / (exp(2.0 * x.abs()) + 1.0);
    let far = if x < 0.0 { -far } else { far };
    if x.abs() < 0.625 { near } else { far }
}

#[inline(always)]
fn silu(x: f32) -> f32 {
    x / (1.0 + exp(-x))
}

/// Applies `activation` in place.
#[inline(always)]
pub(super) fn activate(activation: Activation, values: &mut [f32]) {
    match activation {
        Activation::Identity => {}
        // Not `f32::max`, which would turn NaN into 0.
        Activation::Relu => map(values, |x| if x < 0.0 { 0.0 } else { x }),
        Activation::Gelu => map(values, gelu),
        Activation::GeluTanh => map(values, gelu_tanh),
        Activation::Tanh => map(values, tanh),
        Activation::Silu => map(values, silu),
    }
}

#[inline(always)]
fn map(values: &mut [f32], function: impl Fn(f32) -> f32) {
    for value in values {
        *value = function(*value);
    }
}

/// `values += other`.
#[inline(always)]
pub(super) fn add(values: &mut [f32], other: &[f32]) {
    for (value, other) in values.iter_mut().zip(other) {
        *value += other;
    }
}

/// `values *= other`, element-wise.
#[inline(always)]
pub(super) fn multiply(values: &mut [f32], other: &[f32]) {
    for (value, other) in values.iter_mut().zip(other) {
        *value *= other;
    }
}

/// `values += scale ∘ other`.
#[inline(always)]
pub(super) fn add_scaled(values: &mut [f32], other: &[f32], scale: &[f32]) {
    for ((value, other), scale) in values.iter_mut().zip(other).zip(scale) {
        *value += other * scale;
    }
}

/// Sum with 16 interleaved accumulators, which vectorizes and has a smaller rounding error than one accumulator.
#[inline(always)]
pub(super) fn sum(values: &[f32]) -> f32 {
    let (chunks, rest) = values.as_chunks::<16>();
    let mut parts = [0.0f32; 16];
    for chunk in chunks {
        for (part, value) in parts.iter_mut().zip(chunk) {
            *part += value;
        }
    }
    for (part, value) in parts.iter_mut().zip(rest) {
        *part += value;
    }
    parts.iter().sum()
}

/// Sum of squares with 16 interleaved accumulators.
#[inline(always)]
pub(super) fn sum_of_squares(values: &[f32]) -> f32 {
    let (chunks, rest) = values.as_chunks::<16>();
    let mut parts = [0.0f32; 16];
    for chunk in chunks {
        for (part, value) in parts.iter_mut().zip(chunk) {
            *part += value * value;
        }
    }
    for (part, value) in parts.iter_mut().zip(rest) {
        *part += value * value;
    }
    parts.iter().sum()
}

/// Maximum (NaN if any value is NaN) and sum of the absolute values, with 16 interleaved accumulators.
#[inline(always)]
pub(super) fn max_and_sum_of_magnitudes(values: &[f32]) -> (f32, f32) {
    let (chunks, rest) = values.as_chunks::<16>();
    let (mut largest, mut sums) = ([0u32; 16], [0.0f32; 16]);
    let mut take = |chunk: &[f32]| {
        for ((largest, sum), value) in largest.iter_mut().zip(&mut sums).zip(chunk) {
            // The bits of positive floats are ordered like their values, with NaN above all others.
            *largest = value.abs().to_bits().max(*largest);
            *sum += value.abs();
        }
    };
    chunks.iter().for_each(|chunk| take(chunk));
    take(rest);
    (f32::from_bits(largest.into_iter().fold(0, u32::max)), sums.iter().sum())
}

/// Maximum; −∞ for an empty slice. Ignores NaN.
#[inline(always)]
fn maximum(values: &[f32]) -> f32 {
    let (chunks, rest) = values.as_chunks::<16>();
    let mut parts = [f32::NEG_INFINITY; 16];
    for chunk in chunks {
        for (part, &value) in parts.iter_mut().zip(chunk) {
            *part = if value > *part { value } else { *part };
        }
    }
    for (part, &value) in parts.iter_mut().zip(rest) {
        *part = if value > *part { value } else { *part };
    }
    parts.into_iter().fold(f32::NEG_INFINITY, |largest, value| if value > largest { value } else { largest })
}

/// Replaces scores by their softmax numerators `e^(score − maximum)`, or 0 where `mask` is 0, and returns the sum of them.
/// If every score is masked, the sum is 0.
#[inline(always)]
pub(super) fn softmax_weights(scores: &mut [f32], mask: &[u32]) -> f32 {
    for (score, &mask) in scores.iter_mut().zip(mask) {
        *score = if mask == 0 { f32::NEG_INFINITY } else { *score };
    }
    let maximum = maximum(scores);
    if maximum == f32::NEG_INFINITY {
        scores.fill(0.0);
        return 0.0;
    }
    map(scores, |score| exp(score - maximum));
    sum(scores)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Samples of the whole range of floats: all exponents, both signs, and 128 mantissas for each.
    fn samples_of_all_floats() -> impl Iterator<Item = f32> {
        (0..=u16::MAX).map(|high| f32::from_bits((u32::from(high) << 16) | 0x5A3C)).filter(|x| x.is_finite())
    }

    fn evenly_spaced(low: f32, high: f32, count: usize) -> impl Iterator<Item = f32> {
        (0..count).map(move |step| low + (high - low) * step as f32 / count as f32)
    }

    /// Normal CDF in f64, from its series or, for large |x|, its continued fraction.
    fn normal_cdf(x: f64) -> f64 {
        if x.abs() < 5.0 {
            let (mut term, mut sum) = (x, x);
            for odd in 1..200 {
                term *= x * x / f64::from(2 * odd + 1);
                sum += term;
            }
            0.5 + sum * (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt()
        } else {
            let mut fraction = x.abs();
            for level in (1..200).rev() {
                fraction = x.abs() + f64::from(level) / fraction;
            }
            let tail = (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt() / fraction;
            if x < 0.0 { tail } else { 1.0 - tail }
        }
    }

    fn assert_near(what: &str, x: f32, expected: f64, found: f32, absolute: f64, relative: f64) {
        let difference = (f64::from(found) - expected).abs();
        assert!(
            difference <= absolute + relative * expected.abs(),
            "{what}({x:e}) = {found:e}, not {expected:e}"
        );
    }

    #[test]
    fn exp_is_accurate_to_two_units_in_the_last_place() {
        for x in evenly_spaced(-87.3, 88.0, 200_000) {
            assert_near("exp", x, f64::from(x).exp(), exp(x), 0.0, 1.6e-7);
        }
    }

    #[test]
    fn exp_saturates_and_keeps_nan() {
        assert_eq!(exp(f32::NEG_INFINITY), 0.0);
        assert_eq!(exp(-1e30), 0.0);
        assert!(exp(f32::INFINITY).is_finite() && exp(1e30) > 1e38);
        assert!(exp(f32::NAN).is_nan());
        assert_eq!(exp(0.0), 1.0);
    }

    #[test]
    fn activations_match_f64() {
        let reference = |activation: Activation, x: f64| match activation {
            Activation::Identity => x,
            Activation::Relu => x.max(0.0),
            Activation::Gelu => x * normal_cdf(x),
            Activation::GeluTanh => {
                let inner = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x * x * x);
                if inner < 0.0 {
                    x * (2.0 * inner).exp() / (1.0 + (2.0 * inner).exp())
                } else {
                    x / (1.0 + (-2.0 * inner).exp())
                }
            }
            Activation::Tanh => x.tanh(),
            Activation::Silu => x / (1.0 + (-x).exp()),
        };
        for activation in [
            Activation::Identity,
            Activation::Relu,
            Activation::Gelu,
            Activation::GeluTanh,
            Activation::Tanh,
            Activation::Silu,
        ] {
            for x in
                evenly_spaced(-12.0, 12.0, 100_000).chain(samples_of_all_floats().filter(|x| x.abs() < 1e12))
            {
                let mut found = [x];
                activate(activation, &mut found);
                let name = format!("{activation:?}");
                assert_near(&name, x, reference(activation, f64::from(x)), found[0], 1e-7, 3e-7);
            }
        }
    }

    #[test]
    fn activations_keep_nan() {
        for activation in
            [Activation::Relu, Activation::Gelu, Activation::GeluTanh, Activation::Tanh, Activation::Silu]
        {
            let mut values = [f32::NAN; 19];
            activate(activation, &mut values);
            assert!(values.iter().all(|x| x.is_nan()), "{activation:?}");
        }
    }

    #[test]
    fn softmax_of_fully_masked_scores_is_zero() {
        let mut scores = [1.0, 2.0, 3.0];
        assert_eq!(softmax_weights(&mut scores, &[0; 3]), 0.0);
        assert_eq!(scores, [0.0; 3]);
        let mut one = [-1e30f32, 5.0];
        assert_eq!(softmax_weights(&mut one, &[1, 0]), 1.0);
        assert_eq!(one, [1.0, 0.0]);
    }
}
