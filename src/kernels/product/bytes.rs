//! Sums of products of a weight in 8 bits: rows become whole numbers of 16 bits, products and sums are exact in 32.
//!
//! A row is cut into groups, each with a scale of its own. Its largest value becomes 32,767; but a few that are beyond
//! [`LARGE`] times the mean are left in floats, so that they do not cost their neighbours their bits (hidden states of
//! trained networks have such places, and they hold millions). So a value is off by less than a two-thousandth of its
//! group's mean, some hundred times less than the weight was when it became bytes; what it buys is twice as many
//! products an instruction.

use super::{Factors, InTiles, Part, ROW_BLOCK, Tiles};
use crate::kernels::functions;
use crate::kernels::panels::{Rows, pairs};
use crate::kernels::simd::{Lanes, Simd, Task, Whole};

/// Values with a scale of their own. 32,767 · 128 · 128 is a quarter of what 32 bits hold.
const GROUP: usize = 128;

/// A value is large beyond so many times the mean size of the others.
const LARGE: f32 = 32.0;

/// So many of a group may be.
const MOST_LARGE: usize = 8;

/// Pairs of a group.
const PAIRS: usize = pairs(GROUP);

/// Two neighbours of a row, or the two weights that they are multiplied by.
type Pair = [i16; 2];

/// Panels of bytes, and the rows that pass over them.
pub struct Bytes<'a> {
    panels: &'a [i8],
    depth: usize,
    rows: Block<[Pair; PAIRS], ROW_BLOCK>,
    groups: [Group; ROW_BLOCK],
    /// Pairs of this group.
    len: usize,
    panel: Block<Pair, { PAIRS * Simd::MOST_LANES }>,
}

/// What a group of a row is beside its whole numbers.
#[derive(Clone, Copy)]
struct Group {
    /// Gives the numbers their values back.
    scale: f32,
    /// Places and values of what is too large to be among them.
    large: [(usize, f32); MOST_LARGE],
    large_len: usize,
}

impl Group {
    const EMPTY: Group = Group { scale: 0.0, large: [(0, 0.0); _], large_len: 0 };

    fn large(&self) -> &[(usize, f32)] {
        &self.large[..self.large_len]
    }
}

/// Starts on a cache line, so that no vector load crosses two.
#[repr(align(64))]
struct Block<T, const N: usize>([T; N]);

impl<'a> Bytes<'a> {
    /// Panels of sums `depth` long.
    pub fn new(panels: &'a [i8], depth: usize) -> Self {
        let (rows, panel) = (Block([[[0; 2]; _]; _]), Block([[0; 2]; _]));
        Bytes { panels, depth, rows, groups: [Group::EMPTY; _], len: 0, panel }
    }
}

impl<'a> Factors<'a> for Bytes<'a> {
    fn depth_block(&self, _: Simd) -> usize {
        GROUP
    }

    fn begin(&mut self, input: Rows<'a>, rows: usize, depth: usize, simd: Simd) {
        self.len = pairs(depth);
        let to = self.rows.0.iter_mut().zip(&mut self.groups).take(rows);
        for (row, (to, group)) in to.enumerate() {
            let from = &input.data[row * input.stride..][..depth];
            simd.run(Round { from, to: to.as_flattened_mut(), group });
        }
    }

    fn sums(&mut self, panel: usize, first: usize, part: Part<'_>, simd: Simd) {
        let lanes = simd.lanes();
        let first = (panel * pairs(self.depth) + pairs(first)) * lanes;
        let (from, _) = self.panels.as_chunks::<2>();
        let from = &from[first..][..self.len * lanes];
        let to = &mut self.panel.0[..from.len()];
        simd.run(Widen { from: from.as_flattened(), to: to.as_flattened_mut() });
        simd.run(InTiles(Sums {
            rows: &self.rows.0,
            groups: &self.groups,
            len: self.len,
            panel: &self.panel.0,
            part,
        }));
    }
}

/// A group of a row → whole numbers, zeros behind them.
struct Round<'a> {
    from: &'a [f32],
    to: &'a mut [i16],
    group: &'a mut Group,
}

impl Task for Round<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<L>, const L: usize, const R: usize>(self) {
        let group = self.group;
        group.large_len = 0;
        let (mut largest, sum) = functions::sizes(self.from);
        let mut bound = LARGE * (sum / self.from.len() as f32);
        while largest > bound && group.large_len < MOST_LARGE {
            (largest, bound) = group.take_large(self.from, bound);
        }
        // Where that is infinite or NaN, so is every sum, whatever the numbers are.
        group.scale = largest / f32::from(i16::MAX);
        let factor = f32::from(i16::MAX) / largest;
        let (values, rest) = self.to.split_at_mut(self.from.len());
        for (to, from) in values.iter_mut().zip(self.from) {
            // The sum's low bits are the nearest whole number, in two's complement.
            *to = (from * factor + ROUND).to_bits() as i16;
        }
        rest.fill(0);
        for &(place, _) in group.large() {
            values[place] = 0;
        }
    }
}

impl Group {
    /// Keeps what is larger than the bound. Returns the largest size of the others, and the bound that is theirs.
    fn take_large(&mut self, from: &[f32], bound: f32) -> (f32, f32) {
        self.large_len = 0;
        let (mut largest, mut sum) = (0.0f32, 0.0);
        for (place, &value) in from.iter().enumerate() {
            match self.large.get_mut(self.large_len) {
                Some(large) if value.abs() > bound => {
                    *large = (place, value);
                    self.large_len += 1;
                }
                _ => {
                    largest = largest.max(value.abs());
                    sum += value.abs();
                }
            }
        }
        (largest, LARGE * (sum / (from.len() - self.large_len) as f32))
    }
}

/// 1.5 · 2²³.
const ROUND: f32 = 12_582_912.0;

/// Bytes → the same in 16 bits.
struct Widen<'a> {
    from: &'a [i8],
    to: &'a mut [i16],
}

impl Task for Widen<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<L>, const L: usize, const R: usize>(self) {
        for (to, &from) in self.to.iter_mut().zip(self.from) {
            *to = i16::from(from);
        }
    }
}

/// A block of rows times a block of a panel.
struct Sums<'a> {
    rows: &'a [[Pair; PAIRS]],
    groups: &'a [Group],
    len: usize,
    panel: &'a [Pair],
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
        let rows: &[_; M] = self.rows[row..].first_chunk().expect("a tile ends within its block");
        assert!(self.len <= PAIRS && self.len <= panel.len(), "a group fits its blocks");
        let mut sums = [V::Whole::zero(); M];
        for position in 0..self.len {
            // SAFETY: `position` is below `len`, for which this was asserted above.
            let right = V::Whole::load(unsafe { panel.get_unchecked(position) });
            for (sum, row) in sums.iter_mut().zip(rows) {
                // SAFETY: as above.
                let left = unsafe { *row.get_unchecked(position) };
                *sum = sum.add_products(left, right);
            }
        }
        for (index, sum) in sums.into_iter().enumerate() {
            let group = &self.groups[row + index];
            let mut sum = V::zero().add_scaled(group.scale, V::from_whole(sum));
            for &(place, value) in group.large() {
                let weights = panel[place / 2].map(|pair| f32::from(pair[place % 2]));
                sum = sum.add_scaled(value, V::load(&weights));
            }
            self.part.store(row + index, sum);
        }
    }
}
