//! The CPU twins that read 8 bits: against f64 over the dequantised values, in each instruction set of this machine and
//! with several threads.

mod support;

use mobilebert::kernels::embedding::{self, EmbeddingParameters};
use mobilebert::kernels::linear::{self, LinearOperands, LinearParameters};
use mobilebert::kernels::position::{self, PositionOperands, PositionParameters};
use mobilebert::kernels::{PackedMatrix, Simd, Table, Workers};
use mobilebert::plan::PAST_THE_END;
use support::compare::{Tolerance, assert_close};
use support::cpu::in_every_way;
use support::random::Random;
use support::reference::{self, ACTIVATIONS};

/// Sizes of hidden states in trained networks.
const SIZES: [f32; 4] = [1e-3, 1.0, 1e4, 2.5e7];

/// A matrix in 8 bits.
struct Matrix {
    values: Vec<i8>,
    scales: Vec<f32>,
    columns: usize,
}

impl Matrix {
    /// Every byte there is, and scales of both signs that differ by magnitudes from row to row; some rows are zeros.
    fn new(random: &mut Random, rows: usize, columns: usize) -> Self {
        let values = (0..rows * columns).map(|_| random.bits() as i8).collect();
        let mut scales = random.wild(rows, 1.0 / 127.0);
        scales.iter_mut().filter(|_| random.below(9) == 0).for_each(|scale| *scale = 0.0);
        Matrix { values, scales, columns }
    }

    fn dequantised(&self) -> Vec<f32> {
        let rows = self.values.chunks(self.columns).zip(&self.scales);
        rows.flat_map(|(row, scale)| row.iter().map(move |value| f32::from(*value) * scale)).collect()
    }

    fn packed(&self, simd: Simd) -> PackedMatrix {
        PackedMatrix::from_q8(&self.values, self.scales.clone(), self.columns, simd)
    }

    fn table(&self) -> Table {
        Table::from_q8(self.values.clone(), self.scales.clone(), self.columns)
    }
}

fn linear_case(random: &mut Random, rows: usize, in_features: usize, out_features: usize) {
    let size = SIZES[random.below(4)];
    let row_stride = in_features + if random.below(3) == 0 { random.below(70) } else { 0 };
    let has_residual = u32::from(random.below(2) == 1);
    let parameters = LinearParameters {
        rows: rows as u32,
        in_features: in_features as u32,
        out_features: out_features as u32,
        row_stride: row_stride as u32,
        activation: ACTIVATIONS[random.below(6)] as u32,
        has_residual,
        has_scale: has_residual * random.below(2) as u32,
    };
    let weight = Matrix::new(random, out_features, in_features);
    let input = random.wild(rows * row_stride, size);
    let bias = random.wild(out_features, size);
    let residual = random.wild(rows * out_features, size);
    let scale = random.wild(out_features, 2.0);
    let expected = reference::linear(&parameters, &input, &weight.dequantised(), &bias, &residual, &scale);
    // Rounding is in proportion to the sizes summed up, not to the sum.
    let depth = in_features as f64;
    let tolerance = Tolerance::new(2e-7 * f64::from(size) * (depth.sqrt() + 10.0) + 2e-7, 2e-6);
    for (name, found) in in_every_way(expected.len(), |output, workers| {
        let operands = LinearOperands {
            input_values: &input,
            weight: &weight.packed(workers.simd()),
            bias: &bias,
            residual: if has_residual == 1 { &residual } else { &[] },
            scale: if parameters.has_scale == 1 { &scale } else { &[] },
        };
        linear::run(&parameters, &operands, output, workers);
    }) {
        assert_close(&format!("{name}: {parameters:?} of {size:e}"), &expected, &found, tolerance);
    }
}

#[test]
fn linear_over_random_shapes() {
    let mut random = Random::new(30);
    for _ in 0..60 {
        let (rows, depth, columns) = (random.between(1, 70), random.between(1, 200), random.between(1, 90));
        linear_case(&mut random, rows, depth, columns);
    }
}

#[test]
fn linear_at_the_edges_of_its_blocks() {
    let mut random = Random::new(31);
    for (rows, depth, columns) in [
        (1, 1, 1),
        (1, 512, 2),
        (1, 513, 40),
        (512, 3, 5),
        (128, 128, 16),
        (129, 255, 15),
        (127, 257, 17),
        (257, 512, 8),
        (13, 513, 33),
        (7, 1025, 9),
        (2, 4096, 7),
        (300, 64, 1),
    ] {
        linear_case(&mut random, rows, depth, columns);
    }
}

#[test]
fn a_row_does_not_depend_on_the_rows_beside_it() {
    let mut random = Random::new(32);
    let (depth, columns) = (600, 40);
    let weight = Matrix::new(&mut random, columns, depth);
    let (input, bias) = (random.values(150 * depth, 1.0), random.values(columns, 1.0));
    for simd in Simd::available() {
        let workers = Workers::new(1, simd).unwrap();
        let weight = weight.packed(simd);
        let compute = |rows: usize| {
            let parameters = LinearParameters {
                rows: rows as u32,
                in_features: depth as u32,
                out_features: columns as u32,
                row_stride: depth as u32,
                ..Default::default()
            };
            let operands = LinearOperands {
                input_values: &input,
                weight: &weight,
                bias: &bias,
                residual: &[],
                scale: &[],
            };
            let mut output = vec![0.0; rows * columns];
            linear::run(&parameters, &operands, &mut output, &workers);
            output
        };
        let all = compute(150);
        for rows in (1..20).chain([127, 128, 129]) {
            assert_eq!(compute(rows), all[..rows * columns], "{} with {rows} rows", simd.name());
        }
    }
}

#[test]
fn matrices_and_tables_stay_in_8_bits() {
    let weight = Matrix::new(&mut Random::new(33), 48, 100);
    assert_eq!(weight.table().bytes(), 48 * 100 + 48 * 4);
    for simd in Simd::available() {
        assert_eq!(weight.packed(simd).bytes(), 48 * 100 + 48 * 4, "{}", simd.name());
    }
}

#[test]
fn embedding_multiplies_a_row_by_its_scale() {
    let mut random = Random::new(34);
    let (batch, sequence, size, vocabulary) = (3, 11, 21, 50);
    let words = Matrix::new(&mut random, vocabulary, size);
    let ids: Vec<u32> = (0..batch * sequence)
        .map(|_| if random.below(5) == 0 { PAST_THE_END } else { random.below(vocabulary) as u32 })
        .collect();
    for trigram in [0, 1] {
        let parameters = EmbeddingParameters {
            batch: batch as u32,
            sequence: sequence as u32,
            embedding_size: size as u32,
            trigram,
        };
        let len = batch * sequence * size * if trigram == 1 { 3 } else { 1 };
        let gather = |table: &Table| {
            in_every_way(len, |output, workers| embedding::run(&parameters, &ids, table, output, workers))
        };
        assert_eq!(gather(&words.table()), gather(&Table::from_f32(words.dequantised(), size)));
    }
}

#[test]
fn position_multiplies_a_row_by_its_scale() {
    let mut random = Random::new(35);
    let (batch, sequence, size) = (3, 17, 21);
    let (positions, types) = (Matrix::new(&mut random, 30, size), Matrix::new(&mut random, 2, size));
    let input = random.values(batch * sequence * size, 5.0);
    let ids: Vec<u32> = (0..batch * sequence).map(|_| random.below(2) as u32).collect();
    let floats = |matrix: &Matrix| Table::from_f32(matrix.dequantised(), size);
    for has_input in [0, 1] {
        let parameters = PositionParameters {
            batch: batch as u32,
            sequence: sequence as u32,
            hidden_size: size as u32,
            has_input,
            has_token_type: 1,
        };
        let compute = |position: &Table, token_type: &Table| {
            let operands = PositionOperands {
                token_type_ids: &ids,
                input_values: if has_input == 1 { &input } else { &[] },
                position,
                token_type: Some(token_type),
            };
            in_every_way(input.len(), |output, workers| {
                position::run(&parameters, &operands, output, workers)
            })
        };
        let expected = compute(&floats(&positions), &floats(&types));
        assert_eq!(compute(&positions.table(), &types.table()), expected);
    }
}
