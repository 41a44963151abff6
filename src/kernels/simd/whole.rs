//! Whole numbers side by side.

/// `L` sums in 32 bits of products of pairs in 16 bits, the unit of the matrix product of bytes.
pub trait Whole<const L: usize>: Copy {
    /// `L` pairs.
    type Pairs: Copy;
    /// All zero.
    fn zero() -> Self;
    /// From memory.
    fn load(from: &[[i16; 2]; L]) -> Self::Pairs;
    /// `self + left[0] · right[0] + left[1] · right[1]` in every lane. Only a pair of four `i16::MIN` overflows.
    fn add_products(self, left: [i16; 2], right: Self::Pairs) -> Self;
}

/// An array that the compiler keeps in vector registers.
#[cfg(not(target_arch = "wasm32"))]
#[derive(Clone, Copy)]
pub struct Portable<const L: usize>([i32; L]);

#[cfg(not(target_arch = "wasm32"))]
impl<const L: usize> Portable<L> {
    /// The sums.
    #[inline(always)]
    pub fn values(self) -> [i32; L] {
        self.0
    }
}

#[cfg(not(target_arch = "wasm32"))]
impl<const L: usize> Whole<L> for Portable<L> {
    type Pairs = [[i16; 2]; L];

    #[inline(always)]
    fn zero() -> Self {
        Portable([0; L])
    }

    #[inline(always)]
    fn load(from: &[[i16; 2]; L]) -> Self::Pairs {
        *from
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
