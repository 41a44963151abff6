//! The product with panels of 8-bit weights: input rows are quantized to 16-bit integers, so that products and sums are
//! exact in 32 bits.
//!
//! A row is split into groups, each with its own scale, and the largest magnitude in a group maps to 32,767. The few
//! values beyond [`OUTLIER_RATIO`] times the mean magnitude stay floats, because scaling to them would take precision from
//! the other values; hidden states of trained networks have such outliers, in the millions. The rounding error of a value
//! is therefore less than 1/2000 of its group's mean magnitude, about a hundred times less than the error of quantizing the
//! weight to 8 bits. In return, each instruction computes twice as many products as with floats.

use super::{AllRows, MicroKernel, Operands, OutputBlock, ROW_BLOCK};
use crate::kernels::functions;
use crate::kernels::panels::{StridedRows, pairs};
use crate::kernels::simd::{IntLanes, Lanes, Simd, Task};

/// Values per group. A sum is at most 32,767 · 128 · 128, a quarter of the range of `i32`.
const GROUP_SIZE: usize = 128;

/// A value is an outlier if its magnitude is more than this many times the mean magnitude of the others.
const OUTLIER_RATIO: f32 = 32.0;

/// Maximum number of outliers per group.
const MAX_OUTLIERS: usize = 8;

/// Pairs of values per group.
const GROUP_PAIRS: usize = pairs(GROUP_SIZE);

/// Two adjacent values of a row, or the two weights to multiply them with.
type Pair = [i16; 2];

/// Panels of bytes and the input rows to multiply with them.
pub struct ByteOperands<'a> {
    panels: &'a [i8],
    depth: usize,
    rows: CacheAligned<[Pair; GROUP_PAIRS], ROW_BLOCK>,
    groups: [Group; ROW_BLOCK],
    /// Pairs in the current group.
    len: usize,
    panel: CacheAligned<Pair, { GROUP_PAIRS * Simd::MAX_LANES }>,
}

/// The scale and outliers of one group of a row.
#[derive(Clone, Copy)]
struct Group {
    /// Multiplied with the integers to get the values.
    scale: f32,
    /// Positions and values of the outliers, which are zero among the integers.
    outliers: [(usize, f32); MAX_OUTLIERS],
    outlier_count: usize,
}

impl Group {
    const EMPTY: Group = Group { scale: 0.0, outliers: [(0, 0.0); _], outlier_count: 0 };

    fn outliers(&self) -> &[(usize, f32)] {
        &self.outliers[..self.outlier_count]
    }
}

/// An array aligned to a cache line, so that no vector load crosses a line boundary.
#[repr(align(64))]
struct CacheAligned<T, const N: usize>([T; N]);

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
        self.len = pairs(depth);
        let to = self.rows.0.iter_mut().zip(&mut self.groups).take(rows);
        for (row, (to, group)) in to.enumerate() {
            let from = &input.data[row * input.stride..][..depth];
            simd.run(Quantize { from, to: to.as_flattened_mut(), group });
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
        let start = |(panel, first)| (panel * pairs(self.depth) + pairs(first)) * lanes;
        let (panels, _) = self.panels.as_chunks::<2>();
        let from = &panels[start(at)..][..len];
        let upcoming = panels.get(start(next)..).unwrap_or_default();
        let upcoming = &upcoming[..len.min(upcoming.len())];
        let to = &mut self.panel.0[..from.len()];
        simd.run(Widen { from: from.as_flattened(), to: to.as_flattened_mut() });
        let kernel = ByteMicroKernel {
            rows: &self.rows.0,
            groups: &self.groups,
            len: self.len,
            panel: &self.panel.0,
            block,
        };
        simd.run(AllRows { kernel, upcoming, simd });
    }
}

/// Quantizes one group of a row to 16-bit integers and zero-pads them to whole pairs.
struct Quantize<'a> {
    from: &'a [f32],
    to: &'a mut [i16],
    group: &'a mut Group,
}

impl Task for Quantize<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<L>, const L: usize, const MR: usize>(self) {
        let group = self.group;
        group.outlier_count = 0;
        let (mut largest, sum) = functions::max_and_sum_of_magnitudes(self.from);
        let mut bound = OUTLIER_RATIO * (sum / self.from.len() as f32);
        while largest > bound && group.outlier_count < MAX_OUTLIERS {
            (largest, bound) = group.take_outliers(self.from, bound);
        }
        // If the scale is infinite or NaN, so is every sum, whatever the integers are.
        group.scale = largest / f32::from(i16::MAX);
        let factor = f32::from(i16::MAX) / largest;
        let (values, rest) = self.to.split_at_mut(self.from.len());
        for (to, from) in values.iter_mut().zip(self.from) {
            // The low bits of the sum are the nearest integer in two's complement.
            *to = (from * factor + ROUND_TO_INTEGER).to_bits() as i16;
        }
        rest.fill(0);
        for &(position, _) in group.outliers() {
            values[position] = 0;
        }
    }
}

impl Group {
    /// Records the values beyond `bound` as outliers. Returns the largest magnitude of the others and their new bound.
    fn take_outliers(&mut self, from: &[f32], bound: f32) -> (f32, f32) {
        self.outlier_count = 0;
        let (mut largest, mut sum) = (0.0f32, 0.0);
        for (position, &value) in from.iter().enumerate() {
            match self.outliers.get_mut(self.outlier_count) {
                Some(outlier) if value.abs() > bound => {
                    *outlier = (position, value);
                    self.outlier_count += 1;
                }
                _ => {
                    largest = largest.max(value.abs());
                    sum += value.abs();
                }
            }
        }
        (largest, OUTLIER_RATIO * (sum / (from.len() - self.outlier_count) as f32))
    }
}

/// 1.5 · 2²³: adding it to a float rounds to the nearest integer.
const ROUND_TO_INTEGER: f32 = 12_582_912.0;

/// Sign-extends bytes to 16 bits.
struct Widen<'a> {
    from: &'a [i8],
    to: &'a mut [i16],
}

impl Task for Widen<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<L>, const L: usize, const MR: usize>(self) {
        for (to, &from) in self.to.iter_mut().zip(self.from) {
            *to = i16::from(from);
        }
    }
}

/// Multiplies a block of rows with a block of a panel.
struct ByteMicroKernel<'a> {
    rows: &'a [[Pair; GROUP_PAIRS]],
    groups: &'a [Group],
    len: usize,
    panel: &'a [Pair],
    block: OutputBlock<'a>,
}

impl<'a> MicroKernel<'a> for ByteMicroKernel<'a> {
    #[inline(always)]
    fn block(&mut self) -> &mut OutputBlock<'a> {
        &mut self.block
    }

    #[inline(always)]
    fn tile<V: Lanes<L>, const L: usize, const M: usize>(&mut self, row: usize) {
        let (panel, _) = self.panel.as_chunks::<L>();
        let rows: &[_; M] = self.rows[row..].first_chunk().expect("a tile ends within its block");
        assert!(self.len <= GROUP_PAIRS && self.len <= panel.len(), "a group fits in its buffers");
        let mut accumulators = [V::Ints::zero(); M];
        for position in 0..self.len {
            // SAFETY: `position` is below `len`, which was checked above.
            let right = V::Ints::load(unsafe { panel.get_unchecked(position) });
            for (accumulator, row) in accumulators.iter_mut().zip(rows) {
                // SAFETY: as above.
                let left = unsafe { *row.get_unchecked(position) };
                *accumulator = accumulator.add_products(left, right);
            }
        }
        for (index, accumulator) in accumulators.into_iter().enumerate() {
            let group = &self.groups[row + index];
            let mut sum = V::zero().add_scaled(group.scale, V::from_ints(accumulator));
            for &(position, value) in group.outliers() {
                let weights = panel[position / 2].map(|pair| f32::from(pair[position % 2]));
                sum = sum.add_scaled(value, V::load(&weights));
            }
            self.block.store(row + index, sum);
        }
    }
}
