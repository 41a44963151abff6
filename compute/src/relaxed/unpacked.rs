//! Products with panels of floats in fewer bits, split into parts that the second module can compute: one
//! unpacked panel of floats each.

use crate::packed::AlignedFloats;
use crate::panels::{CompactPanels, Panels};
use crate::product::{Product, ROW_BLOCK};
use crate::simd::Simd;

/// Calls `compute` for the product of every block of rows with every panel. `panels` are the product's.
pub fn for_each_panel(
    product: Product<'_>,
    panels: CompactPanels<'_>,
    simd: Simd,
    compute: impl Fn(Product<'_>),
) {
    let Product { input, rows, depth, columns, output, output_stride, epilogue, .. } = product;
    let lanes = simd.lanes();
    let mut panel = AlignedFloats::zeros(depth * lanes);
    for first_row in (0..rows).step_by(ROW_BLOCK) {
        for (index, column) in (0..columns).step_by(lanes).enumerate() {
            let start = index * depth * lanes;
            panels.unpack(index, start..start + depth * lanes, panel.as_mut_slice(), simd);
            let width = lanes.min(columns - column);
            compute(Product {
                input: input.from(first_row, 0),
                rows: ROW_BLOCK.min(rows - first_row),
                panels: Panels::F32(panel.as_slice()),
                depth,
                columns: width,
                output: &mut output[first_row * output_stride + column..],
                output_stride,
                epilogue: epilogue.map(|epilogue| epilogue.part(first_row, column..column + width)),
            });
        }
    }
}
