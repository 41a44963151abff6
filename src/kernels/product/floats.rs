//! The product with panels of floats.

use super::{AllRows, MicroKernel, Operands, OutputBlock};
use crate::kernels::panels::StridedRows;
use crate::kernels::simd::{Lanes, Simd};

/// Floats per panel block: 16 KiB, which stay in the L1 cache.
const PANEL_BLOCK: usize = 4096;

/// Panels of floats and the input rows to multiply with them.
pub struct FloatOperands<'a> {
    panels: &'a [f32],
    depth: usize,
    input: StridedRows<'a>,
    block: usize,
}

impl<'a> FloatOperands<'a> {
    /// `depth` is the full length of the dot products.
    pub fn new(panels: &'a [f32], depth: usize) -> Self {
        FloatOperands { panels, depth, input: StridedRows { data: &[], stride: 0 }, block: 0 }
    }
}

impl<'a> Operands<'a> for FloatOperands<'a> {
    fn depth_block(&self, simd: Simd) -> usize {
        PANEL_BLOCK / simd.lanes()
    }

    fn set_input(&mut self, input: StridedRows<'a>, _: usize, depth: usize, _: Simd) {
        self.input = input;
        self.block = depth;
    }

    fn multiply_panel(
        &mut self,
        at: (usize, usize),
        next: (usize, usize),
        block: OutputBlock<'_>,
        simd: Simd,
    ) {
        let (lanes, len) = (simd.lanes(), self.block * simd.lanes());
        let start = |(panel, first)| (panel * self.depth + first) * lanes;
        let panel = &self.panels[start(at)..][..len];
        let upcoming = self.panels.get(start(next)..).unwrap_or_default();
        let upcoming = &upcoming[..len.min(upcoming.len())];
        simd.run(AllRows { kernel: FloatMicroKernel { input: self.input, panel, block }, upcoming, simd });
    }
}

/// Multiplies a block of rows with a block of a panel.
struct FloatMicroKernel<'a> {
    input: StridedRows<'a>,
    panel: &'a [f32],
    block: OutputBlock<'a>,
}

impl<'a> MicroKernel<'a> for FloatMicroKernel<'a> {
    #[inline(always)]
    fn block(&mut self) -> &mut OutputBlock<'a> {
        &mut self.block
    }

    #[inline(always)]
    fn tile<V: Lanes<L>, const L: usize, const M: usize>(&mut self, row: usize) {
        let (panel, _) = self.panel.as_chunks::<L>();
        let len = panel.len();
        let rows: [&[f32]; M] =
            std::array::from_fn(|index| &self.input.data[(row + index) * self.input.stride..][..len]);
        let mut accumulators = [V::zero(); M];
        for position in 0..len {
            // SAFETY: the panel has `len` entries. (The compiler doesn't remove the bounds check, which would cost a compare
            // and a branch per iteration.)
            let right = V::load(unsafe { panel.get_unchecked(position) });
            for index in 0..M {
                // SAFETY: every row was cut to `len` entries above.
                let left = unsafe { *rows[index].get_unchecked(position) };
                accumulators[index] = accumulators[index].add_scaled(left, right);
            }
        }
        for (index, sum) in accumulators.into_iter().enumerate() {
            self.block.store(row + index, sum);
        }
    }
}
