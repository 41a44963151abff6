//! Matrices and tables in their stored format: their memory, and that a table's row is read as its values
//! times its scales.

mod support;

use mobilebert::kernels::embedding::{self, EmbeddingParameters};
use mobilebert::kernels::position::{self, PositionOperands, PositionParameters};
use mobilebert::kernels::{Simd, Table};
use mobilebert::plan::PAD_ID;
use support::cpu::with_every_simd;
use support::matrix::{Matrix, Precision, precisions_of};
use support::random::Random;

#[test]
fn matrices_and_tables_keep_their_bits() {
    for (precision, bytes) in [
        (Precision::F32, 64 * 96 * 4),
        (Precision::F16, 64 * 96 * 2 + 64 * 4),
        (Precision::Q8, 64 * 96 + 64 * 4),
        (Precision::Q4, 64 * 96 / 2 + 64 * 3 * 2 + 64 * 4),
    ] {
        let weight = Matrix::new(&mut Random::new(33), precision, 64, 96);
        assert_eq!(weight.table().bytes(), bytes, "{precision:?}");
        for simd in Simd::available() {
            assert_eq!(weight.packed(simd).bytes(), bytes, "{precision:?}, {}", simd.name());
        }
    }
}

#[test]
fn embedding_reads_rows_of_every_format_like_their_floats() {
    let mut random = Random::new(34);
    for size in [21, 64] {
        for &precision in precisions_of(size) {
            check_embedding(&mut random, precision, size);
        }
    }
}

fn check_embedding(random: &mut Random, precision: Precision, size: usize) {
    let (batch, sequence, vocabulary) = (3, 11, 50);
    let words = Matrix::new(random, precision, vocabulary, size);
    let ids: Vec<u32> = (0..batch * sequence)
        .map(|_| if random.below(5) == 0 { PAD_ID } else { random.below(vocabulary) as u32 })
        .collect();
    for trigram in [0, 1] {
        let parameters = EmbeddingParameters {
            batch: batch as u32,
            sequence: sequence as u32,
            embedding_size: size as u32,
            trigram,
            ..Default::default()
        };
        let len = batch * sequence * size * if trigram == 1 { 3 } else { 1 };
        let gather = |table: &Table| {
            with_every_simd(len, |output, workers| embedding::run(&parameters, &ids, table, output, workers))
        };
        let floats = Table::from_f32(words.floats(), size);
        assert_eq!(gather(&words.table()), gather(&floats), "{precision:?}, {size}");
    }
}

#[test]
fn position_adds_rows_of_every_format_like_their_floats() {
    let mut random = Random::new(35);
    for size in [21, 64] {
        for &precision in precisions_of(size) {
            check_position(&mut random, precision, size);
        }
    }
}

fn check_position(random: &mut Random, precision: Precision, size: usize) {
    let (batch, sequence) = (3, 17);
    let [positions, types] = [30, 2].map(|rows| Matrix::new(random, precision, rows, size));
    let input = random.values(batch * sequence * size, 5.0);
    let ids: Vec<u32> = (0..batch * sequence).map(|_| random.below(2) as u32).collect();
    let floats = |matrix: &Matrix| Table::from_f32(matrix.floats(), size);
    for has_input in [0, 1] {
        let parameters = PositionParameters {
            batch: batch as u32,
            sequence: sequence as u32,
            hidden_size: size as u32,
            has_input,
            has_token_type: 1,
            ..Default::default()
        };
        let compute = |position: &Table, token_type: &Table| {
            let operands = PositionOperands {
                token_type_ids: &ids,
                input_values: if has_input == 1 { &input } else { &[] },
                position,
                token_type: Some(token_type),
            };
            with_every_simd(input.len(), |output, workers| {
                position::run(&parameters, &operands, output, workers)
            })
        };
        let expected = compute(&floats(&positions), &floats(&types));
        let found = compute(&positions.table(), &types.table());
        assert_eq!(found, expected, "{precision:?}, {size}");
    }
}
