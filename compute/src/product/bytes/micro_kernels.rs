//! The micro-kernels: tiles of rows times a block of a panel, in exact integers.

use super::group::Group;
use super::{GROUP_PAIRS, GROUP_QUADS, Pair, Quad};
use crate::product::{MicroKernel, OutputBlock, ROW_BLOCK};
use crate::simd::{IntLanes, Lanes, TileRows};

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
        store::<V, _, L, _>(self.block.tile(row), &accumulators, &self.groups[row..], panel, &[]);
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
        store::<V, _, L, _>(self.block.tile(row), &sums, &self.groups[row..], panel, self.sums);
    }
}

/// Stores the sums of a tile, multiplied by the scales of their rows' groups, plus the products of the outliers. `weights`
/// has the sums to subtract the high plane's offset with, if it has one.
#[inline(always)]
fn store<V: Lanes<L>, T: Copy + Into<i16>, const L: usize, const A: usize>(
    mut to: TileRows<'_>,
    sums: &[V::Ints],
    groups: &[Group],
    panel: &[[[T; A]; L]],
    weights: &[Pair],
) {
    for (row, (&sums, group)) in sums.iter().zip(groups).enumerate() {
        let sums = without_offset::<V, L>(sums, weights);
        to.store_row(row, scaled::<V, _, L, _>(sums, group, panel));
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
