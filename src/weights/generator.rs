//! Generated weights, for full-size models in parity tests and for `bench --config`.
//!
//! A value depends only on the seed, the tensor's name and shape, and the element's index, so any tensor can
//! be generated at any time, in any order and any language, with identical bits (`tests/goldens/generator.py`
//! is the twin):
//!
//! ```text
//! key   = mix(fnv1a64(name) ^ mix(seed))
//! bits  = mix(key + (index + 1) · 0x9E3779B97F4A7C15)        modulo 2⁶⁴; mix is SplitMix64's finalizer
//! u     = ((bits >> 40) − 2²³) · 2⁻²³                         uniform in [−1, 1), exact in f32
//! value = center + spread · u                                 one f32 product, one f32 sum
//! ```
//!
//! | tensor | center | spread |
//! |---|---|---|
//! | norm weights | 0.9 | 0.25 |
//! | biases | 0 | 0.125 |
//! | word embeddings, decoders | 0 | √3 |
//! | position and type embeddings | 0 | √0.75 |
//! | linears added to a residual | 0 | 0.4 √(3 / in) |
//! | query, key | 0 | 1.6 √(3 / in) |
//! | other linears | 0 | √(3 / in) |
//!
//! With these, hidden states keep their magnitude over 24 layers with and without normalization, attention is
//! neither uniform nor one-hot, and every token matters. Norm weights are centered on 0.9 rather than 1 to
//! compensate for the growth from residual branches in networks without normalization.

use std::collections::HashSet;

use safetensors::Dtype;

use super::RawTensor;
use crate::plan::Network;

const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// Linears added to a residual. Their weights are smaller, otherwise the sum would grow over 24 layers.
const RESIDUAL_BRANCHES: [&str; 4] =
    [".output.dense.weight", ".output.bottleneck.dense.weight", ".out_lin.weight", ".lin2.weight"];
const ATTENTION_LOGITS: [&str; 4] = [".query.weight", ".key.weight", ".q_lin.weight", ".k_lin.weight"];
/// `[vocab_size, width]` or its transpose.
const DECODERS: [&str; 3] =
    ["predictions.dense.weight", "predictions.decoder.weight", "vocab_projector.weight"];

/// A checkpoint generated from a seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Generator {
    seed: u64,
}

impl Generator {
    /// A generator with this seed.
    pub fn new(seed: u64) -> Self {
        Generator { seed }
    }

    /// The row-major values of a tensor, by its name and shape in a checkpoint.
    pub fn tensor(&self, name: &str, shape: &[usize]) -> Vec<f32> {
        self.values(name, shape).collect()
    }

    /// Like [`Generator::tensor`], as stored in a file in F32.
    pub fn raw(&self, name: &str, shape: &[usize]) -> RawTensor {
        // Allocated at full size: a growing vector would hold a large tensor twice.
        let mut bytes = Vec::with_capacity(4 * shape.iter().product::<usize>());
        self.values(name, shape).for_each(|value| bytes.extend_from_slice(&value.to_le_bytes()));
        RawTensor { name: name.into(), dtype: Dtype::F32, shape: shape.to_vec(), bytes }
    }

    fn values(&self, name: &str, shape: &[usize]) -> impl Iterator<Item = f32> + use<> {
        let key = mix(fnv1a64(name) ^ mix(self.seed));
        let (center, spread) = scale(name, shape);
        let count = shape.iter().product::<usize>();
        (1..=count as u64)
            .map(move |counter| center + spread * unit(mix(key.wrapping_add(counter.wrapping_mul(GOLDEN)))))
    }

    /// Each tensor of a network once, for an [`super::Assembler`]; generated one at a time.
    pub fn checkpoint<'a>(&'a self, network: &'a Network) -> impl Iterator<Item = RawTensor> + 'a {
        let sources = network.parameters.iter().flat_map(|parameter| parameter.recipe.sources());
        let mut seen = HashSet::new();
        sources
            .filter(move |source| seen.insert(source.name().to_owned()))
            .map(|source| self.raw(source.name(), &source.shape))
    }
}

/// SplitMix64's finalizer.
fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

/// Maps the upper 24 bits to [−1, 1).
fn unit(bits: u64) -> f32 {
    ((bits >> 40) as i32 - (1 << 23)) as f32 * (1.0 / (1 << 23) as f32)
}

/// 64-bit FNV-1a hash of the text's bytes.
fn fnv1a64(text: &str) -> u64 {
    text.bytes().fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
    })
}

/// Center and spread of a tensor's values. Square roots are computed in f64 and rounded once.
fn scale(name: &str, shape: &[usize]) -> (f32, f32) {
    let ends_with = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
    let [_, features] = *shape else {
        return if ends_with(&["weight"]) { (0.9, 0.25) } else { (0.0, 0.125) };
    };
    let spread = if ends_with(&["word_embeddings.weight"]) || ends_with(&DECODERS) {
        3f64.sqrt()
    } else if ends_with(&["_embeddings.weight"]) {
        0.75f64.sqrt()
    } else {
        let deviation = (3.0 / features as f64).sqrt();
        if ends_with(&RESIDUAL_BRANCHES) {
            0.4 * deviation
        } else if ends_with(&ATTENTION_LOGITS) {
            1.6 * deviation
        } else {
            deviation
        }
    };
    (0.0, spread as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected bits from `tests/goldens/generator.py`.
    #[test]
    fn values_equal_those_of_the_python_twin_bit_for_bit() {
        let cases: [(&str, &[usize], [u32; 4]); 8] = [
            (
                "mobilebert.embeddings.word_embeddings.weight",
                &[7, 5],
                [0xBF88935A, 0xBC3D8EDE, 0x3F0B2AAD, 0x3FBDCE26],
            ),
            (
                "mobilebert.embeddings.position_embeddings.weight",
                &[5, 9],
                [0xBF505060, 0x3F1B5672, 0xBF0075A6, 0x3DCB45AE],
            ),
            (
                "bert.encoder.layer.3.attention.self.query.weight",
                &[6, 7],
                [0x3E63A591, 0xBE9C47FB, 0x3E9C2800, 0x3F24FE6B],
            ),
            (
                "distilbert.transformer.layer.0.ffn.lin2.weight",
                &[3, 11],
                [0xBE1B5504, 0xBE32019C, 0x3D9AAE2B, 0xBC87C2C2],
            ),
            (
                "mobilebert.encoder.layer.0.bottleneck.input.LayerNorm.weight",
                &[13],
                [0x3F557DF9, 0x3F83E562, 0x3F6EC1B2, 0x3F267B87],
            ),
            ("qa_outputs.bias", &[4], [0x3D24DAD0, 0xBD22E588, 0xBC7958E0, 0x3D529670]),
            ("cls.predictions.dense.weight", &[3, 6], [0xBE587B82, 0xBCE9EAA0, 0x3F7F3E97, 0x3F5C946A]),
            ("classifier.weight", &[5, 52], [0xBD40FC26, 0x3E6B890E, 0x3DB319BA, 0xBCAB5F0D]),
        ];
        for (name, shape, expected) in cases {
            let values = Generator::new(20_260_101).tensor(name, shape);
            assert_eq!(values.len(), shape.iter().product::<usize>());
            let last = values.len() - 1;
            let found = [values[0], values[1], values[last - 1], values[last]].map(f32::to_bits);
            assert_eq!(found, expected, "{name}: {values:?}");
        }
    }

    #[test]
    fn values_fill_their_range_and_differ_by_name_seed_and_index() {
        let generator = Generator::new(1);
        let values = generator.tensor("a.dense.weight", &[100, 300]);
        let (low, high) = values.iter().fold((0f32, 0f32), |(low, high), &v| (low.min(v), high.max(v)));
        assert!((-0.1..-0.0999).contains(&low) && (0.0999..=0.1).contains(&high), "{low} {high}");
        let variance = values.iter().map(|v| f64::from(v * v)).sum::<f64>() / values.len() as f64;
        assert!((variance * 300.0 - 1.0).abs() < 0.02, "{variance}");
        assert_ne!(values, generator.tensor("b.dense.weight", &[100, 300]));
        assert_ne!(values, Generator::new(2).tensor("a.dense.weight", &[100, 300]));
    }
}
