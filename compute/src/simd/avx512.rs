//! AVX-512 with VNNI, which multiplies and adds pairs of 16-bit integers in one instruction.

use std::arch::x86_64::{
    __m256i, __m512, __m512i, _mm256_loadu_si256, _mm512_add_ps, _mm512_cvtepi32_ps, _mm512_cvtph_ps,
    _mm512_dpwssd_epi32, _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_loadu_si512, _mm512_max_ps, _mm512_mul_ps,
    _mm512_set1_epi32, _mm512_set1_ps, _mm512_setzero_ps, _mm512_setzero_si512, _mm512_slli_epi32,
    _mm512_storeu_ps,
};

use super::lanes::{Arithmetic, IntLanes, Lanes};

/// Two vectors of sixteen floats. Only used inside `with_avx512`, so every method runs on a processor with
/// the features that it enables.
#[derive(Clone, Copy)]
pub struct F32x32([__m512; 2]);

impl Arithmetic for F32x32 {
    #[inline(always)]
    fn multiply_add(left: f32, right: f32, addend: f32) -> f32 {
        left.mul_add(right, addend)
    }
}

impl Lanes<32> for F32x32 {
    type Ints = I32x32;

    #[inline(always)]
    fn zero() -> Self {
        // SAFETY: AVX-512 is available, see the type.
        F32x32([unsafe { _mm512_setzero_ps() }; 2])
    }

    #[inline(always)]
    fn load(from: &[f32; 32]) -> Self {
        // SAFETY: AVX-512 is available, see the type. `from` is 128 readable bytes, and `loadu` requires no alignment.
        unsafe { F32x32([_mm512_loadu_ps(from.as_ptr()), _mm512_loadu_ps(from.as_ptr().add(16))]) }
    }

    #[inline(always)]
    fn from_ints(ints: I32x32) -> Self {
        // SAFETY: AVX-512 is available, see the type.
        unsafe { F32x32([_mm512_cvtepi32_ps(ints.0[0]), _mm512_cvtepi32_ps(ints.0[1])]) }
    }

    #[inline(always)]
    fn from_halves(bits: &[u16; 32]) -> Self {
        let from: *const __m256i = bits.as_ptr().cast();
        // SAFETY: AVX-512 is available, see the type. `bits` is 64 readable bytes, and `loadu` requires no alignment.
        unsafe {
            let halves = [_mm256_loadu_si256(from), _mm256_loadu_si256(from.add(1))];
            F32x32([_mm512_cvtph_ps(halves[0]), _mm512_cvtph_ps(halves[1])])
        }
    }

    #[inline(always)]
    fn store(self, to: &mut [f32; 32]) {
        // SAFETY: AVX-512 is available, see the type. `to` is 128 writable bytes, and `storeu` requires no alignment.
        unsafe {
            _mm512_storeu_ps(to.as_mut_ptr(), self.0[0]);
            _mm512_storeu_ps(to.as_mut_ptr().add(16), self.0[1]);
        }
    }

    #[inline(always)]
    fn add_scaled(self, factor: f32, other: Self) -> Self {
        // SAFETY: AVX-512 is available, see the type.
        unsafe {
            let factor = _mm512_set1_ps(factor);
            F32x32([
                _mm512_fmadd_ps(factor, other.0[0], self.0[0]),
                _mm512_fmadd_ps(factor, other.0[1], self.0[1]),
            ])
        }
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        // SAFETY: AVX-512 is available, see the type.
        unsafe { F32x32([_mm512_add_ps(self.0[0], other.0[0]), _mm512_add_ps(self.0[1], other.0[1])]) }
    }

    #[inline(always)]
    fn multiply(self, other: Self) -> Self {
        // SAFETY: AVX-512 is available, see the type.
        unsafe { F32x32([_mm512_mul_ps(self.0[0], other.0[0]), _mm512_mul_ps(self.0[1], other.0[1])]) }
    }

    #[inline(always)]
    fn max(self, other: Self) -> Self {
        // SAFETY: AVX-512 is available, see the type. (If either operand is NaN, `max` returns the second one.)
        unsafe { F32x32([_mm512_max_ps(self.0[0], other.0[0]), _mm512_max_ps(self.0[1], other.0[1])]) }
    }

    #[inline(always)]
    fn relu(self) -> Self {
        // SAFETY: AVX-512 is available, see the type. (If either operand is NaN, `max` returns the second one.)
        unsafe {
            let zero = _mm512_setzero_ps();
            F32x32([_mm512_max_ps(zero, self.0[0]), _mm512_max_ps(zero, self.0[1])])
        }
    }

    #[inline(always)]
    fn prefetch<T>(values: &[T]) {
        super::prefetch(values);
    }
}

/// Two vectors of sixteen integers. Only used inside `with_avx512`, like [`F32x32`].
#[derive(Clone, Copy)]
pub struct I32x32([__m512i; 2]);

impl IntLanes<32> for I32x32 {
    type Pairs = [__m512i; 2];

    #[inline(always)]
    fn zero() -> Self {
        // SAFETY: AVX-512 is available, see the type.
        I32x32([unsafe { _mm512_setzero_si512() }; 2])
    }

    #[inline(always)]
    fn load(from: &[[i16; 2]; 32]) -> Self::Pairs {
        let from: *const __m512i = from.as_ptr().cast();
        // SAFETY: AVX-512 is available, see the type. `from` is 128 readable bytes, and `loadu` requires no alignment.
        unsafe { [_mm512_loadu_si512(from), _mm512_loadu_si512(from.add(1))] }
    }

    #[inline(always)]
    fn shift_high_plane(self) -> Self {
        // SAFETY: AVX-512 is available, see the type.
        unsafe { I32x32([_mm512_slli_epi32::<8>(self.0[0]), _mm512_slli_epi32::<8>(self.0[1])]) }
    }

    #[inline(always)]
    fn add_products(self, left: [i16; 2], right: Self::Pairs) -> Self {
        // SAFETY: AVX-512 and its VNNI are available, see the type.
        unsafe {
            let left = _mm512_set1_epi32(bytemuck::cast(left));
            I32x32([
                _mm512_dpwssd_epi32(self.0[0], left, right[0]),
                _mm512_dpwssd_epi32(self.0[1], left, right[1]),
            ])
        }
    }
}
