//! Sums of products against integers.

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

/// A row of one group whose largest magnitude is the largest integer has the scale 1.
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
