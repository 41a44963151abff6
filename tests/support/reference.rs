//! Direct f64 implementations of the kernels' formulas, as the reference for CPU twins and shaders.

use mobilebert::kernels::attention::AttentionParameters;
use mobilebert::kernels::linear::LinearParameters;
use mobilebert::plan::Activation;

use super::random::Random;

/// Every activation.
pub const ACTIVATIONS: [Activation; 6] = Activation::ALL;

/// The error function, from its series or, for large |x|, the continued fraction of its complement.
pub fn erf(x: f64) -> f64 {
    if x.abs() < 3.0 {
        let (mut term, mut sum) = (x, x);
        for n in 1..100 {
            term *= 2.0 * x * x / f64::from(2 * n + 1);
            sum += term;
        }
        2.0 / std::f64::consts::PI.sqrt() * (-x * x).exp() * sum
    } else {
        let mut fraction = x.abs();
        for n in (1..100).rev() {
            fraction = x.abs() + f64::from(n) / 2.0 / fraction;
        }
        x.signum() * (1.0 - (-x * x).exp() / fraction / std::f64::consts::PI.sqrt())
    }
}

/// `activation(x)`.
pub fn activate(activation: Activation, x: f64) -> f64 {
    match activation {
        Activation::Identity => x,
        Activation::Relu => x.max(0.0),
        Activation::Gelu => x / 2.0 * (1.0 + erf(x / 2f64.sqrt())),
        Activation::GeluTanh => {
            x / 2.0 * (1.0 + ((2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x.powi(3))).tanh())
        }
        Activation::Tanh => x.tanh(),
        Activation::Silu => x / (1.0 + (-x).exp()),
    }
}

/// `activation(input · weightᵀ + bias) + scale ∘ residual`; `weight` is row-major `[weight_rows, in_features]`.
pub fn linear(
    parameters: &LinearParameters,
    input: &[f32],
    weight: &[f32],
    bias: &[f32],
    residual: &[f32],
    scale: &[f32],
) -> Vec<f64> {
    let (columns, depth) = (parameters.out_features as usize, parameters.in_features as usize);
    let activation = ACTIVATIONS[parameters.activation as usize];
    let first = parameters.weight_first as usize;
    let mut output = Vec::new();
    for row in 0..parameters.rows as usize {
        let input = &input[row * parameters.row_stride as usize + parameters.input_first as usize..][..depth];
        let added = row * parameters.residual_stride as usize + parameters.residual_first as usize;
        for column in 0..columns {
            let weight = &weight[(first + column) * depth..][..depth];
            let sum: f64 = input.iter().zip(weight).map(|(&x, &w)| f64::from(x) * f64::from(w)).sum();
            let mut value = activate(activation, sum + f64::from(bias[first + column]));
            if parameters.has_residual != 0 {
                let scale = if parameters.has_scale != 0 { f64::from(scale[column]) } else { 1.0 };
                value += scale * f64::from(residual[added + column]);
            }
            output.push(value);
        }
    }
    output
}

/// Bound on the error of the outputs of [`linear`] when inputs are quantized to 16-bit integers in groups of 128, with up
/// to eight outliers per group kept as floats: half a quantization step per input, times its weight, times the steepest
/// slope of any activation (that of gelu).
pub fn linear_rounding(parameters: &LinearParameters, input: &[f32], weight: &[f32]) -> Vec<f64> {
    const STEEPEST: f64 = 1.13;
    let depth = parameters.in_features as usize;
    let magnitudes = |values: &[f32]| values.iter().map(|&value| f64::from(value).abs()).collect::<Vec<_>>();
    let step = |group: &[f32]| {
        let mut magnitudes = magnitudes(group);
        magnitudes.sort_by(f64::total_cmp);
        let rest = |outliers: usize| &magnitudes[..magnitudes.len() - outliers];
        // Slightly more than 32 times the mean, because the kernel compares in f32.
        let outliers = (0..8.min(magnitudes.len())).find(|&outliers| {
            let rest = rest(outliers);
            rest[rest.len() - 1] <= 32.0001 * rest.iter().sum::<f64>() / rest.len() as f64
        });
        rest(outliers.unwrap_or(0)).last().map_or(0.0, |largest| largest / 32639.0)
    };
    let mut output = Vec::new();
    for row in 0..parameters.rows as usize {
        let input = &input[row * parameters.row_stride as usize + parameters.input_first as usize..][..depth];
        let weights = weight.chunks_exact(depth).skip(parameters.weight_first as usize);
        for weight in weights.take(parameters.out_features as usize) {
            let groups = input.chunks(128).zip(weight.chunks(128));
            output.push(
                groups
                    .map(|(input, weight)| {
                        STEEPEST * 0.5 * step(input) * magnitudes(weight).iter().sum::<f64>()
                    })
                    .sum(),
            );
        }
    }
    output
}

/// `(x − mean) / √(variance + epsilon) ∘ weight + bias`.
pub fn layer_norm(input: &[f32], weight: &[f32], bias: &[f32], epsilon: f32) -> Vec<f64> {
    let mut output = Vec::new();
    for row in input.chunks_exact(weight.len()) {
        let count = row.len() as f64;
        let mean = row.iter().map(|&x| f64::from(x)).sum::<f64>() / count;
        let variance = row.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>() / count;
        let deviation = (variance + f64::from(epsilon)).sqrt();
        for ((&x, &weight), &bias) in row.iter().zip(weight).zip(bias) {
            output.push((f64::from(x) - mean) / deviation * f64::from(weight) + f64::from(bias));
        }
    }
    output
}

/// Parameters of an attention, whose queries, keys and values may be columns of wider matrices.
pub fn attention_parameters(
    random: &mut Random,
    [batch, sequence, heads, head_size]: [usize; 4],
) -> AttentionParameters {
    let width = heads * head_size;
    let widest = [0, 9, 16][random.below(3)];
    let [query, key, value] = [(); 3].map(|()| {
        let first = random.between(0, widest) / 4 * 4;
        [(width + first + random.between(0, widest) / 4 * 4) as u32, first as u32]
    });
    let strides = [query, key, value].as_flattened().iter().all(|floats| floats.is_multiple_of(4));
    AttentionParameters {
        batch: batch as u32,
        sequence: sequence as u32,
        heads: heads as u32,
        head_size: head_size as u32,
        query_stride: query[0],
        query_first: query[1],
        key_stride: key[0],
        key_first: key[1],
        value_stride: value[0],
        value_first: value[1],
        aligned: (head_size.is_multiple_of(4) && strides).into(),
    }
}

/// `softmax(q kᵀ + mask)`: `[batch, heads, sequence, sequence]`; zeros if all keys are masked.
pub fn probabilities(parameters: &AttentionParameters, mask: &[u32], query: &[f32], key: &[f32]) -> Vec<f64> {
    let [batch, sequence, heads, size] =
        [parameters.batch, parameters.sequence, parameters.heads, parameters.head_size].map(|x| x as usize);
    let row = |matrix: &[f32], stride: u32, first: u32, token: usize, head: usize| -> Vec<f64> {
        let start = token * stride as usize + first as usize + head * size;
        matrix[start..start + size].iter().map(|&x| f64::from(x)).collect()
    };
    let AttentionParameters { query_stride, query_first, key_stride, key_first, .. } = *parameters;
    let mut output = Vec::new();
    for b in 0..batch {
        for h in 0..heads {
            for from in 0..sequence {
                let query = row(query, query_stride, query_first, b * sequence + from, h);
                let scores: Vec<f64> = (0..sequence)
                    .map(|to| match mask[b * sequence + to] {
                        0 => f64::NEG_INFINITY,
                        _ => {
                            let key = row(key, key_stride, key_first, b * sequence + to, h);
                            query.iter().zip(key).map(|(q, k)| q * k).sum()
                        }
                    })
                    .collect();
                let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let weights: Vec<f64> = scores
                    .iter()
                    .map(|&score| if score == f64::NEG_INFINITY { 0.0 } else { (score - largest).exp() })
                    .collect();
                let sum: f64 = weights.iter().sum();
                output.extend(weights.iter().map(|weight| if sum > 0.0 { weight / sum } else { 0.0 }));
            }
        }
    }
    output
}

/// `probabilities · v`: `[batch · sequence, heads · head_size]`.
pub fn context(parameters: &AttentionParameters, probabilities: &[f64], value: &[f32]) -> Vec<f64> {
    let [batch, sequence, heads, size] =
        [parameters.batch, parameters.sequence, parameters.heads, parameters.head_size].map(|x| x as usize);
    let mut output = vec![0.0; batch * sequence * heads * size];
    for b in 0..batch {
        for h in 0..heads {
            for from in 0..sequence {
                for to in 0..sequence {
                    let probability = probabilities[((b * heads + h) * sequence + from) * sequence + to];
                    let start = (b * sequence + to) * parameters.value_stride as usize
                        + parameters.value_first as usize;
                    for i in 0..size {
                        output[((b * sequence + from) * heads + h) * size + i] +=
                            probability * f64::from(value[start + h * size + i]);
                    }
                }
            }
        }
    }
    output
}
