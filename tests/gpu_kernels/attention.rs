//! `attention` and the two unfused kernels, `attention_probabilities` and `attention_context`.

use mobilebert::kernels::{Attention, AttentionContext, AttentionProbabilities, Columns};

use crate::support::compare::{Tolerance, assert_close};
use crate::support::gpu::{Builder, shared_executor};
use crate::support::random::Random;
use crate::support::reference;

#[derive(Clone, Copy, Debug)]
struct Case {
    batch: usize,
    sequence: usize,
    heads: usize,
    head_size: usize,
    /// Magnitude of the scores.
    scores: f32,
}

impl Case {
    fn tokens(&self) -> usize {
        self.batch * self.sequence
    }

    fn features(&self) -> usize {
        self.heads * self.head_size
    }

    /// Compares both unfused kernels and the fused one with the reference.
    fn check(self, random: &mut Random) {
        let Some(mut executor) = shared_executor("attention") else { return };
        let Case { batch, sequence, heads, head_size, .. } = self;
        let parameters = reference::attention_parameters(random, [batch, sequence, heads, head_size]);
        let strides = [parameters.query_stride, parameters.key_stride, parameters.value_stride];
        let [queries, keys, values] = strides.map(|stride| self.tokens() * stride as usize);
        let len = self.tokens() * self.features();
        let size = (self.scores / (self.head_size as f32).sqrt()).sqrt();
        let (query, key) = (random.mixed_magnitudes(queries, size), random.mixed_magnitudes(keys, size));
        let value = random.mixed_magnitudes(values, 3.0);
        let mask = random.mask(self.batch, self.sequence, true);
        let probabilities = reference::probabilities(&parameters, &mask, &query, &key);
        let context = reference::context(&parameters, &probabilities, &value);
        // The rounding error of a score becomes a relative error of its exponential.
        let relative = 4e-7 * f64::from(self.scores) + 1e-5;
        let mut builder = Builder::new(batch, sequence);
        builder.inputs.attention_mask = mask;
        let firsts = [parameters.query_first, parameters.key_first, parameters.value_first];
        let mut columns = |index: usize, values: &[f32]| Columns {
            buffer: builder.activation(values),
            stride: strides[index] as usize,
            first: firsts[index] as usize,
        };
        let (query, key, value) = (columns(0, &query), columns(1, &key), columns(2, &value));
        let unfused = AttentionProbabilities { query, key, heads, head_size };
        let rows = builder.step(unfused, probabilities.len());
        let found = builder.run(&mut executor);
        assert_close(
            &format!("probabilities {self:?}"),
            &probabilities,
            &found,
            Tolerance::new(relative / 4.0, relative),
        );

        let unfused = AttentionContext { probabilities: rows, value, heads, head_size };
        builder.step(unfused, len);
        let tolerance = Tolerance::new(3.0 * relative, relative);
        assert_close(&format!("context {self:?}"), &context, &builder.run(&mut executor), tolerance);

        builder.step(Attention { query, key, value, heads, head_size }, len);
        assert_close(&format!("attention {self:?}"), &context, &builder.run(&mut executor), tolerance);
    }
}

#[test]
fn attention_matches_its_formula_for_random_shapes() {
    let mut random = Random::new(70);
    for _ in 0..40 {
        let case = Case {
            batch: random.between(1, 3),
            sequence: random.between(1, 90),
            heads: random.between(1, 5),
            head_size: random.between(1, 70),
            scores: [1.0, 10.0, 1e4][random.below(3)],
        };
        case.check(&mut random);
    }
}

#[test]
fn attention_matches_its_formula_for_extreme_shapes() {
    let mut random = Random::new(71);
    for (batch, sequence, heads, head_size, scores) in [
        (1, 1, 1, 1, 1.0),
        (4, 1, 2, 3, 1e4),
        (1, 512, 1, 32, 10.0),
        (2, 33, 4, 32, 10.0),
        (2, 32, 3, 64, 1e4),
        (1, 40, 2, 256, 10.0),
        (1, 65, 1, 255, 1.0),
        (2, 31, 12, 33, 1.0),
    ] {
        Case { batch, sequence, heads, head_size, scores }.check(&mut random);
    }
}

#[test]
fn attention_is_zero_if_every_key_is_masked() {
    let Some(mut executor) = shared_executor("attention_is_zero_if_every_key_is_masked") else { return };
    let mut random = Random::new(72);
    let (sequence, heads, head_size) = (70, 2, 16);
    let len = 2 * sequence * heads * head_size;
    let mut builder = Builder::new(2, sequence);
    // The second sequence attends only to its last key, so the tiles of keys before it are fully masked.
    builder.inputs.attention_mask = vec![0; 2 * sequence];
    builder.inputs.attention_mask[2 * sequence - 1] = 1;
    let values = random.values(len, 1.0);
    let mut columns = |values: &[f32]| Columns::all(builder.activation(values), heads * head_size);
    let query = columns(&random.values(len, 100.0));
    let key = columns(&random.values(len, 100.0));
    let value = columns(&values);
    builder.step(Attention { query, key, value, heads, head_size }, len);
    let found = builder.run(&mut executor);
    let features = heads * head_size;
    assert!(found[..len / 2].iter().all(|&x| x == 0.0), "a fully masked sequence isn't zero");
    let last = &values[len - features..];
    for row in found[len / 2..].chunks(features) {
        assert_eq!(row, last, "the only attended key has all the weight");
    }
}
