//! Element-wise functions and reductions, without branches, so that the compiler vectorizes their loops. The
//! coefficients are minimax fits made for this project; the tests compare the functions with f64.

use crate::Activation;
use crate::simd::{Arithmetic, Lanes};

/// 1.5 · 2²³. Adding it rounds to the nearest integer, which ends up in the low bits; subtracting it again gives the
/// integer as a float.
const ROUND_TO_INTEGER: f32 = 12_582_912.0;

/// A polynomial, its highest coefficient first.
#[inline(always)]
fn polynomial<A: Arithmetic, const N: usize>(x: f32, coefficients: [f32; N]) -> f32 {
    let mut sum = coefficients[0];
    for &coefficient in &coefficients[1..] {
        sum = A::multiply_add(sum, x, coefficient);
    }
    sum
}

/// `eˣ` with an error of about one unit in the last place. Returns 0 below −87.33 (where the result would be denormal), at
/// most 2¹²⁷ (for 88.02 and above), and NaN for NaN.
#[inline(always)]
pub(crate) fn exp<A: Arithmetic>(x: f32) -> f32 {
    // ln 2 as a sum of two constants; the first has few enough bits that its products with integers are exact.
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    let bounded = if x > 88.02 { 88.02 } else { x };
    let bounded = if bounded < -87.33 { -87.33 } else { bounded };
    let shifted = A::multiply_add(bounded, std::f32::consts::LOG2_E, ROUND_TO_INTEGER);
    let exponent = shifted - ROUND_TO_INTEGER;
    let rest = A::multiply_add(exponent, -LN_2_LOW, A::multiply_add(exponent, -LN_2_HIGH, bounded));
    let sum = polynomial::<A, 5>(
        rest,
        [1.394_216_1e-3, 8.363_776e-3, 4.166_636_3e-2, 1.666_657_3e-1, 5.000_000_3e-1],
    );
    let sum = A::multiply_add(sum, rest * rest, rest);
    let power = f32::from_bits((shifted.to_bits() << 23).wrapping_add(0x3F80_0000));
    let value = A::multiply_add(sum, power, power);
    // There, the compiler clamps `x` with relaxed minima and maxima, which may lose NaN.
    let value = if cfg!(target_feature = "relaxed-simd") && x.is_nan() { x } else { value };
    if x < -87.33 { 0.0 } else { value }
}

/// `x · Φ(x)`, where Φ is the normal CDF: equal to `x/2 · (1 + erf(x/√2))`, but without cancellation.
#[inline(always)]
fn gelu<A: Arithmetic>(x: f32) -> f32 {
    // The upper tail Q(a) = 1 − Φ(a) = e^(−a²/2) · R(t), t = 1/(1 + 0.33 a), R a polynomial.
    let distance = x.abs();
    let t = 1.0 / (1.0 + 0.33 * distance);
    let sum = polynomial::<A, 10>(
        t,
        [
            -2.582_940_3e-2,
            1.483_841_4e-1,
            -3.219_494_5e-1,
            2.912_483_9e-1,
            -1.065_789_e-1,
            1.458_389_3e-1,
            1.037_214e-1,
            1.336_799_9e-1,
            1.314_786e-1,
            6.339_59e-6,
        ],
    );
    let tail = distance * (sum * exp::<A>(-0.5 * x * x));
    if x > 0.0 { x - tail } else { -tail }
}

/// `x/2 · (1 + tanh u) = x / (1 + e^(−2u))`.
#[inline(always)]
fn gelu_tanh<A: Arithmetic>(x: f32) -> f32 {
    const TWO_SQRT_2_OVER_PI: f32 = 1.595_769;
    x / (1.0 + exp::<A>(-TWO_SQRT_2_OVER_PI * (x + 0.044_715 * (x * x * x))))
}

#[inline(always)]
fn tanh<A: Arithmetic>(x: f32) -> f32 {
    let square = x * x;
    let sum = polynomial::<A, 5>(
        square,
        [-6.113_188_5e-3, 2.101_008e-2, -5.385_407e-2, 1.333_279_5e-1, -3.333_332_9e-1],
    );
    let near = A::multiply_add(sum * square, x, x);
    let far = 1.0 - 2.0 / (exp::<A>(2.0 * x.abs()) + 1.0);
    let far = if x < 0.0 { -far } else { far };
    if x.abs() < 0.625 { near } else { far }
}

#[inline(always)]
fn silu<A: Arithmetic>(x: f32) -> f32 {
    x / (1.0 + exp::<A>(-x))
}

/// Applies `activation` in place.
#[inline(always)]
pub(crate) fn activate<A: Arithmetic>(activation: Activation, values: &mut [f32]) {
    match activation {
        Activation::Identity => {}
        // Not `f32::max`, which would turn NaN into 0.
        Activation::Relu => map(values, |x| if x < 0.0 { 0.0 } else { x }),
        Activation::Gelu => map(values, gelu::<A>),
        Activation::GeluTanh => map(values, gelu_tanh::<A>),
        Activation::Tanh => map(values, tanh::<A>),
        Activation::Silu => map(values, silu::<A>),
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
pub(crate) fn add(values: &mut [f32], other: &[f32]) {
    for (value, other) in values.iter_mut().zip(other) {
        *value += other;
    }
}

/// `values *= other`, element-wise.
#[inline(always)]
pub(crate) fn multiply(values: &mut [f32], other: &[f32]) {
    for (value, other) in values.iter_mut().zip(other) {
        *value *= other;
    }
}

/// `values += scale ∘ other`.
#[inline(always)]
pub(crate) fn add_scaled(values: &mut [f32], other: &[f32], scale: &[f32]) {
    for ((value, other), scale) in values.iter_mut().zip(other).zip(scale) {
        *value += other * scale;
    }
}

/// Combines the first half of the accumulators with the second half until one is left.
#[inline(always)]
fn halve<T: Copy, const L: usize>(mut parts: [T; L], combine: impl Fn(T, T) -> T) -> T {
    let mut half = L / 2;
    while half > 0 {
        for index in 0..half {
            parts[index] = combine(parts[index], parts[index + half]);
        }
        half /= 2;
    }
    parts[0]
}

/// The lanes of a vector.
#[inline(always)]
fn lanes<V: Lanes<L>, const L: usize>(vector: V) -> [f32; L] {
    let mut values = [0.0; L];
    vector.store(&mut values);
    values
}

/// Loads fewer than `L` values, followed by `padding`.
#[inline(always)]
fn load_padded<V: Lanes<L>, const L: usize>(values: &[f32], padding: f32) -> V {
    let mut padded = [padding; L];
    for (to, &value) in padded.iter_mut().zip(values) {
        *to = value;
    }
    V::load(&padded)
}

/// Sum with as many accumulators as lanes, which has a smaller rounding error than one accumulator.
#[inline(always)]
pub(crate) fn sum<V: Lanes<L>, const L: usize>(values: &[f32]) -> f32 {
    let (chunks, rest) = values.as_chunks::<L>();
    let mut sum: V = load_padded(rest, 0.0);
    for chunk in chunks {
        sum = sum.add(V::load(chunk));
    }
    halve(lanes(sum), |left, right| left + right)
}

/// Sum of squares with as many accumulators as lanes.
#[inline(always)]
pub(crate) fn sum_of_squares<V: Lanes<L>, const L: usize>(values: &[f32]) -> f32 {
    let (chunks, rest) = values.as_chunks::<L>();
    let rest: V = load_padded(rest, 0.0);
    let mut sum = rest.multiply(rest);
    for chunk in chunks {
        let chunk = V::load(chunk);
        sum = sum.add(chunk.multiply(chunk));
    }
    halve(lanes(sum), |left, right| left + right)
}

/// Maximum (NaN if any value is NaN) and sum of the absolute values, with 16 interleaved accumulators.
#[inline(always)]
pub(crate) fn max_and_sum_of_magnitudes(values: &[f32]) -> (f32, f32) {
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
    // For a loop over halves, the compiler would split up the loop's vectors.
    let eight: [f32; 8] = std::array::from_fn(|index| sums[index] + sums[index + 8]);
    (f32::from_bits(largest.into_iter().fold(0, u32::max)), halve(eight, |left, right| left + right))
}

/// Maximum; −∞ for an empty slice. Ignores NaN.
#[inline(always)]
fn maximum<V: Lanes<L>, const L: usize>(values: &[f32]) -> f32 {
    let (chunks, rest) = values.as_chunks::<L>();
    let rest: V = load_padded(rest, f32::NEG_INFINITY);
    let mut largest = rest.max(V::load(&[f32::NEG_INFINITY; L]));
    for chunk in chunks {
        largest = V::load(chunk).max(largest);
    }
    halve(lanes(largest), |left, right| if left > right { left } else { right })
}

/// Replaces scores with their softmax numerators `e^(score − maximum)`, or 0 where `mask` is 0, and returns
/// their sum. If every score is masked, the sum is 0. An empty mask means that nothing is masked.
#[inline(always)]
pub(crate) fn softmax_weights<V: Lanes<L>, const L: usize>(scores: &mut [f32], mask: &[u32]) -> f32 {
    for (score, &mask) in scores.iter_mut().zip(mask) {
        *score = if mask == 0 { f32::NEG_INFINITY } else { *score };
    }
    let maximum = maximum::<V, L>(scores);
    if maximum == f32::NEG_INFINITY {
        scores.fill(0.0);
        return 0.0;
    }
    map(scores, |score| exp::<V>(score - maximum));
    sum::<V, L>(scores)
}

#[cfg(test)]
mod tests;
