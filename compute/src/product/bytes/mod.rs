//! The product with panels of 8-bit weights: input rows are quantized to 16-bit integers, so that products and sums are
//! exact in 32 bits.
//!
//! A row is split into groups, each with its own scale, and the largest magnitude in a group maps to 32,639,
//! or to 8,191 where only 14 bits can be used. The few values beyond [`group::OUTLIER_RATIO`] times the mean
//! magnitude stay floats, because scaling for them would cost the other values precision; hidden states of
//! trained networks have such outliers, in the millions. The rounding error of a value is therefore less than
//! 1/2000 of its group's mean magnitude, about a hundred times less than the error of quantizing the weight
//! to 8 bits; it is larger only in a group with more than eight outliers, of which the eight largest stay
//! floats. In return, each instruction computes twice as many products as with floats.
//!
//! Where instructions multiply pairs of 16-bit integers, weights are widened to 16 bits. Where they multiply
//! four bytes at a time, the input is split into two planes of bytes instead, and the sums are the same.
//! WebAssembly's relaxed dot products are only exact on every processor if the input's bytes have seven bits,
//! hence the 14.

mod group;
mod micro_kernels;
mod panel;
#[cfg(test)]
mod tests;

use self::group::{Group, Quantize, SplitIntoPlanes};
use self::micro_kernels::{PairMicroKernel, QuadMicroKernel};
use self::panel::{SumWeights, Widen};
use super::{AllRows, CacheAligned, Operands, OutputBlock, ROW_BLOCK, upcoming};
use crate::panels::StridedRows;
use crate::simd::Simd;

/// Values per group. A sum is at most 32,639 · 128 · 128, a quarter of the range of `i32`.
const GROUP_SIZE: usize = 128;

/// Pairs of values per group.
const GROUP_PAIRS: usize = GROUP_SIZE / 2;

/// Four adjacent values per group.
const GROUP_QUADS: usize = GROUP_SIZE / 4;

/// Two adjacent values of a row, or the two weights to multiply them with.
type Pair = [i16; 2];

/// Four adjacent bytes of a plane, or the four weights to multiply them with.
type Quad = [i8; 4];

/// Panels of bytes and the input rows to multiply with them.
pub struct ByteOperands<'a> {
    panels: &'a [i8],
    depth: usize,
    /// The integers of the current group, or their planes.
    rows: CacheAligned<[Pair; GROUP_PAIRS], ROW_BLOCK>,
    groups: [Group; ROW_BLOCK],
    /// Number of values in the current group, zero-padded to a multiple of the adjacent ones.
    len: usize,
    /// Widened pairs of weights.
    panel: CacheAligned<Pair, { GROUP_PAIRS * Simd::MAX_LANES }>,
}

impl<'a> ByteOperands<'a> {
    /// `depth` is the full length of the dot products.
    pub fn new(panels: &'a [i8], depth: usize) -> Self {
        let (rows, panel) = (CacheAligned([[[0; 2]; _]; _]), CacheAligned([[0; 2]; _]));
        ByteOperands { panels, depth, rows, groups: [Group::EMPTY; _], len: 0, panel }
    }
}

impl<'a> Operands<'a> for ByteOperands<'a> {
    fn depth_block(&self, _: Simd) -> usize {
        GROUP_SIZE
    }

    fn set_input(&mut self, input: StridedRows<'a>, rows: usize, depth: usize, simd: Simd) {
        self.len = depth.next_multiple_of(simd.adjacent());
        let to = self.rows.0.iter_mut().zip(&mut self.groups).take(rows);
        for (row, (to, group)) in to.enumerate() {
            let from = &input.data[row * input.stride..][..depth];
            let to = to.as_flattened_mut();
            simd.run(Quantize { from, to: &mut *to, group });
            if Simd::HAS_BYTE_PRODUCTS && simd.adjacent() == 4 {
                simd.run(SplitIntoPlanes(to));
            }
        }
    }

    fn multiply_panel(
        &mut self,
        at: (usize, usize),
        next: (usize, usize),
        block: OutputBlock<'_>,
        simd: Simd,
    ) {
        let (lanes, len) = (simd.lanes(), self.len * simd.lanes());
        let depth = self.depth.next_multiple_of(simd.adjacent());
        let start = |(panel, first)| (panel * depth + first) * lanes;
        let panel = &self.panels[start(at)..][..len];
        let upcoming = upcoming(self.panels, start(next), len);
        let groups = &self.groups;
        if Simd::HAS_BYTE_PRODUCTS && simd.adjacent() == 4 {
            let rows = bytemuck::cast_ref(&self.rows.0);
            let (panel, _) = panel.as_chunks();
            let sums = &mut self.panel.0[..lanes];
            simd.run(SumWeights { panel, to: &mut *sums });
            let kernel = QuadMicroKernel { rows, groups, panel, sums, block };
            simd.run(AllRows { kernel, upcoming, simd });
            return;
        }
        let widened = &mut self.panel.0[..len / 2];
        simd.run(Widen { from: panel, to: widened.as_flattened_mut() });
        let kernel = PairMicroKernel { rows: &self.rows.0, groups, panel: widened, block };
        simd.run(AllRows { kernel, upcoming, simd });
    }
}
