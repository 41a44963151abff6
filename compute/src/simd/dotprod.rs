//! NEON's dot products, `sdot`: four products of bytes per lane and instruction. Their intrinsics aren't
//! stable yet.

use std::arch::aarch64::{
    int8x16_t, int32x4_t, vdupq_n_s32, vld1q_s8, vld1q_s32, vreinterpretq_s8_s32, vshlq_n_s32, vst1q_s32,
};
use std::arch::asm;

use super::lanes::IntLanes;
use super::portable::{IntArray, IntValues};

/// Two vectors of four integers. Only used inside `with_dotprod`, so every method runs on a processor with `sdot`.
#[derive(Clone, Copy)]
pub struct I32x8([int32x4_t; 2]);

/// `sum + Σ left[i] · right[i]` over the four bytes of every lane.
///
/// # Safety
/// The processor must have `sdot`.
#[inline(always)]
unsafe fn sdot(mut sum: int32x4_t, left: int8x16_t, right: int8x16_t) -> int32x4_t {
    // SAFETY: the instruction is available, see above. It only reads and writes these registers.
    unsafe {
        asm!(
            "sdot {sum:v}.4s, {left:v}.16b, {right:v}.16b",
            sum = inout(vreg) sum,
            left = in(vreg) left,
            right = in(vreg) right,
            options(pure, nomem, nostack, preserves_flags)
        );
    }
    sum
}

impl I32x8 {
    #[inline(always)]
    fn new(values: &[i32; 8]) -> Self {
        // SAFETY: every aarch64 processor has NEON. `values` is 32 readable bytes.
        unsafe { I32x8([vld1q_s32(values.as_ptr()), vld1q_s32(values.as_ptr().add(4))]) }
    }
}

impl IntValues<8> for I32x8 {
    #[inline(always)]
    fn values(self) -> [i32; 8] {
        let mut values = [0; 8];
        // SAFETY: every aarch64 processor has NEON. `values` is 32 writable bytes.
        unsafe {
            vst1q_s32(values.as_mut_ptr(), self.0[0]);
            vst1q_s32(values.as_mut_ptr().add(4), self.0[1]);
        }
        values
    }
}

impl IntLanes<8> for I32x8 {
    type Pairs = [[i16; 2]; 8];

    #[inline(always)]
    fn zero() -> Self {
        // SAFETY: every aarch64 processor has NEON.
        I32x8([unsafe { vdupq_n_s32(0) }; 2])
    }

    #[inline(always)]
    fn load(from: &[[i16; 2]; 8]) -> Self::Pairs {
        *from
    }

    #[inline(always)]
    fn add_products(self, left: [i16; 2], right: Self::Pairs) -> Self {
        I32x8::new(&IntArray::new(self.values()).add_products(left, right).values())
    }

    #[inline(always)]
    fn shift_high_plane(self) -> Self {
        // SAFETY: every aarch64 processor has NEON.
        unsafe { I32x8([vshlq_n_s32::<8>(self.0[0]), vshlq_n_s32::<8>(self.0[1])]) }
    }

    #[inline(always)]
    fn add_byte_products(self, left: [i8; 4], right: &[[i8; 4]; 8]) -> Self {
        let right = right.as_flattened().as_ptr();
        // SAFETY: `sdot` is available, see the type. `right` is 32 readable bytes.
        unsafe {
            let left = vreinterpretq_s8_s32(vdupq_n_s32(i32::from_ne_bytes(left.map(|byte| byte as u8))));
            I32x8([sdot(self.0[0], left, vld1q_s8(right)), sdot(self.0[1], left, vld1q_s8(right.add(16)))])
        }
    }
}
