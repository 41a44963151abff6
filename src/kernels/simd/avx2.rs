//! AVX2 with FMA. Written with intrinsics: from arrays of sixteen floats the compiler makes vectors, but not ones that
//! stay in registers.

use std::arch::x86_64::{
    __m256, __m256i, _mm256_add_epi32, _mm256_add_ps, _mm256_cvtepi32_ps, _mm256_fmadd_ps, _mm256_madd_epi16,
    _mm256_max_ps, _mm256_mul_ps, _mm256_set1_epi32, _mm256_set1_ps, _mm256_setzero_ps, _mm256_setzero_si256,
};

use super::{Lanes, Whole};

/// Two vectors of eight. Used by `with_avx2` alone, so that every method runs on a processor with AVX2 and FMA.
#[derive(Clone, Copy)]
pub struct Wide([__m256; 2]);

impl Lanes<16> for Wide {
    type Whole = Sums;

    #[inline(always)]
    fn zero() -> Self {
        // SAFETY: AVX is there, see the type.
        Wide([unsafe { _mm256_setzero_ps() }; 2])
    }

    #[inline(always)]
    fn load(from: &[f32; 16]) -> Self {
        Wide(bytemuck::cast(*from))
    }

    #[inline(always)]
    fn from_whole(whole: Sums) -> Self {
        // SAFETY: AVX is there, see the type. (Not by `map`: its closure would be a function without AVX, and be called.)
        unsafe { Wide([_mm256_cvtepi32_ps(whole.0[0]), _mm256_cvtepi32_ps(whole.0[1])]) }
    }

    #[inline(always)]
    fn store(self, to: &mut [f32; 16]) {
        *to = bytemuck::cast(self.0);
    }

    #[inline(always)]
    fn add_scaled(self, factor: f32, other: Self) -> Self {
        // SAFETY: AVX and FMA are there, see the type.
        unsafe {
            let factor = _mm256_set1_ps(factor);
            Wide([
                _mm256_fmadd_ps(factor, other.0[0], self.0[0]),
                _mm256_fmadd_ps(factor, other.0[1], self.0[1]),
            ])
        }
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        // SAFETY: AVX is there, see the type.
        unsafe { Wide([_mm256_add_ps(self.0[0], other.0[0]), _mm256_add_ps(self.0[1], other.0[1])]) }
    }

    #[inline(always)]
    fn multiply(self, other: Self) -> Self {
        // SAFETY: AVX is there, see the type.
        unsafe { Wide([_mm256_mul_ps(self.0[0], other.0[0]), _mm256_mul_ps(self.0[1], other.0[1])]) }
    }

    #[inline(always)]
    fn relu(self) -> Self {
        // SAFETY: AVX is there, see the type. (Of a number and NaN the second is taken.)
        unsafe {
            let zero = _mm256_setzero_ps();
            Wide([_mm256_max_ps(zero, self.0[0]), _mm256_max_ps(zero, self.0[1])])
        }
    }
}

/// As [`Wide`], of whole numbers.
#[derive(Clone, Copy)]
pub struct Sums([__m256i; 2]);

impl Whole<16> for Sums {
    type Pairs = [__m256i; 2];

    #[inline(always)]
    fn zero() -> Self {
        // SAFETY: AVX is there, see the type.
        Sums([unsafe { _mm256_setzero_si256() }; 2])
    }

    #[inline(always)]
    fn load(from: &[[i16; 2]; 16]) -> Self::Pairs {
        bytemuck::cast(*from)
    }

    #[inline(always)]
    fn add_products(self, left: [i16; 2], right: Self::Pairs) -> Self {
        // SAFETY: AVX2 is there, see the type.
        unsafe {
            let left = _mm256_set1_epi32(bytemuck::cast(left));
            Sums([
                _mm256_add_epi32(self.0[0], _mm256_madd_epi16(left, right[0])),
                _mm256_add_epi32(self.0[1], _mm256_madd_epi16(left, right[1])),
            ])
        }
    }
}
