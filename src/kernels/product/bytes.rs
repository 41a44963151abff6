//! The product with panels of 8-bit weights: input rows are quantized to 16-bit integers, so that products and sums are
//! exact in 32 bits.
//!
//! A row is split into groups, each with its own scale, and the largest magnitude in a group maps to 32,639, or 8,191 where
//! only 14 bits can be used. The few
//! values beyond [`OUTLIER_RATIO`] times the mean magnitude stay floats, because scaling to them would take precision from
//! the other values; hidden states of trained networks have such outliers, in the millions. The rounding error of a value
//! is therefore less than 1/2000 of its group's mean magnitude, about a hundred times less than the error of quantizing the
//! weight to 8 bits. In return, each instruction computes twice as many products as with floats.
//!
//! Where an instruction multiplies pairs of 16-bit integers, weights are widened to them. Where one multiplies four bytes
//! at a time, the input is split into two planes of bytes instead, and the sums are the same. WebAssembly's relaxed dot
//! products are only exact on every processor if the input's bytes have seven bits, hence the 14.

use super::{AllRows, MicroKernel, Operands, OutputBlock, ROW_BLOCK};
use crate::kernels::functions;
use crate::kernels::panels::StridedRows;
use crate::kernels::simd::{IntLanes, Lanes, Simd, Task};

/// Values per group. A sum is at most 32,639 · 128 · 128, a quarter of the range of `i32`.
const GROUP_SIZE: usize = 128;

/// A value is an outlier if its magnitude is more than this many times the mean magnitude of the others.
const OUTLIER_RATIO: f32 = 32.0;

/// Maximum number of outliers per group.
const MAX_OUTLIERS: usize = 8;

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
    /// Values in the current group, zero-padded to as many as are adjacent.
    len: usize,
    /// Pairs that are multiplied, widened.
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
        let upcoming = self.panels.get(start(next)..).unwrap_or_default();
        let upcoming = &upcoming[..len.min(upcoming.len())];
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
        let limit = f32::from(V::Ints::PLANES.largest());
        group.scale = largest / limit;
        let factor = limit / largest;
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

/// Replaces a row's integers by two planes of bytes, the high one first.
struct SplitIntoPlanes<'a>(&'a mut [i16]);

impl Task for SplitIntoPlanes<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<L>, const L: usize, const MR: usize>(self) {
        let mut planes = [[0i8; GROUP_SIZE]; 2];
        let [high, low] = &mut planes;
        for ((high, low), &value) in high.iter_mut().zip(low).zip(&*self.0) {
            [*high, *low] = V::Ints::PLANES.split(value);
        }
        bytemuck::cast_slice_mut(self.0).copy_from_slice(planes.as_flattened());
    }
}

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

/// Adds up the weights of each column, and pairs the sums with zeros. Only done where a plane has an offset.
struct SumWeights<'a> {
    panel: &'a [Quad],
    to: &'a mut [Pair],
}

impl Task for SumWeights<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<L>, const L: usize, const MR: usize>(self) {
        if V::Ints::PLANES.offset() == 0 {
            return;
        }
        let mut sum = V::Ints::zero();
        for weights in self.panel.as_chunks::<L>().0 {
            sum = sum.add_byte_products([1; 4], weights);
        }
        let mut sums = [0.0; L];
        V::from_ints(sum).store(&mut sums);
        for (to, sum) in self.to.iter_mut().zip(sums) {
            // At most 128 weights of at most 128.
            *to = [sum as i16, 0];
        }
    }
}

/// Multiplies a block of rows with a block of a panel, in pairs of 16-bit integers.
struct PairMicroKernel<'a> {
    rows: &'a [[Pair; GROUP_PAIRS]],
    groups: &'a [Group],
    panel: &'a [Pair],
    block: OutputBlock<'a>,
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
struct QuadMicroKernel<'a> {
    /// The planes of each row.
    rows: &'a [[[Quad; GROUP_QUADS]; 2]; ROW_BLOCK],
    groups: &'a [Group],
    panel: &'a [Quad],
    /// The sum of each column's weights, where the high plane has an offset.
    sums: &'a [Pair],
    block: OutputBlock<'a>,
}

impl<'a> MicroKernel<'a> for QuadMicroKernel<'a> {
    #[inline(always)]
    fn block(&mut self) -> &mut OutputBlock<'a> {
        &mut self.block
    }

    /// The high planes first, so that one accumulator suffices for both.
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
    /// What the sums of products with the high plane start from.
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

/// Stores a tile's sums, multiplied by the scales of their rows' groups, with the products of the outliers.
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

#[cfg(test)]
mod tests {
    use crate::kernels::packed::pack_bytes;
    use crate::kernels::panels::{Panels, StridedRows};
    use crate::kernels::product::Product;
    use crate::kernels::simd::{IntLanes, Lanes, Simd, Task};

    struct LargestInteger;

    impl Task for LargestInteger {
        type Output = i16;

        #[inline(always)]
        fn run<V: Lanes<L>, const L: usize, const MR: usize>(self) -> i16 {
            V::Ints::PLANES.largest()
        }
    }

    /// A row of one group whose largest magnitude is the largest integer has the scale 1.
    #[test]
    fn integers_are_multiplied_exactly_by_every_instruction_set() {
        let mut state = 1u32;
        let mut random = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as i32
        };
        for simd in Simd::available() {
            let largest = i32::from(simd.run(LargestInteger));
            for (rows, depth, columns) in [(1, 1, 1), (3, 5, 9), (17, 128, 33), (130, 127, 40)] {
                let mut input: Vec<i32> =
                    (0..rows * depth).map(|_| random() % (2 * largest + 1) - largest).collect();
                for (index, row) in input.chunks_mut(depth).enumerate() {
                    match index {
                        0 => row.fill(largest),
                        1 => row.fill(-largest),
                        _ => row[index % depth] = if index % 2 == 0 { largest } else { -largest },
                    }
                }
                let mut weight: Vec<i8> = (0..columns * depth).map(|_| random() as i8).collect();
                weight[..depth].fill(i8::MIN);
                let panels = pack_bytes(&weight, depth, simd.lanes(), simd.adjacent());
                let floats: Vec<f32> = input.iter().map(|&value| value as f32).collect();
                let mut output = vec![f32::NAN; rows * columns];
                Product {
                    input: StridedRows { data: &floats, stride: depth },
                    rows,
                    panels: Panels::I8(&panels),
                    depth,
                    columns,
                    output: &mut output,
                    output_stride: columns,
                    epilogue: None,
                }
                .run(simd);
                for (row, output) in input.chunks(depth).zip(output.chunks(columns)) {
                    let dot = |column: &[i8]| -> i32 {
                        row.iter().zip(column).map(|(value, &weight)| value * i32::from(weight)).sum()
                    };
                    let expected: Vec<f32> = weight.chunks(depth).map(|column| dot(column) as f32).collect();
                    assert_eq!(output, expected, "{}: {rows} × {depth} × {columns}", simd.name());
                }
            }
        }
    }
}
