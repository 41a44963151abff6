//! `embedding` and `position`, their tables in floats and in 8 bits.

use mobilebert::kernels::{Embedding, Position};
use mobilebert::plan::{PAD_ID, Role};

use crate::support::compare::{Tolerance, assert_close};
use crate::support::gpu::{Builder, shared_executor};
use crate::support::matrix::{Form, Matrix};
use crate::support::random::Random;

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
    let operation = Position {
        input: input.map(|input| builder.activation(input)),
        position: builder.add(positions.values(), Role::Table),
        token_type: types.map(|types| builder.add(types.values(), Role::Table)),
    };
    builder.step(operation, rows * size);
    let what = format!("{batch} x {sequence}, {positions:?}, {types:?}, input {}", input.is_some());
    // Terms may cancel: what is lost is in proportion to the largest.
    assert_close(&what, &expected, &builder.run(&mut executor), Tolerance::new(1e-5, 1e-6));
}
