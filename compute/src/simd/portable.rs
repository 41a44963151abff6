//! Plain arrays, for instruction sets whose vector registers the compiler uses without intrinsics.

use std::marker::PhantomData;

#[cfg(test)]
use super::Planes;
use super::lanes::{Arithmetic, IntLanes, Lanes};

/// Integers whose values are available as an array.
pub trait IntValues<const L: usize>: IntLanes<L> {
    /// The values.
    fn values(self) -> [i32; L];
}

/// Floats for instruction sets with a fused multiply-add, and their integers.
#[cfg(target_arch = "aarch64")]
#[derive(Clone, Copy)]
pub struct Fused<const L: usize, I = IntArray<L>>([f32; L], PhantomData<I>);

#[cfg(target_arch = "aarch64")]
impl<const L: usize, I> Fused<L, I> {
    #[inline(always)]
    fn new(values: [f32; L]) -> Self {
        Fused(values, PhantomData)
    }
}

#[cfg(target_arch = "aarch64")]
impl<const L: usize, I> Arithmetic for Fused<L, I> {
    #[inline(always)]
    fn multiply_add(left: f32, right: f32, addend: f32) -> f32 {
        left.mul_add(right, addend)
    }
}

#[cfg(target_arch = "aarch64")]
impl<const L: usize, I: IntValues<L>> Lanes<L> for Fused<L, I> {
    type Ints = I;

    #[inline(always)]
    fn zero() -> Self {
        Fused::new([0.0; L])
    }

    #[inline(always)]
    fn load(from: &[f32; L]) -> Self {
        Fused::new(*from)
    }

    #[inline(always)]
    fn from_ints(ints: Self::Ints) -> Self {
        Fused::new(ints.values().map(|value| value as f32))
    }

    #[inline(always)]
    fn store(self, to: &mut [f32; L]) {
        *to = self.0;
    }

    #[inline(always)]
    fn add_scaled(mut self, factor: f32, other: Self) -> Self {
        for lane in 0..L {
            self.0[lane] = factor.mul_add(other.0[lane], self.0[lane]);
        }
        self
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Fused::new(std::array::from_fn(|lane| self.0[lane] + other.0[lane]))
    }

    #[inline(always)]
    fn multiply(self, other: Self) -> Self {
        Fused::new(std::array::from_fn(|lane| self.0[lane] * other.0[lane]))
    }

    #[inline(always)]
    fn max(self, other: Self) -> Self {
        Fused::new(std::array::from_fn(|lane| {
            if self.0[lane] > other.0[lane] { self.0[lane] } else { other.0[lane] }
        }))
    }

    #[inline(always)]
    fn relu(self) -> Self {
        Fused::new(self.0.map(|value| if value < 0.0 { 0.0 } else { value }))
    }
}

/// Floats for instruction sets that multiply and add in two instructions.
#[cfg(not(target_arch = "aarch64"))]
#[derive(Clone, Copy)]
pub struct Separate<const L: usize, I = IntArray<L>>([f32; L], PhantomData<I>);

#[cfg(not(target_arch = "aarch64"))]
impl<const L: usize, I> Separate<L, I> {
    #[inline(always)]
    fn new(values: [f32; L]) -> Self {
        Separate(values, PhantomData)
    }
}

#[cfg(not(target_arch = "aarch64"))]
impl<const L: usize, I> Arithmetic for Separate<L, I> {
    #[inline(always)]
    fn multiply_add(left: f32, right: f32, addend: f32) -> f32 {
        left * right + addend
    }
}

#[cfg(not(target_arch = "aarch64"))]
impl<const L: usize, I: IntValues<L>> Lanes<L> for Separate<L, I> {
    type Ints = I;

    #[inline(always)]
    fn zero() -> Self {
        Separate::new([0.0; L])
    }

    #[inline(always)]
    fn load(from: &[f32; L]) -> Self {
        Separate::new(*from)
    }

    #[inline(always)]
    fn from_ints(ints: Self::Ints) -> Self {
        Separate::new(ints.values().map(|value| value as f32))
    }

    #[inline(always)]
    fn store(self, to: &mut [f32; L]) {
        *to = self.0;
    }

    #[inline(always)]
    fn add_scaled(mut self, factor: f32, other: Self) -> Self {
        for lane in 0..L {
            self.0[lane] += factor * other.0[lane];
        }
        self
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Separate::new(std::array::from_fn(|lane| self.0[lane] + other.0[lane]))
    }

    #[inline(always)]
    fn multiply(self, other: Self) -> Self {
        Separate::new(std::array::from_fn(|lane| self.0[lane] * other.0[lane]))
    }

    #[inline(always)]
    fn max(self, other: Self) -> Self {
        Separate::new(std::array::from_fn(|lane| {
            if self.0[lane] > other.0[lane] { self.0[lane] } else { other.0[lane] }
        }))
    }

    #[inline(always)]
    fn relu(self) -> Self {
        Separate::new(self.0.map(|value| if value < 0.0 { 0.0 } else { value }))
    }
}

/// Integers for any instruction set.
#[derive(Clone, Copy)]
pub struct IntArray<const L: usize>([i32; L]);

#[cfg(target_arch = "aarch64")]
impl<const L: usize> IntArray<L> {
    /// Wraps an array of values.
    #[inline(always)]
    pub fn new(values: [i32; L]) -> Self {
        IntArray(values)
    }
}

impl<const L: usize> IntValues<L> for IntArray<L> {
    #[inline(always)]
    fn values(self) -> [i32; L] {
        self.0
    }
}

impl<const L: usize> IntLanes<L> for IntArray<L> {
    type Pairs = [[i16; 2]; L];

    #[inline(always)]
    fn zero() -> Self {
        IntArray([0; L])
    }

    #[inline(always)]
    fn load(from: &[[i16; 2]; L]) -> Self::Pairs {
        *from
    }

    #[inline(always)]
    fn shift_high_plane(self) -> Self {
        IntArray(self.0.map(|sum| sum << 8))
    }

    #[inline(always)]
    fn add_products(mut self, left: [i16; 2], right: Self::Pairs) -> Self {
        let left = left.map(i32::from);
        for (sum, right) in self.0.iter_mut().zip(right) {
            *sum += left[0] * i32::from(right[0]) + left[1] * i32::from(right[1]);
        }
        self
    }
}

/// Integers with the planes of WebAssembly's relaxed dot products, for testing them on any processor.
#[cfg(test)]
#[derive(Clone, Copy)]
pub struct SevenBits<const L: usize>(IntArray<L>);

#[cfg(test)]
impl<const L: usize> IntValues<L> for SevenBits<L> {
    fn values(self) -> [i32; L] {
        self.0.values()
    }
}

#[cfg(test)]
impl<const L: usize> IntLanes<L> for SevenBits<L> {
    type Pairs = [[i16; 2]; L];

    const PLANES: Planes = Planes::Seven;

    fn zero() -> Self {
        SevenBits(IntArray::zero())
    }

    fn load(from: &[[i16; 2]; L]) -> Self::Pairs {
        *from
    }

    fn shift_high_plane(self) -> Self {
        SevenBits(IntArray(self.values().map(|sum| sum << Self::PLANES.bits())))
    }

    fn add_products(self, left: [i16; 2], right: Self::Pairs) -> Self {
        SevenBits(self.0.add_products(left, right))
    }

    fn add_byte_products(self, left: [i8; 4], right: &[[i8; 4]; L]) -> Self {
        assert!(left.into_iter().all(|byte| byte >= 0), "{left:?}: engines differ for bytes of eight bits");
        SevenBits(self.0.add_byte_products(left, right))
    }
}
