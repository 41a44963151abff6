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
        self.store::<V, L>(row, &accumulators, panel);
    }
}

impl PairMicroKernel<'_> {
    /// Stores the sums of a tile. In WebAssembly, tiles of all heights share one copy.
    #[cfg_attr(target_arch = "wasm32", inline(never))]
    #[cfg_attr(not(target_arch = "wasm32"), inline(always))]
    fn store<V: Lanes<L>, const L: usize>(&mut self, row: usize, sums: &[V::Ints], panel: &[[Pair; L]]) {
        let mut to = self.block.tile(row);
        for (index, (&sums, group)) in sums.iter().zip(&self.groups[row..]).enumerate() {
            to.store_row(index, scaled::<V, _, L, _>(sums, group, panel));
        }
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

    #[inline(always)]
    fn tile<V: Lanes<L>, const L: usize, const M: usize>(&mut self, row: usize) {
        let (panel, _) = self.panel.as_chunks::<L>();
        let rows: &[_; M] = self.rows[row..].first_chunk().expect("a tile ends within its block");
        let mut sums = [V::Ints::zero(); M];
        V::Ints::multiply_planes(rows, panel, &mut sums);
        self.store::<V, L>(row, &sums, panel);
    }
}

impl QuadMicroKernel<'_> {
    /// Stores the sums of a tile. In WebAssembly, tiles of all heights share one copy.
    #[inline(always)]
    fn store<V: Lanes<L>, const L: usize>(&mut self, row: usize, sums: &[V::Ints], panel: &[[Quad; L]]) {
        let mut to = self.block.tile(row);
        for (index, (&sums, group)) in sums.iter().zip(&self.groups[row..]).enumerate() {
            let sums = without_offset::<V, L>(sums, self.sums);
            to.store_row(index, scaled::<V, _, L, _>(sums, group, panel));
        }
    }
}

/// Subtracts the products of the high plane's offset with the weights, of which `weights` has the sums.
#[inline(always)]
fn without_offset<V: Lanes<L>, const L: usize>(sums: V::Ints, weights: &[Pair]) -> V::Ints {
    let planes = V::Ints::PLANES;
    match weights.first_chunk() {
        Some(weights) if planes.offset() != 0 => {
            let offset = -(i16::from(planes.offset()) << planes.bits());
            sums.add_products([offset, 0], V::Ints::load(weights))
        }
        _ => sums,
    }
}

/// A row's sums of products of integers, multiplied by the scale of its group, plus the products of the outliers.
#[inline(always)]
fn scaled<V: Lanes<L>, T: Copy + Into<i16>, const L: usize, const A: usize>(
    sums: V::Ints,
    group: &Group,
    panel: &[[[T; A]; L]],
) -> V {
    let mut scaled = V::zero().add_scaled(group.scale, V::from_ints(sums));
    for &(position, value) in group.outliers() {
        let weights = panel[position / A].map(|weights| f32::from(weights[position % A].into()));
        scaled = scaled.add_scaled(value, V::load(&weights));
    }
    scaled
}
