//! AVX2 with FMA. Written with intrinsics, because the compiler vectorizes arrays of 16 floats but doesn't keep them in
//! registers.

use std::arch::x86_64::{
    __m256, __m256i, _mm256_add_epi32, _mm256_add_ps, _mm256_cvtepi32_ps, _mm256_fmadd_ps, _mm256_madd_epi16,
    _mm256_max_ps, _mm256_mul_ps, _mm256_set1_epi32, _mm256_set1_ps, _mm256_setzero_ps, _mm256_setzero_si256,
};

use super::{IntLanes, Lanes};

/// Two vectors of eight floats. Only used inside `with_avx2`, so every method runs on a processor with AVX2 and FMA.
#[derive(Clone, Copy)]
pub struct F32x16([__m256; 2]);

impl Lanes<16> for F32x16 {
    type Ints = I32x16;

    #[inline(always)]
    fn zero() -> Self {
        // SAFETY: AVX is available, see the type.
        F32x16([unsafe { _mm256_setzero_ps() }; 2])
    }

    #[inline(always)]
    fn load(from: &[f32; 16]) -> Self {
        F32x16(bytemuck::cast(*from))
    }

    #[inline(always)]
    fn from_ints(ints: I32x16) -> Self {
        // SAFETY: AVX is available, see the type. (Not `map`: its closure would be compiled without AVX, so it would be called
        // instead of inlined.)
        unsafe { F32x16([_mm256_cvtepi32_ps(ints.0[0]), _mm256_cvtepi32_ps(ints.0[1])]) }
    }

    #[inline(always)]
    fn store(self, to: &mut [f32; 16]) {
        *to = bytemuck::cast(self.0);
    }

    #[inline(always)]
    fn add_scaled(self, factor: f32, other: Self) -> Self {
        // SAFETY: AVX2 and FMA are available, see the type.
        unsafe {
            let factor = _mm256_set1_ps(factor);
            F32x16([
                _mm256_fmadd_ps(factor, other.0[0], self.0[0]),
                _mm256_fmadd_ps(factor, other.0[1], self.0[1]),
            ])
        }
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        // SAFETY: AVX is available, see the type.
        unsafe { F32x16([_mm256_add_ps(self.0[0], other.0[0]), _mm256_add_ps(self.0[1], other.0[1])]) }
    }

    #[inline(always)]
    fn multiply(self, other: Self) -> Self {
        // SAFETY: AVX is available, see the type.
        unsafe { F32x16([_mm256_mul_ps(self.0[0], other.0[0]), _mm256_mul_ps(self.0[1], other.0[1])]) }
    }

    #[inline(always)]
    fn relu(self) -> Self {
        // SAFETY: AVX is available, see the type. (If either operand is NaN, `max` returns the second one.)
        unsafe {
            let zero = _mm256_setzero_ps();
            F32x16([_mm256_max_ps(zero, self.0[0]), _mm256_max_ps(zero, self.0[1])])
        }
    }
}

/// Two vectors of eight integers. Only used inside `with_avx2`, like [`F32x16`].
#[derive(Clone, Copy)]
pub struct I32x16([__m256i; 2]);

impl IntLanes<16> for I32x16 {
    type Pairs = [__m256i; 2];

    #[inline(always)]
    fn zero() -> Self {
        // SAFETY: AVX is available, see the type.
        I32x16([unsafe { _mm256_setzero_si256() }; 2])
    }

    #[inline(always)]
    fn load(from: &[[i16; 2]; 16]) -> Self::Pairs {
        bytemuck::cast(*from)
    }

    #[inline(always)]
    fn add_products(self, left: [i16; 2], right: Self::Pairs) -> Self {
        // SAFETY: AVX2 and FMA are available, see the type.
        unsafe {
            let left = _mm256_set1_epi32(bytemuck::cast(left));
            I32x16([
                _mm256_add_epi32(self.0[0], _mm256_madd_epi16(left, right[0])),
                _mm256_add_epi32(self.0[1], _mm256_madd_epi16(left, right[1])),
            ])
        }
    }
}
