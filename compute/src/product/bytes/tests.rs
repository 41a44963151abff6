//! Compares sums of products with exact integers.

use crate::packed::pack_bytes;
use crate::panels::{Panels, StridedRows};
use crate::product::Product;
use crate::simd::{IntLanes, Lanes, Simd, Task};

struct LargestInteger;

impl Task for LargestInteger {
    type Output = i16;

    #[inline(always)]
    fn run<V: Lanes<L>, const L: usize, const MR: usize>(self) -> i16 {
        V::Ints::PLANES.largest()
    }
}

/// A single-group row whose largest magnitude is the largest integer has a scale of 1.
#[test]
fn integers_are_multiplied_exactly_by_every_instruction_set() {
    let mut state = 1u32;
    let mut random = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as i32
    };
    for simd in Simd::available() {
        let largest = i32::from(simd.run(LargestInteger));
        for (rows, depth, columns) in [(1, 1, 1), (3, 5, 9), (17, 128, 33), (130, 127, 40)] {
            let mut input: Vec<i32> =
                (0..rows * depth).map(|_| random() % (2 * largest + 1) - largest).collect();
            for (index, row) in input.chunks_mut(depth).enumerate() {
                match index {
                    0 => row.fill(largest),
                    1 => row.fill(-largest),
                    _ => row[index % depth] = if index % 2 == 0 { largest } else { -largest },
                }
            }
            let mut weight: Vec<i8> = (0..columns * depth).map(|_| random() as i8).collect();
            weight[..depth].fill(i8::MIN);
            let panels = pack_bytes(&weight, depth, simd.lanes(), simd.adjacent());
            let floats: Vec<f32> = input.iter().map(|&value| value as f32).collect();
            let mut output = vec![f32::NAN; rows * columns];
            Product {
                input: StridedRows { data: &floats, stride: depth },
                rows,
                panels: Panels::I8(&panels),
                depth,
                columns,
                output: &mut output,
                output_stride: columns,
                epilogue: None,
            }
            .run(simd);
            for (row, output) in input.chunks(depth).zip(output.chunks(columns)) {
                let dot = |column: &[i8]| -> i32 {
                    row.iter().zip(column).map(|(value, &weight)| value * i32::from(weight)).sum()
                };
                let expected: Vec<f32> = weight.chunks(depth).map(|column| dot(column) as f32).collect();
                assert_eq!(output, expected, "{}: {rows} × {depth} × {columns}", simd.name());
            }
        }
    }
}

/// Nine outliers, of which eight can stay floats. The last three are found together, after the larger ones.
#[test]
fn of_more_outliers_than_fit_the_largest_stay_floats() {
    let outliers = [1.0, 1.0, 1.0, 1e3, 1e6, 1e9, 1e12, 1e15, 1e18];
    for descending in [false, true] {
        let mut input = [1e-3f32; 128];
        input[..9].copy_from_slice(&outliers);
        if descending {
            input[..9].reverse();
        }
        // Each output is one of the input values.
        let weight: Vec<i8> = (0..128 * 128).map(|at| i8::from(at / 128 == at % 128)).collect();
        for simd in Simd::available() {
            let panels = pack_bytes(&weight, 128, simd.lanes(), simd.adjacent());
            let mut output = [f32::NAN; 128];
            Product {
                input: StridedRows { data: &input, stride: 128 },
                rows: 1,
                panels: Panels::I8(&panels),
                depth: 128,
                columns: 128,
                output: &mut output,
                output_stride: 128,
                epilogue: None,
            }
            .run(simd);
            for (found, expected) in output.iter().zip(input) {
                assert!((found - expected).abs() < 1e-4, "{}: {found} for {expected}", simd.name());
            }
        }
    }
}
