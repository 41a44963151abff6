//! Every shader against its formula in f64, over random and edge shapes, on this machine's GPU or software Vulkan.

mod support;

use mobilebert::kernels::attention::AttentionParameters;
use mobilebert::kernels::linear::LinearParameters;
use mobilebert::plan::{Activation, Operation, PAST_THE_END, Residual, Role};
use support::compare::{Tolerance, assert_close};
use support::gpu::{Builder, shared_executor};
use support::matrix::{Form, Matrix, SIZES};
use support::random::Random;
use support::reference::{self, ACTIVATIONS};

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&value| f64::from(value)).collect()
}

#[derive(Clone, Copy, Debug)]
struct Linear {
    form: Form,
    rows: usize,
    depth: usize,
    columns: usize,
    size: f32,
    activation: Activation,
    residual: bool,
    scale: bool,
    /// More floats between rows than a row has.
    gap: usize,
}

impl Linear {
    fn random(random: &mut Random, rows: usize, depth: usize, columns: usize) -> Self {
        let residual = random.below(2) == 1;
        Linear {
            form: [Form::Floats, Form::Bytes][random.below(2)],
            rows,
            depth,
            columns,
            size: SIZES[random.below(4)],
            activation: ACTIVATIONS[random.below(6)],
            residual,
            scale: residual && random.below(2) == 1,
            gap: if random.below(3) == 0 { random.below(70) } else { 0 },
        }
    }

    fn check(self, random: &mut Random) {
        let Some(mut executor) = shared_executor("linear") else { return };
        let Linear { rows, depth, columns, size, activation, .. } = self;
        let stride = depth + self.gap;
        let input = random.wild(rows * stride, size);
        let weight = Matrix::new(random, self.form, columns, depth);
        let bias = random.wild(columns, size);
        let added = random.wild(rows * columns, size);
        let scale = random.wild(columns, 2.0);

        let parameters = LinearParameters {
            rows: rows as u32,
            in_features: depth as u32,
            out_features: columns as u32,
            row_stride: stride as u32,
            activation: activation as u32,
            has_residual: self.residual.into(),
            has_scale: self.scale.into(),
        };
        let expected = reference::linear(&parameters, &input, &weight.floats(), &bias, &added, &scale);

        let mut builder = Builder::new(1, rows);
        let buffer = builder.activation(&input);
        let weight = builder.add(weight.values(), Role::Matrix);
        let bias = builder.parameter(&[columns], &bias);
        let residual = self.residual.then(|| Residual {
            buffer: builder.activation(&added),
            scale: self.scale.then(|| builder.parameter(&[columns], &scale)),
        });
        let operation =
            Operation::Linear { input: buffer, rows, row_stride: stride, weight, bias, activation, residual };
        builder.step(operation, rows * columns);
        let found = builder.run(&mut executor);
        // Rounding is in proportion to the sizes summed up, not to the sum.
        let absolute = 2e-7 * f64::from(size) * ((depth as f64).sqrt() + 10.0) + 4e-7;
        assert_close(&format!("{self:?}"), &expected, &found, Tolerance::new(absolute, 2e-6));
    }
}

#[test]
fn linear_over_random_shapes() {
    let mut random = Random::new(10);
    for _ in 0..100 {
        let (rows, depth, columns) = (random.between(1, 70), random.between(1, 200), random.between(1, 90));
        Linear::random(&mut random, rows, depth, columns).check(&mut random);
    }
}

#[test]
fn linear_at_the_edges_of_its_tiles() {
    let mut random = Random::new(11);
    for (rows, depth, columns) in [
        (1, 1, 1),
        (1, 512, 2),
        (512, 3, 5),
        (32, 32, 32),
        (33, 33, 33),
        (31, 31, 31),
        (64, 63, 65),
        (128, 384, 128),
        (5, 2, 300),
        (512, 36, 7),
        (2, 1027, 30),
    ] {
        for form in [Form::Floats, Form::Bytes] {
            Linear { form, ..Linear::random(&mut random, rows, depth, columns) }.check(&mut random);
        }
    }
}

#[test]
fn linear_reads_first_tokens_only() {
    let Some(mut executor) = shared_executor("linear_reads_first_tokens_only") else { return };
    let mut random = Random::new(12);
    let (batch, sequence, depth) = (3, 5, 7);
    let input = random.values(batch * sequence * depth, 1.0);
    let identity: Vec<f32> = (0..depth * depth).map(|i| f32::from(u8::from(i % (depth + 1) == 0))).collect();
    let mut builder = Builder::new(batch, sequence);
    let buffer = builder.activation(&input);
    let weight = builder.parameter(&[depth, depth], &identity);
    let bias = builder.parameter(&[depth], &vec![0.0; depth]);
    let operation = Operation::Linear {
        input: buffer,
        rows: batch,
        row_stride: sequence * depth,
        weight,
        bias,
        activation: Activation::Identity,
        residual: None,
    };
    builder.step(operation, batch * depth);
    let expected: Vec<f32> = input.chunks(sequence * depth).flat_map(|text| text[..depth].to_vec()).collect();
    assert_eq!(expected, builder.run(&mut executor));
}

#[test]
fn activations_from_nothing_to_huge() {
    let Some(mut executor) = shared_executor("activations_from_nothing_to_huge") else { return };
    let mut random = Random::new(20);
    let mut values =
        vec![0.0, -0.0, 1.0, -1.0, 2.5e7, -2.5e7, 1e30, -1e30, 1e-30, -1e-30, 88.8, -88.8, 20.0, -20.0];
    values.extend(random.values(2000, 6.0));
    values.extend(random.values(500, 0.01));
    values.extend(random.values(500, 60.0));
    values.extend(random.wild(485, 1e9));
    for activation in ACTIVATIONS {
        // 3499 is odd on purpose.
        let mut builder = Builder::new(1, 1);
        let input = builder.activation(&values);
        builder.step(Operation::Activate { input, activation }, values.len());
        let expected: Vec<f64> = wide(&values).iter().map(|&x| reference::activate(activation, x)).collect();
        let found = builder.run(&mut executor);
        // In proportion to the argument where the function goes on growing, and 2e-7 around zero.
        assert_close(&format!("{activation:?}"), &expected, &found, Tolerance::new(2e-7, 6e-7));
    }
}

#[test]
fn add_with_and_without_scale() {
    let Some(mut executor) = shared_executor("add") else { return };
    let mut random = Random::new(30);
    for (rows, features) in [(1, 1), (7, 3), (65, 513), (512, 128)] {
        for scaled in [false, true] {
            let (input, added) = (random.wild(rows * features, 2.5e7), random.wild(rows * features, 1e4));
            let scale = random.wild(features, 3.0);
            let mut builder = Builder::new(1, rows);
            let operation = Operation::Add {
                input: builder.activation(&input),
                residual: Residual {
                    buffer: builder.activation(&added),
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
fn embedding_of_neighbours_edges_and_ids_past_the_end() {
    let Some(mut executor) = shared_executor("embedding") else { return };
    let mut random = Random::new(40);
    for (batch, sequence, size) in [(1, 1, 1), (1, 1, 128), (3, 5, 7), (2, 512, 33), (2, 70, 128)] {
        for (trigram, form) in both_with([Form::Floats, Form::Bytes]) {
            let vocabulary = random.between(1, 50);
            let table = Matrix::new(&mut random, form, vocabulary, size);
            let rows = table.floats();
            let mut builder = Builder::new(batch, sequence);
            builder.inputs.input_ids = (0..batch * sequence)
                .map(|_| if random.below(5) == 0 { PAST_THE_END } else { random.below(vocabulary) as u32 })
                .collect();
            let vector = |batch: usize, token: isize| -> Vec<f32> {
                let inside = (0..sequence as isize).contains(&token);
                match inside.then(|| builder.inputs.input_ids[batch * sequence + token as usize]) {
                    Some(id) if id != PAST_THE_END => rows[id as usize * size..][..size].to_vec(),
                    _ => vec![0.0; size],
                }
            };
            let shifts: &[isize] = if trigram { &[1, 0, -1] } else { &[0] };
            let mut expected = Vec::new();
            for b in 0..batch {
                for token in 0..sequence as isize {
                    shifts.iter().for_each(|shift| expected.extend(vector(b, token + shift)));
                }
            }
            let table = builder.add(table.values(), Role::Table);
            builder.step(Operation::Embedding { table, trigram }, expected.len());
            let what = format!("{batch} x {sequence} x {size}, trigram {trigram}, {form:?}");
            assert_eq!(expected, builder.run(&mut executor), "{what}");
        }
    }
}

/// Without and with something else, for each of these.
fn both_with<T: Copy, const N: usize>(these: [T; N]) -> impl Iterator<Item = (bool, T)> {
    [false, true].into_iter().flat_map(move |other| these.map(|this| (other, this)))
}

#[test]
fn position_with_and_without_each_term() {
    let forms = [(Form::Floats, Form::Floats), (Form::Floats, Form::Bytes), (Form::Bytes, Form::Floats)];
    let mut random = Random::new(50);
    for (batch, sequence, size) in [(1, 1, 1), (2, 9, 5), (3, 512, 12), (1, 130, 512)] {
        for (with_input, with_types) in both_with([false, true]) {
            for forms in forms {
                let positions = Matrix::new(&mut random, forms.0, sequence + 3, size);
                let types = with_types.then(|| Matrix::new(&mut random, forms.1, 2, size));
                let input = with_input.then(|| random.values(batch * sequence * size, 4.0));
                check_position(&mut random, (batch, sequence), &positions, types.as_ref(), input.as_deref());
            }
        }
    }
}

fn check_position(
    random: &mut Random,
    (batch, sequence): (usize, usize),
    positions: &Matrix,
    types: Option<&Matrix>,
    input: Option<&[f32]>,
) {
    let Some(mut executor) = shared_executor("position") else { return };
    let rows = batch * sequence;
    let mut builder = Builder::new(batch, sequence);
    builder.inputs.token_type_ids = (0..rows).map(|_| random.below(2) as u32).collect();
    let position_rows = positions.floats();
    let type_rows = types.map(Matrix::floats);
    let size = position_rows.len() / (sequence + 3);
    let expected: Vec<f64> = (0..rows * size)
        .map(|i| {
            let (row, feature) = (i / size, i % size);
            let kind = builder.inputs.token_type_ids[row] as usize;
            let terms = [
                Some(position_rows[row % sequence * size + feature]),
                type_rows.as_ref().map(|types| types[kind * size + feature]),
                input.map(|input| input[i]),
            ];
            terms.into_iter().flatten().map(f64::from).sum()
        })
        .collect();
    let operation = Operation::Position {
        input: input.map(|input| builder.activation(input)),
        position: builder.add(positions.values(), Role::Table),
        token_type: types.map(|types| builder.add(types.values(), Role::Table)),
    };
    builder.step(operation, rows * size);
    let what = format!("{batch} x {sequence}, {positions:?}, {types:?}, input {}", input.is_some());
    // Terms may cancel: what is lost is in proportion to the largest.
    assert_close(&what, &expected, &builder.run(&mut executor), Tolerance::new(1e-5, 1e-6));
}

#[test]
fn layer_norm_of_small_huge_and_shifted_rows() {
    let Some(mut executor) = shared_executor("layer_norm") else { return };
    let mut random = Random::new(60);
    for (rows, features) in [(1, 1), (3, 2), (5, 63), (512, 128), (17, 1025), (2, 4096)] {
        for size in SIZES {
            for shift in [0.0, 8.0 * size] {
                let input: Vec<f32> = random.wild(rows * features, size).iter().map(|x| x + shift).collect();
                let (weight, bias) = (random.wild(features, 2.0), random.wild(features, 2.0));
                let epsilon = 1e-12f32;
                let expected = reference::layer_norm(&input, &weight, &bias, epsilon);
                let condition = wide(&input).chunks(features).fold(0.0, |worst: f64, row| {
                    let mean = row.iter().sum::<f64>() / features as f64;
                    let variance = row.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / features as f64;
                    let largest = row.iter().fold(0.0, |largest: f64, x| largest.max(x.abs()));
                    worst.max(largest / (variance + f64::from(epsilon)).sqrt())
                });
                let mut builder = Builder::new(1, rows);
                let operation = Operation::LayerNorm {
                    input: builder.activation(&input),
                    weight: builder.parameter(&[features], &weight),
                    bias: builder.parameter(&[features], &bias),
                    features,
                    epsilon,
                };
                builder.step(operation, rows * features);
                let what = format!("{rows} x {features} of {size:e} around {shift:e}");
                // Differences from the mean lose what the mean itself is rounded by.
                let tolerance = Tolerance::new(4e-7 * condition + 2e-6, 1e-5);
                assert_close(&what, &expected, &builder.run(&mut executor), tolerance);
            }
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Heads {
    batch: usize,
    sequence: usize,
    heads: usize,
    head_size: usize,
    /// Size of the scores.
    scores: f32,
}

impl Heads {
    fn tokens(&self) -> usize {
        self.batch * self.sequence
    }

    fn features(&self) -> usize {
        self.heads * self.head_size
    }

    /// The fused kernel, and the two it replaces, in turn.
    fn check(self, random: &mut Random) {
        let Some(mut executor) = shared_executor("attention") else { return };
        let len = self.tokens() * self.features();
        let size = (self.scores / (self.head_size as f32).sqrt()).sqrt();
        let (query, key) = (random.wild(len, size), random.wild(len, size));
        let value = random.wild(len, 3.0);
        let mask = random.mask(self.batch, self.sequence, true);
        let [b, s, h, d] = [self.batch, self.sequence, self.heads, self.head_size].map(|x| x as u32);
        let parameters = AttentionParameters { batch: b, sequence: s, heads: h, head_size: d };
        let probabilities = reference::probabilities(&parameters, &mask, &query, &key);
        let context = reference::context(&parameters, &probabilities, &value);
        // A score's rounding error comes out as a relative error of its exponential.
        let relative = 4e-7 * f64::from(self.scores) + 1e-5;
        let Heads { batch, sequence, heads, head_size, .. } = self;

        let mut builder = Builder::new(batch, sequence);
        builder.inputs.attention_mask = mask;
        let query = builder.activation(&query);
        let key = builder.activation(&key);
        let value = builder.activation(&value);
        let unfused = Operation::AttentionProbabilities { query, key, heads, head_size };
        let rows = builder.step(unfused, probabilities.len());
        let found = builder.run(&mut executor);
        assert_close(
            &format!("probabilities {self:?}"),
            &probabilities,
            &found,
            Tolerance::new(relative / 4.0, relative),
        );

        let unfused = Operation::AttentionContext { probabilities: rows, value, heads, head_size };
        builder.step(unfused, len);
        let tolerance = Tolerance::new(3.0 * relative, relative);
        assert_close(&format!("context {self:?}"), &context, &builder.run(&mut executor), tolerance);

        builder.step(Operation::Attention { query, key, value, heads, head_size }, len);
        assert_close(&format!("attention {self:?}"), &context, &builder.run(&mut executor), tolerance);
    }
}

#[test]
fn attention_over_random_shapes() {
    let mut random = Random::new(70);
    for _ in 0..40 {
        let heads = Heads {
            batch: random.between(1, 3),
            sequence: random.between(1, 90),
            heads: random.between(1, 5),
            head_size: random.between(1, 70),
            scores: [1.0, 10.0, 1e4][random.below(3)],
        };
        heads.check(&mut random);
    }
}

#[test]
fn attention_at_the_edges() {
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
        Heads { batch, sequence, heads, head_size, scores }.check(&mut random);
    }
}

#[test]
fn attention_with_every_key_masked_is_zero() {
    let Some(mut executor) = shared_executor("attention_with_every_key_masked_is_zero") else { return };
    let mut random = Random::new(72);
    let (sequence, heads, head_size) = (70, 2, 16);
    let len = 2 * sequence * heads * head_size;
    let mut builder = Builder::new(2, sequence);
    // The second sequence sees its last key only: the first tiles of keys are masked in full.
    builder.inputs.attention_mask = vec![0; 2 * sequence];
    builder.inputs.attention_mask[2 * sequence - 1] = 1;
    let values = random.values(len, 1.0);
    let query = builder.activation(&random.values(len, 100.0));
    let key = builder.activation(&random.values(len, 100.0));
    let value = builder.activation(&values);
    builder.step(Operation::Attention { query, key, value, heads, head_size }, len);
    let found = builder.run(&mut executor);
    let features = heads * head_size;
    assert!(found[..len / 2].iter().all(|&x| x == 0.0), "a masked sequence is not zeros");
    let last = &values[len - features..];
    for row in found[len / 2..].chunks(features) {
        assert_eq!(row, last, "the one key that is seen has all the weight");
    }
}
