//! Q8 matrices and tables: their memory, and that a row is read as its bytes times its scale.

mod support;

use mobilebert::kernels::embedding::{self, EmbeddingParameters};
use mobilebert::kernels::position::{self, PositionOperands, PositionParameters};
use mobilebert::kernels::{Simd, Table};
use mobilebert::plan::PAD_ID;
use support::cpu::with_every_simd;
use support::matrix::{Matrix, Precision};
use support::random::Random;

#[test]
fn q8_matrices_and_tables_stay_in_8_bits() {
    let weight = Matrix::new(&mut Random::new(33), Precision::Q8, 64, 100);
    assert_eq!(weight.table().bytes(), 64 * 100 + 64 * 4);
    for simd in Simd::available() {
        assert_eq!(weight.packed(simd).bytes(), 64 * 100 + 64 * 4, "{}", simd.name());
    }
}

#[test]
fn embedding_multiplies_a_row_by_its_scale() {
    let mut random = Random::new(34);
    let (batch, sequence, size, vocabulary) = (3, 11, 21, 50);
    let words = Matrix::new(&mut random, Precision::Q8, vocabulary, size);
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
        assert_eq!(gather(&words.table()), gather(&Table::from_f32(words.floats(), size)));
    }
}

#[test]
fn position_multiplies_a_row_by_its_scale() {
    let mut random = Random::new(35);
    let (batch, sequence, size) = (3, 17, 21);
    let (positions, types) =
        (Matrix::new(&mut random, Precision::Q8, 30, size), Matrix::new(&mut random, Precision::Q8, 2, size));
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
        assert_eq!(compute(&positions.table(), &types.table()), expected);
    }
}
