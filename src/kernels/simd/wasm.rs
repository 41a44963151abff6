//! SIMD128 of WebAssembly.

use std::arch::wasm32::{
    f32x4_add, f32x4_convert_i32x4, f32x4_mul, f32x4_splat, i16x8_load_extend_i8x8, i32x4_extend_high_i16x8,
    i32x4_extend_low_i16x8, v128, v128_load, v128_store,
};

use super::Lanes;

/// Two vectors of four.
#[derive(Clone, Copy)]
pub struct Wide([v128; 2]);

impl Lanes<8> for Wide {
    #[inline(always)]
    fn zero() -> Self {
        Wide([f32x4_splat(0.0); 2])
    }

    #[inline(always)]
    fn load(from: &[f32; 8]) -> Self {
        let from: *const v128 = from.as_ptr().cast();
        // SAFETY: `from` is 32 readable bytes, and `v128_load` asks for no alignment.
        unsafe { Wide([v128_load(from), v128_load(from.add(1))]) }
    }

    #[inline(always)]
    fn widen(from: &[i8; 8]) -> Self {
        // SAFETY: `from` is 8 readable bytes, and the load asks for no alignment.
        let words = unsafe { i16x8_load_extend_i8x8(from.as_ptr()) };
        Wide([
            f32x4_convert_i32x4(i32x4_extend_low_i16x8(words)),
            f32x4_convert_i32x4(i32x4_extend_high_i16x8(words)),
        ])
    }

    #[inline(always)]
    fn store(self, to: &mut [f32; 8]) {
        let to: *mut v128 = to.as_mut_ptr().cast();
        // SAFETY: `to` is 32 writable bytes, and `v128_store` asks for no alignment.
        unsafe {
            v128_store(to, self.0[0]);
            v128_store(to.add(1), self.0[1]);
        }
    }

    #[inline(always)]
    fn add_scaled(self, factor: f32, other: Self) -> Self {
        let factor = f32x4_splat(factor);
        Wide([
            f32x4_add(self.0[0], f32x4_mul(factor, other.0[0])),
            f32x4_add(self.0[1], f32x4_mul(factor, other.0[1])),
        ])
    }
}
