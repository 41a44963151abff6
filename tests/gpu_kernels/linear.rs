//! `linear` with weights in every format.

use mobilebert::gpu::Tile;
use mobilebert::kernels::linear::LinearParameters;
use mobilebert::kernels::{self, COLUMN_MULTIPLE, Columns};
use mobilebert::plan::{Activation, Residual, Role};

use crate::support::compare::{Tolerance, assert_close};
use crate::support::gpu::{Builder, shared_executor};
use crate::support::matrix::{Matrix, Precision, SIZES, precisions_of};
use crate::support::random::Random;
use crate::support::reference::{self, ACTIVATIONS};

#[derive(Clone, Copy, Debug)]
struct Case {
    precision: Precision,
    rows: usize,
    depth: usize,
    columns: usize,
    size: f32,
    activation: Activation,
    residual: bool,
    scale: bool,
    /// Unused floats between the rows of the input, and of the residual.
    gap: usize,
    /// True if input, weight and residual start after the first column or row.
    part: bool,
}

impl Case {
    fn random(random: &mut Random, rows: usize, depth: usize, columns: usize) -> Self {
        let residual = random.below(2) == 1;
        Case {
            precision: *random.choose(precisions_of(depth)),
            rows,
            depth,
            columns,
            size: SIZES[random.below(4)],
            activation: ACTIVATIONS[random.below(6)],
            residual,
            scale: residual && random.below(2) == 1,
            gap: if random.below(3) == 0 { random.below(70) } else { 0 },
            part: random.below(2) == 1,
        }
    }

    fn check(self, random: &mut Random) {
        let Some(mut executor) = shared_executor("linear") else { return };
        let Case { rows, depth, columns, size, activation, .. } = self;
        let (stride, residual_stride) = (depth + self.gap, columns + self.gap);
        let first = if self.part { random.between(0, self.gap) } else { 0 };
        let outputs = if self.part { COLUMN_MULTIPLE * random.below(3) } else { 0 };
        let outputs = outputs..outputs + columns;
        let weight_rows = outputs.end + if self.part { random.below(20) } else { 0 };
        let input = random.mixed_magnitudes(rows * stride, size);
        let weight = Matrix::new(random, self.precision, weight_rows, depth);
        let bias = random.mixed_magnitudes(weight_rows, size);
        let added = random.mixed_magnitudes(rows * residual_stride, size);
        let scale = random.mixed_magnitudes(columns, 2.0);

        let parameters = LinearParameters {
            rows: rows as u32,
            in_features: depth as u32,
            out_features: columns as u32,
            row_stride: stride as u32,
            input_first: first as u32,
            weight_rows: weight_rows as u32,
            weight_first: outputs.start as u32,
            residual_stride: residual_stride as u32,
            residual_first: first as u32,
            activation: activation as u32,
            has_residual: self.residual.into(),
            has_scale: self.scale.into(),
        };
        let expected = reference::linear(&parameters, &input, &weight.floats(), &bias, &added, &scale);

        let mut builder = Builder::new(1, rows);
        let input = Columns { buffer: builder.activation(&input), stride, first };
        let weight = builder.add(weight.values(), Role::Matrix);
        let bias = builder.parameter(&[weight_rows], &bias);
        let residual = self.residual.then(|| Residual {
            from: Columns { buffer: builder.activation(&added), stride: residual_stride, first },
            scale: self.scale.then(|| builder.parameter(&[columns], &scale)),
        });
        let operation = kernels::Linear { input, rows, weight, bias, outputs, activation, residual };
        builder.step(operation, rows * columns);
        // Rounding errors are proportional to the magnitudes of the summands, not to the sum.
        let absolute = 2e-7 * f64::from(size) * ((depth as f64).sqrt() + 10.0) + 4e-7;
        for tile in [Tile::Wide, Tile::Short] {
            executor.set_tile(Some(tile));
            let found = builder.run(&mut executor);
            assert_close(&format!("{self:?} {tile:?}"), &expected, &found, Tolerance::new(absolute, 2e-6));
        }
    }
}

#[test]
fn linear_matches_its_formula_for_random_shapes() {
    let mut random = Random::new(10);
    for _ in 0..100 {
        let (rows, depth, columns) = (random.between(1, 70), random.between(1, 200), random.between(1, 90));
        let depth = if random.below(3) == 0 { depth.next_multiple_of(32) } else { depth };
        Case::random(&mut random, rows, depth, columns).check(&mut random);
    }
}

#[test]
fn linear_matches_its_formula_at_tile_boundaries() {
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
        // From here on, there are enough tiles for the wide kernel.
        (4097, 5, 3),
        (1, 7, 8193),
        (513, 128, 530),
        (700, 37, 401),
    ] {
        for &precision in precisions_of(depth) {
            Case { precision, ..Case::random(&mut random, rows, depth, columns) }.check(&mut random);
        }
    }
}

#[test]
fn linear_with_a_row_stride_reads_only_the_first_tokens() {
    let Some(mut executor) = shared_executor("linear_with_a_row_stride_reads_only_the_first_tokens") else {
        return;
    };
    let mut random = Random::new(12);
    let (batch, sequence, depth) = (3, 5, 7);
    let input = random.values(batch * sequence * depth, 1.0);
    let identity: Vec<f32> = (0..depth * depth).map(|i| f32::from(u8::from(i % (depth + 1) == 0))).collect();
    let mut builder = Builder::new(batch, sequence);
    let buffer = builder.activation(&input);
    let weight = builder.parameter(&[depth, depth], &identity);
    let bias = builder.parameter(&[depth], &vec![0.0; depth]);
    let operation = kernels::Linear {
        input: Columns::all(buffer, sequence * depth),
        rows: batch,
        weight,
        bias,
        outputs: 0..depth,
        activation: Activation::Identity,
        residual: None,
    };
    builder.step(operation, batch * depth);
    let expected: Vec<f32> = input.chunks(sequence * depth).flat_map(|text| text[..depth].to_vec()).collect();
    assert_eq!(expected, builder.run(&mut executor));
}
