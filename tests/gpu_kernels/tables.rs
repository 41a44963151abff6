//! `embedding` and `position` with tables in every format.

use mobilebert::kernels::{Embedding, Position};
use mobilebert::plan::{PAD_ID, Role};

use crate::support::compare::{Tolerance, assert_close};
use crate::support::gpu::{Builder, shared_executor};
use crate::support::matrix::{Matrix, Precision, precisions_of};
use crate::support::random::Random;

#[test]
fn embedding_gathers_word_vectors_with_zeros_for_padding() {
    let Some(mut executor) = shared_executor("embedding") else { return };
    let mut random = Random::new(40);
    for (batch, sequence, size) in [(1, 1, 1), (1, 1, 128), (3, 5, 7), (2, 512, 33), (2, 70, 128)] {
        for (trigram, precision) in both(precisions_of(size)) {
            let vocabulary = random.between(1, 50);
            let table = Matrix::new(&mut random, precision, vocabulary, size);
            let rows = table.floats();
            let mut builder = Builder::new(batch, sequence);
            builder.inputs.input_ids = (0..batch * sequence)
                .map(|_| if random.below(5) == 0 { PAD_ID } else { random.below(vocabulary) as u32 })
                .collect();
            let vector = |batch: usize, token: isize| -> Vec<f32> {
                let inside = (0..sequence as isize).contains(&token);
                match inside.then(|| builder.inputs.input_ids[batch * sequence + token as usize]) {
                    Some(id) if id != PAD_ID => rows[id as usize * size..][..size].to_vec(),
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
            builder.step(Embedding { table, trigram }, expected.len());
            let what = format!("{batch} x {sequence} x {size}, trigram {trigram}, {precision:?}");
            assert_eq!(expected, builder.run(&mut executor), "{what}");
        }
    }
}

/// Pairs of `false` and `true` with each value.
fn both<T: Copy>(values: &[T]) -> impl Iterator<Item = (bool, T)> {
    [false, true].into_iter().flat_map(move |flag| values.iter().map(move |value| (flag, *value)))
}

#[test]
fn position_adds_only_the_terms_that_are_present() {
    let precisions = [
        (Precision::F32, Precision::F16),
        (Precision::F32, Precision::Q8),
        (Precision::Q8, Precision::F32),
        (Precision::F16, Precision::F32),
    ];
    let mut random = Random::new(50);
    for (batch, sequence, size) in [(1, 1, 1), (2, 9, 5), (3, 512, 12), (1, 130, 512)] {
        for (with_input, with_types) in both(&[false, true]) {
            for (position, token_type) in precisions {
                let positions = Matrix::new(&mut random, position, sequence + 3, size);
                let types = with_types.then(|| Matrix::new(&mut random, token_type, 2, size));
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
    let operation = Position {
        input: input.map(|input| builder.activation(input)),
        position: builder.add(positions.values(), Role::Table),
        token_type: types.map(|types| builder.add(types.values(), Role::Table)),
    };
    builder.step(operation, rows * size);
    let what = format!("{batch} x {sequence}, {positions:?}, {types:?}, input {}", input.is_some());
    // Terms may cancel, so the error is relative to the largest.
    assert_close(&what, &expected, &builder.run(&mut executor), Tolerance::new(1e-5, 1e-6));
}
