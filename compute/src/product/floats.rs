//! The product with panels of floats.

use super::{AllRows, MicroKernel, Operands, OutputBlock, upcoming};
use crate::panels::{CompactPanels, StridedRows};
use crate::simd::{Lanes, Simd};

/// Floats per panel block: 16 KiB, which stay in the L1 cache.
pub const PANEL_BLOCK: usize = 4096;

/// Panels of floats and the input rows to multiply with them.
pub struct FloatOperands<'a> {
    panels: FloatPanels<'a>,
    depth: usize,
    input: StridedRows<'a>,
    block: usize,
}

/// Floats, or floats in fewer bits.
pub enum FloatPanels<'a> {
    F32(&'a [f32]),
    /// One block of a panel at a time is unpacked into `block`, which stays in the L1 cache.
    Compact {
        panels: CompactPanels<'a>,
        block: &'a mut [f32; PANEL_BLOCK],
    },
}

impl<'a> FloatOperands<'a> {
    /// `depth` is the full length of the dot products.
    pub fn new(panels: FloatPanels<'a>, depth: usize) -> Self {
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
        let (at, index, next) = (start(at), at.0, start(next));
        let (panel, upcoming) = match &mut self.panels {
            FloatPanels::F32(panels) => (&panels[at..][..len], upcoming(panels, next, len)),
            FloatPanels::Compact { panels, block } => {
                panels.unpack(index, at..at + len, &mut block[..len], simd);
                (&block[..len], panels.upcoming(next, len))
            }
        };
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
        V::multiply_panel::<M>(self.input.from(row, 0), panel, self.block.tile(row));
    }
}
