//! AVX2 with FMA. Written with intrinsics: from arrays of sixteen floats the compiler makes vectors, but not ones that
//! stay in registers.

use std::arch::x86_64::{
    __m128i, __m256, _mm_unpackhi_epi64, _mm256_cvtepi8_epi32, _mm256_cvtepi32_ps, _mm256_fmadd_ps,
    _mm256_set1_ps, _mm256_setzero_ps,
};

use super::Lanes;

/// Two vectors of eight. Used by `with_avx2` alone, so that every method runs on a processor with AVX2 and FMA.
#[derive(Clone, Copy)]
pub struct Wide([__m256; 2]);

impl Lanes<16> for Wide {
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
    fn widen(from: &[i8; 16]) -> Self {
        let low: __m128i = bytemuck::cast(*from);
        // SAFETY: AVX2 is there, see the type.
        unsafe {
            let high = _mm_unpackhi_epi64(low, low);
            Wide([low, high].map(|bytes| _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(bytes))))
        }
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
}
