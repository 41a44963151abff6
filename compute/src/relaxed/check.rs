//! Checks the second module's results before it is used. Engines may implement relaxed instructions in more
//! than one way, and a wrong one must not lead to wrong answers.

use crate::Activation;
use crate::packed::pack_bytes;
use crate::panels::{Panels, StridedRows, pack_rows, panels_len};
use crate::product::{Epilogue, Product};
use crate::simd::{Planes, Simd};

/// Rows of the highest tile.
const MAX_ROWS: usize = 6;

/// A whole group of bytes, and an odd number of floats and of steps.
const DEPTHS: [usize; 2] = [128, 123];

/// A full panel and a narrow one.
const COLUMNS: usize = 11;

/// Checks that `run` computes 8-bit and float products correctly, and doesn't lose NaN.
pub fn results(run: &dyn Fn(Product<'_>)) -> Result<(), &'static str> {
    DEPTHS.into_iter().try_for_each(|depth| results_at(depth, run))
}

#[inline(never)]
fn results_at(depth: usize, run: &dyn Fn(Product<'_>)) -> Result<(), &'static str> {
    let largest = i32::from(Planes::Seven.largest());
    // A row's largest magnitude is the largest integer, so its scale is 1 and every result is an integer.
    let rows = integers(MAX_ROWS, depth, [largest, -largest]);
    let columns = integers(COLUMNS, depth, [i32::from(i8::MAX), i32::from(i8::MIN)]);
    let floats = |values: &[i32]| -> Vec<f32> { values.iter().map(|&value| value as f32).collect() };
    let bytes: Vec<i8> = columns.iter().map(|&value| value as i8).collect();
    let bytes = pack_bytes(&bytes, depth, Simd::BASELINE.lanes(), 4);
    let (input, weight) = (floats(&rows), packed(&floats(&columns), depth));
    for height in 1..=MAX_ROWS {
        let input = StridedRows { data: &input[..height * depth], stride: depth };
        let compute = |panels| product(input, panels, None, run);
        let (in_bytes, in_floats) = (compute(Panels::I8(&bytes)), compute(Panels::F32(&weight)));
        for (index, (byte, float)) in in_bytes.into_iter().zip(in_floats).enumerate() {
            let row = &rows[index / COLUMNS * depth..][..depth];
            let column = &columns[index % COLUMNS * depth..][..depth];
            let exact: i32 = row.iter().zip(column).map(|(&left, &right)| left * right).sum();
            if byte != exact as f32 {
                return Err("its products of bytes are wrong here");
            }
            // Sums of floats up to 2²⁷ are rounded.
            if (float - exact as f32).abs() > 1024.0 {
                return Err("its products of floats are wrong here");
            }
        }
    }
    if !keeps_nan(run, input, depth, &weight) {
        return Err("its activations lose NaN here");
    }
    Ok(())
}

/// Returns whether a row with NaN is still NaN after every activation, in the full panel and in the narrow
/// one: a relaxed minimum or maximum of NaN and a number may be either.
fn keeps_nan(run: &dyn Fn(Product<'_>), mut input: Vec<f32>, depth: usize, weight: &[f32]) -> bool {
    input[0] = f32::NAN;
    Activation::ALL.into_iter().all(|activation| {
        let bias = [0.0; COLUMNS];
        let epilogue = Epilogue { column_scale: None, bias: &bias, activation, residual: None, scale: None };
        let input = StridedRows { data: &input, stride: depth };
        let results = product(input, Panels::F32(weight), Some(epilogue), run);
        results.iter().enumerate().all(|(index, result)| result.is_nan() == (index < COLUMNS))
    })
}

/// `count` rows of integers in a range; each row contains both of its ends.
#[inline(never)]
fn integers(count: usize, depth: usize, [high, low]: [i32; 2]) -> Vec<i32> {
    let mut values = Vec::with_capacity(count * depth);
    for row in 0..count {
        for place in 0..depth {
            let scattered =
                low + (place * 7_919 + row * 104_729 + place * place * 31) as i32 % (high - low + 1);
            values.push(match (row, place) {
                (0, _) | (3.., 0) => high,
                (1, _) | (3.., 1) => low,
                (2, _) if place % 2 == 0 => high,
                (2, _) => low,
                _ => scattered,
            });
        }
    }
    values
}

fn packed(weight: &[f32], depth: usize) -> Vec<f32> {
    let lanes = Simd::BASELINE.lanes();
    let mut panels = vec![0.0; panels_len(depth, COLUMNS, lanes)];
    pack_rows(StridedRows { data: weight, stride: depth }, depth, COLUMNS, lanes, &mut panels);
    panels
}

#[inline(never)]
fn product(
    input: StridedRows<'_>,
    panels: Panels<'_>,
    epilogue: Option<Epilogue<'_>>,
    run: &dyn Fn(Product<'_>),
) -> Vec<f32> {
    let rows = input.data.len() / input.stride;
    let mut output = vec![f32::NAN; rows * COLUMNS];
    run(Product {
        input,
        rows,
        panels,
        depth: input.stride,
        columns: COLUMNS,
        output: &mut output,
        output_stride: COLUMNS,
        epilogue,
    });
    output
}
