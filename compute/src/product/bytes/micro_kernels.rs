//! The micro-kernels: tiles of rows times a block of a panel, in exact integers.

use super::group::Group;
use super::{GROUP_PAIRS, GROUP_QUADS, Pair, Quad};
use crate::product::{MicroKernel, OutputBlock, ROW_BLOCK};
use crate::simd::{IntLanes, Lanes};

/// Multiplies a block of rows with a block of a panel, in pairs of 16-bit integers.
pub(super) struct PairMicroKernel<'a> {
    pub rows: &'a [[Pair; GROUP_PAIRS]],
    pub groups: &'a [Group],
    pub panel: &'a [Pair],
    pub block: OutputBlock<'a>,
}

impl<'a> MicroKernel<'a> for PairMicroKernel<'a> {
    #[inline(always)]
    fn block(&mut self) -> &mut OutputBlock<'a> {
        &mut self.block
    }

    #[inline(always)]
    fn tile<V: Lanes<L>, const L: usize, const M: usize>(&mut self, row: usize) {
        let (panel, _) = self.panel.as_chunks::<L>();
        let rows: &[_; M] = self.rows[row..].first_chunk().expect("a tile ends within its block");
        let panel = &panel[..panel.len().min(GROUP_PAIRS)];
        let mut accumulators = [V::Ints::zero(); M];
        for (position, right) in panel.iter().enumerate() {
            let right = V::Ints::load(right);
            for (accumulator, row) in accumulators.iter_mut().zip(rows) {
                // SAFETY: `position` is below `GROUP_PAIRS`, to which the panel was cut above.
                let left = unsafe { *row.get_unchecked(position) };
                *accumulator = accumulator.add_products(left, right);
            }
        }
        finish::<V, _, L, M, _>(accumulators, row, self.groups, panel, &mut self.block);
    }
}

/// Multiplies a block of rows with a block of a panel, four bytes at a time.
pub(super) struct QuadMicroKernel<'a> {
    /// The planes of each row.
    pub rows: &'a [[[Quad; GROUP_QUADS]; 2]; ROW_BLOCK],
    pub groups: &'a [Group],
    pub panel: &'a [Quad],
    /// The sum of each column's weights, where the high plane has an offset.
    pub sums: &'a [Pair],
    pub block: OutputBlock<'a>,
}

impl<'a> MicroKernel<'a> for QuadMicroKernel<'a> {
    #[inline(always)]
    fn block(&mut self) -> &mut OutputBlock<'a> {
        &mut self.block
    }

    /// Computes the high planes first, so that one accumulator suffices for both.
    #[inline(always)]
    fn tile<V: Lanes<L>, const L: usize, const M: usize>(&mut self, row: usize) {
        let (panel, _) = self.panel.as_chunks::<L>();
        let rows: &[_; M] = self.rows[row..].first_chunk().expect("a tile ends within its block");
        let panel = &panel[..panel.len().min(GROUP_QUADS)];
        let mut accumulators = [self.start::<V, L>(); M];
        for plane in 0..2 {
            if plane == 1 {
                for accumulator in &mut accumulators {
                    *accumulator = accumulator.shift_high_plane();
                }
            }
            for (position, right) in panel.iter().enumerate() {
                for (accumulator, row) in accumulators.iter_mut().zip(rows) {
                    // SAFETY: `position` is below `GROUP_QUADS`, to which the panel was cut above.
                    let left = unsafe { *row[plane].get_unchecked(position) };
                    *accumulator = accumulator.add_byte_products(left, right);
                }
            }
        }
        finish::<V, _, L, M, _>(accumulators, row, self.groups, panel, &mut self.block);
    }
}

impl QuadMicroKernel<'_> {
    /// The initial value of the sums of products with the high plane.
    #[inline(always)]
    fn start<V: Lanes<L>, const L: usize>(&self) -> V::Ints {
        match self.sums.first_chunk() {
            Some(sums) if V::Ints::PLANES.offset() != 0 => {
                let offset = -i16::from(V::Ints::PLANES.offset());
                V::Ints::zero().add_products([offset, 0], V::Ints::load(sums))
            }
            _ => V::Ints::zero(),
        }
    }
}

/// Stores a tile's sums, multiplied by the scales of their rows' groups, plus the products of the outliers.
#[inline(always)]
fn finish<V: Lanes<L>, T: Copy + Into<i16>, const L: usize, const M: usize, const A: usize>(
    accumulators: [V::Ints; M],
    row: usize,
    groups: &[Group],
    panel: &[[[T; A]; L]],
    block: &mut OutputBlock<'_>,
) {
    for (index, accumulator) in accumulators.into_iter().enumerate() {
        let group = &groups[row + index];
        let mut sum = V::zero().add_scaled(group.scale, V::from_ints(accumulator));
        for &(position, value) in group.outliers() {
            let weights = panel[position / A].map(|weights| f32::from(weights[position % A].into()));
            sum = sum.add_scaled(value, V::load(&weights));
        }
        block.store(row + index, sum);
    }
}
