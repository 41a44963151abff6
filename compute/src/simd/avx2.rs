//! AVX2 with FMA and F16C, and with AVX-VNNI on processors that have it. Written with intrinsics, because the
//! compiler vectorizes arrays of 16 floats but doesn't keep them in registers.

use std::arch::x86_64::{
    __m128i, __m256, __m256i, _mm_loadu_si128, _mm256_add_epi32, _mm256_add_ps, _mm256_cvtepi32_ps,
    _mm256_cvtph_ps, _mm256_dpwssd_avx_epi32, _mm256_fmadd_ps, _mm256_madd_epi16, _mm256_max_ps,
    _mm256_mul_ps, _mm256_set1_epi32, _mm256_set1_ps, _mm256_setzero_ps, _mm256_setzero_si256,
    _mm256_slli_epi32,
};
use std::marker::PhantomData;

use super::lanes::{Arithmetic, IntLanes, Lanes};

/// Multiplies and adds pairs of 16-bit integers.
pub trait PairProducts: Copy {
    /// `sum + left[0] · right[0] + left[1] · right[1]` in every lane.
    ///
    /// # Safety
    /// The processor must have AVX2 and the feature named by the implementation.
    unsafe fn add_products(sum: __m256i, left: __m256i, right: __m256i) -> __m256i;
}

/// The two instructions of AVX2.
#[derive(Clone, Copy)]
pub struct Madd;

impl PairProducts for Madd {
    #[inline(always)]
    unsafe fn add_products(sum: __m256i, left: __m256i, right: __m256i) -> __m256i {
        // SAFETY: AVX2 is available, see the trait.
        unsafe { _mm256_add_epi32(sum, _mm256_madd_epi16(left, right)) }
    }
}

/// The single instruction of AVX-VNNI.
#[derive(Clone, Copy)]
pub struct Vnni;

impl PairProducts for Vnni {
    #[inline(always)]
    unsafe fn add_products(sum: __m256i, left: __m256i, right: __m256i) -> __m256i {
        // SAFETY: AVX-VNNI is available, see the trait.
        unsafe { _mm256_dpwssd_avx_epi32(sum, left, right) }
    }
}

/// Two vectors of eight floats. Only used inside `with_avx2` and `with_avx_vnni`, so every method runs on a
/// processor with AVX2, FMA, F16C and the feature that `P` needs.
#[derive(Clone, Copy)]
pub struct F32x16<P>([__m256; 2], PhantomData<P>);

impl<P> F32x16<P> {
    #[inline(always)]
    fn new(values: [__m256; 2]) -> Self {
        F32x16(values, PhantomData)
    }
}

impl<P> Arithmetic for F32x16<P> {
    #[inline(always)]
    fn multiply_add(left: f32, right: f32, addend: f32) -> f32 {
        left.mul_add(right, addend)
    }
}

impl<P: PairProducts> Lanes<16> for F32x16<P> {
    type Ints = I32x16<P>;

    #[inline(always)]
    fn zero() -> Self {
        // SAFETY: AVX is available, see the type.
        F32x16::new([unsafe { _mm256_setzero_ps() }; 2])
    }

    #[inline(always)]
    fn load(from: &[f32; 16]) -> Self {
        F32x16::new(bytemuck::cast(*from))
    }

    #[inline(always)]
    fn from_ints(ints: I32x16<P>) -> Self {
        // SAFETY: AVX is available, see the type. (Not `map`: its closure would be compiled without AVX, so it would be
        // called instead of inlined.)
        unsafe { F32x16::new([_mm256_cvtepi32_ps(ints.0[0]), _mm256_cvtepi32_ps(ints.0[1])]) }
    }

    #[inline(always)]
    fn from_halves(bits: &[u16; 16]) -> Self {
        let from: *const __m128i = bits.as_ptr().cast();
        // SAFETY: F16C is available, see the type. `bits` is 32 readable bytes, and `loadu` requires no alignment.
        unsafe {
            let halves = [_mm_loadu_si128(from), _mm_loadu_si128(from.add(1))];
            F32x16::new([_mm256_cvtph_ps(halves[0]), _mm256_cvtph_ps(halves[1])])
        }
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
            F32x16::new([
                _mm256_fmadd_ps(factor, other.0[0], self.0[0]),
                _mm256_fmadd_ps(factor, other.0[1], self.0[1]),
            ])
        }
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        // SAFETY: AVX is available, see the type.
        unsafe { F32x16::new([_mm256_add_ps(self.0[0], other.0[0]), _mm256_add_ps(self.0[1], other.0[1])]) }
    }

    #[inline(always)]
    fn multiply(self, other: Self) -> Self {
        // SAFETY: AVX is available, see the type.
        unsafe { F32x16::new([_mm256_mul_ps(self.0[0], other.0[0]), _mm256_mul_ps(self.0[1], other.0[1])]) }
    }

    #[inline(always)]
    fn max(self, other: Self) -> Self {
        // SAFETY: AVX is available, see the type. (If either operand is NaN, `max` returns the second one.)
        unsafe { F32x16::new([_mm256_max_ps(self.0[0], other.0[0]), _mm256_max_ps(self.0[1], other.0[1])]) }
    }

    #[inline(always)]
    fn relu(self) -> Self {
        // SAFETY: AVX is available, see the type. (If either operand is NaN, `max` returns the second one.)
        unsafe {
            let zero = _mm256_setzero_ps();
            F32x16::new([_mm256_max_ps(zero, self.0[0]), _mm256_max_ps(zero, self.0[1])])
        }
    }

    #[inline(always)]
    fn prefetch<T>(values: &[T]) {
        super::prefetch(values);
    }
}

/// Two vectors of eight integers. Only used where [`F32x16`] is.
#[derive(Clone, Copy)]
pub struct I32x16<P>([__m256i; 2], PhantomData<P>);

impl<P: PairProducts> IntLanes<16> for I32x16<P> {
    type Pairs = [__m256i; 2];

    #[inline(always)]
    fn zero() -> Self {
        // SAFETY: AVX is available, see the type.
        I32x16([unsafe { _mm256_setzero_si256() }; 2], PhantomData)
    }

    #[inline(always)]
    fn load(from: &[[i16; 2]; 16]) -> Self::Pairs {
        bytemuck::cast(*from)
    }

    #[inline(always)]
    fn shift_high_plane(self) -> Self {
        // SAFETY: AVX2 is available, see the type.
        let sums = unsafe { [_mm256_slli_epi32::<8>(self.0[0]), _mm256_slli_epi32::<8>(self.0[1])] };
        I32x16(sums, PhantomData)
    }

    #[inline(always)]
    fn add_products(self, left: [i16; 2], right: Self::Pairs) -> Self {
        // SAFETY: AVX2 and the feature that `P` needs are available, see the type.
        unsafe {
            let left = _mm256_set1_epi32(bytemuck::cast(left));
            let sums =
                [P::add_products(self.0[0], left, right[0]), P::add_products(self.0[1], left, right[1])];
            I32x16(sums, PhantomData)
        }
    }
}
