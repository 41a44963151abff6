//! Sums of products of floats.

use super::{Factors, InTiles, Part, Tiles};
use crate::kernels::panels::Rows;
use crate::kernels::simd::{Lanes, Simd};

/// Floats of a panel's block, which stays in the first cache: 16 KiB.
const PANEL_BLOCK: usize = 4096;

/// Panels of floats, and the rows that pass over them.
pub struct Floats<'a> {
    panels: &'a [f32],
    depth: usize,
    input: Rows<'a>,
    block: usize,
}

impl<'a> Floats<'a> {
    /// Panels of sums `depth` long.
    pub fn new(panels: &'a [f32], depth: usize) -> Self {
        Floats { panels, depth, input: Rows { data: &[], stride: 0 }, block: 0 }
    }
}

impl<'a> Factors<'a> for Floats<'a> {
    fn depth_block(&self, simd: Simd) -> usize {
        PANEL_BLOCK / simd.lanes()
    }

    fn begin(&mut self, input: Rows<'a>, _: usize, depth: usize, _: Simd) {
        self.input = input;
        self.block = depth;
    }

    fn sums(&mut self, panel: usize, first: usize, part: Part<'_>, simd: Simd) {
        let lanes = simd.lanes();
        let panel = &self.panels[(panel * self.depth + first) * lanes..][..self.block * lanes];
        simd.run(InTiles(Sums { input: self.input, panel, part }));
    }
}

/// A block of rows times a block of a panel.
struct Sums<'a> {
    input: Rows<'a>,
    panel: &'a [f32],
    part: Part<'a>,
}

impl Tiles for Sums<'_> {
    #[inline(always)]
    fn rows(&self) -> usize {
        self.part.rows
    }

    #[inline(always)]
    fn tile<V: Lanes<L>, const L: usize, const M: usize>(&mut self, row: usize) {
        let (panel, _) = self.panel.as_chunks::<L>();
        let len = panel.len();
        let rows: [&[f32]; M] =
            std::array::from_fn(|index| &self.input.data[(row + index) * self.input.stride..][..len]);
        let mut sums = [V::zero(); M];
        for position in 0..len {
            // SAFETY: the panel has `len` entries. (Checked, the loop costs a compare and a branch for every step, which
            // the compiler does not see to be needless.)
            let right = V::load(unsafe { panel.get_unchecked(position) });
            for index in 0..M {
                // SAFETY: every row was cut to `len` entries above.
                let left = unsafe { *rows[index].get_unchecked(position) };
                sums[index] = sums[index].add_scaled(left, right);
            }
        }
        for (index, sum) in sums.into_iter().enumerate() {
            self.part.store(row + index, sum);
        }
    }
}
