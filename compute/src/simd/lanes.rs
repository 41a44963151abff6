//! The interface that kernels are written against: vectors of floats and of integers.

use super::{Planes, unpack};
use crate::panels::StridedRows;

/// Work that is compiled once per instruction set. `run`, and every function it calls in its loops, must be
/// `#[inline(always)]`: functions that aren't inlined are compiled for the baseline.
pub trait Task {
    /// Result of the task.
    type Output;
    /// Does the work. A GEMM tile of `MR` rows and `L` columns fills the registers.
    fn run<V: Lanes<L>, const L: usize, const MR: usize>(self) -> Self::Output;
}

/// An instruction set's multiplication and addition, for loops over single floats that the compiler vectorizes.
pub trait Arithmetic {
    /// `left · right + addend`, fused if the instruction set supports it.
    fn multiply_add(left: f32, right: f32, addend: f32) -> f32;
}

/// A vector of `L` floats.
pub trait Lanes<const L: usize>: Copy + Arithmetic {
    /// A vector of `L` integers.
    type Ints: IntLanes<L>;
    /// All zero.
    fn zero() -> Self;
    /// Loads from memory.
    fn load(from: &[f32; L]) -> Self;
    /// Rounds integers to the nearest floats.
    fn from_ints(ints: Self::Ints) -> Self;
    /// Converts finite 16-bit floats, given by their bits.
    #[inline(always)]
    fn from_halves(bits: &[u16; L]) -> Self {
        let mut values = [0.0; L];
        for (value, &bits) in values.iter_mut().zip(bits) {
            *value = unpack::half(bits);
        }
        Self::load(&values)
    }
    /// The low and high 4-bit integers of each byte.
    #[inline(always)]
    fn from_nibbles(bytes: &[u8; L]) -> [Self; 2] {
        let mut values = [[0.0; L]; 2];
        for (lane, &byte) in bytes.iter().enumerate() {
            [values[0][lane], values[1][lane]] = unpack::nibbles(byte);
        }
        [Self::load(&values[0]), Self::load(&values[1])]
    }
    /// Stores to memory.
    fn store(self, to: &mut [f32; L]);
    /// `self + factor · other`, fused if the instruction set supports it.
    fn add_scaled(self, factor: f32, other: Self) -> Self;
    /// `self + other`.
    fn add(self, other: Self) -> Self;
    /// `self ∘ other`.
    fn multiply(self, other: Self) -> Self;
    /// The larger of each pair; `other` where `self` is NaN.
    fn max(self, other: Self) -> Self;
    /// `max(self, 0)`; NaN stays NaN.
    fn relu(self) -> Self;
    /// Multiplies `M` rows with a panel. Products are added in the order of the panel's rows.
    #[inline(always)]
    fn multiply_panel<const M: usize>(rows: StridedRows<'_>, panel: &[[f32; L]], to: TileRows<'_>) {
        let len = panel.len();
        let rows: [&[f32]; M] = std::array::from_fn(|index| &rows.data[index * rows.stride..][..len]);
        let mut sums = [Self::zero(); M];
        for position in 0..len {
            // SAFETY: the panel has `len` entries. (The compiler doesn't remove the bounds check, which would cost a
            // compare and a branch per iteration.)
            let right = Self::load(unsafe { panel.get_unchecked(position) });
            for index in 0..M {
                // SAFETY: every row was cut to `len` entries above.
                let left = unsafe { *rows[index].get_unchecked(position) };
                sums[index] = sums[index].add_scaled(left, right);
            }
        }
        to.store(&sums);
    }
    /// Prefetches values into a cache, if the instruction set supports it.
    #[inline(always)]
    fn prefetch<T>(_: &[T]) {}
}

/// The rows of a product that a tile is stored in.
pub struct TileRows<'a> {
    /// Values from the start of the first row.
    pub data: &'a mut [f32],
    /// Distance between the starts of adjacent rows, in floats.
    pub stride: usize,
    /// Columns: as many as a panel has, or fewer for the last one.
    pub width: usize,
    /// True if sums are added to the values instead of replacing them.
    pub add: bool,
}

impl TileRows<'_> {
    /// Stores the sums of all rows.
    #[inline(always)]
    pub fn store<V: Lanes<L>, const L: usize>(mut self, sums: &[V]) {
        for (index, &sums) in sums.iter().enumerate() {
            self.store_row(index, sums);
        }
    }

    /// Stores the sums of one row.
    #[inline(always)]
    pub fn store_row<V: Lanes<L>, const L: usize>(&mut self, row: usize, sums: V) {
        if self.width == L {
            let Some(to) = self.data[row * self.stride..].first_chunk_mut() else { return };
            if self.add { V::load(to).add(sums) } else { sums }.store(to);
        } else {
            let mut values = [0.0; L];
            sums.store(&mut values);
            self.store_narrow(row, &values);
        }
    }

    #[inline(never)]
    fn store_narrow(&mut self, row: usize, sums: &[f32]) {
        let to = &mut self.data[row * self.stride..][..self.width];
        for (to, sum) in to.iter_mut().zip(sums) {
            *to = if self.add { *to + sum } else { *sum };
        }
    }
}

/// A vector of `L` 32-bit sums of products of 16-bit pairs.
pub trait IntLanes<const L: usize>: Copy {
    /// How a row's integers are split for [`IntLanes::add_byte_products`].
    const PLANES: Planes = Planes::Eight;
    /// A vector of `L` pairs.
    type Pairs: Copy;
    /// All zero.
    fn zero() -> Self;
    /// Loads pairs from memory.
    fn load(from: &[[i16; 2]; L]) -> Self::Pairs;
    /// `self + left[0] · right[0] + left[1] · right[1]` in every lane. The products only overflow if all four factors are
    /// `i16::MIN`.
    fn add_products(self, left: [i16; 2], right: Self::Pairs) -> Self;
    /// Converts sums of products with the high plane's bytes to sums of products with the integers:
    /// `self · 2^PLANES.bits()`.
    fn shift_high_plane(self) -> Self;
    /// `self + Σ left[i] · right[i]` in every lane. Only used if four values of a row are adjacent.
    #[inline(always)]
    fn add_byte_products(self, left: [i8; 4], right: &[[i8; 4]; L]) -> Self {
        let [a, b, c, d] = left.map(i16::from);
        let half = |first: usize| right.map(|right| [right[first].into(), right[first + 1].into()]);
        self.add_products([a, b], Self::load(&half(0))).add_products([c, d], Self::load(&half(2)))
    }
    /// Multiplies rows with a panel: the sums of the products with a row's high plane, shifted, plus those with its low
    /// plane.
    #[inline(always)]
    fn multiply_planes<const M: usize, const N: usize>(
        rows: &[[[[i8; 4]; N]; 2]; M],
        panel: &[[[i8; 4]; L]],
        sums: &mut [Self; M],
    ) {
        let panel = &panel[..panel.len().min(N)];
        *sums = [Self::zero(); M];
        for plane in 0..2 {
            if plane == 1 {
                *sums = sums.map(Self::shift_high_plane);
            }
            for (position, right) in panel.iter().enumerate() {
                for (sum, row) in sums.iter_mut().zip(rows) {
                    // SAFETY: `position` is below `N`, to which the panel was cut above.
                    let left = unsafe { *row[plane].get_unchecked(position) };
                    *sum = sum.add_byte_products(left, right);
                }
            }
        }
    }
}
