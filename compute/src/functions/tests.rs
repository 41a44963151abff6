//! Compares the approximations with f64 and exact series.

use super::*;
use crate::simd::{Simd, Task};

struct Fused;

impl Arithmetic for Fused {
    fn multiply_add(left: f32, right: f32, addend: f32) -> f32 {
        left.mul_add(right, addend)
    }
}

struct Separate;

impl Arithmetic for Separate {
    fn multiply_add(left: f32, right: f32, addend: f32) -> f32 {
        left * right + addend
    }
}

/// Samples over the whole range of floats: all exponents, both signs, and 128 mantissas for each.
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
        assert_near("exp", x, f64::from(x).exp(), exp::<Separate>(x), 0.0, 1.6e-7);
        assert_near("fused exp", x, f64::from(x).exp(), exp::<Fused>(x), 0.0, 1.6e-7);
    }
}

#[test]
fn exp_saturates_and_keeps_nan() {
    assert_eq!(exp::<Fused>(f32::NEG_INFINITY), 0.0);
    assert_eq!(exp::<Fused>(-1e30), 0.0);
    assert!(exp::<Fused>(f32::INFINITY).is_finite() && exp::<Fused>(1e30) > 1e38);
    assert!(exp::<Fused>(f32::NAN).is_nan());
    assert_eq!(exp::<Fused>(0.0), 1.0);
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
    for activation in Activation::ALL {
        for x in evenly_spaced(-12.0, 12.0, 100_000).chain(samples_of_all_floats().filter(|x| x.abs() < 1e12))
        {
            let (mut separate, mut fused) = ([x], [x]);
            activate::<Separate>(activation, &mut separate);
            activate::<Fused>(activation, &mut fused);
            for (how, found) in [("separate", separate), ("fused", fused)] {
                let name = format!("{how} {activation:?}");
                assert_near(&name, x, reference(activation, f64::from(x)), found[0], 1e-7, 3e-7);
            }
        }
    }
}

#[test]
fn activations_keep_nan() {
    for activation in Activation::ALL {
        let mut values = [f32::NAN; 19];
        activate::<Separate>(activation, &mut values);
        assert!(values.iter().all(|x| x.is_nan()), "{activation:?}");
    }
}

struct SoftmaxWeights<'a>(&'a mut [f32], &'a [u32]);

impl Task for SoftmaxWeights<'_> {
    type Output = f32;

    #[inline(always)]
    fn run<V: Lanes<L>, const L: usize, const MR: usize>(self) -> f32 {
        softmax_weights::<V, L>(self.0, self.1)
    }
}

#[test]
fn softmax_of_fully_masked_scores_is_zero() {
    for simd in Simd::available() {
        let mut scores = [1.0, 2.0, 3.0];
        assert_eq!(simd.run(SoftmaxWeights(&mut scores, &[0; 3])), 0.0);
        assert_eq!(scores, [0.0; 3]);
        let mut one = [-1e30f32, 5.0];
        assert_eq!(simd.run(SoftmaxWeights(&mut one, &[1, 0])), 1.0);
        assert_eq!(one, [1.0, 0.0]);
    }
}

#[test]
fn softmax_weights_are_relative_to_the_largest_score_wherever_it_is() {
    for simd in Simd::available() {
        for len in 1..70 {
            for largest in 0..len {
                let mut scores = vec![-1e4; len];
                scores[largest] = 300.0;
                assert_eq!(simd.run(SoftmaxWeights(&mut scores, &[])), 1.0, "{}", simd.name());
                assert_eq!((scores[largest], scores.iter().sum::<f32>()), (1.0, 1.0));
            }
        }
    }
}
