//! WebAssembly SIMD128 and, in the module that is compiled for it, relaxed SIMD.

use std::arch::wasm32::{
    f32x4_add, f32x4_convert_i32x4, f32x4_mul, f32x4_pmax, f32x4_splat, i16x8_load_extend_i8x8, i16x8_shl,
    i16x8_shr, i32x4_add, i32x4_dot_i16x8, i32x4_extend_high_i16x8, i32x4_extend_low_i16x8, i32x4_shl,
    i32x4_splat, v128, v128_and, v128_load, v128_store,
};
#[cfg(target_feature = "relaxed-simd")]
use std::arch::wasm32::{f32x4_lt, f32x4_relaxed_madd, i32x4_relaxed_dot_i8x16_i7x16_add, v128_bitselect};

#[cfg(target_feature = "relaxed-simd")]
use super::lanes::TileRows;
use super::lanes::{Arithmetic, IntLanes, Lanes};
#[cfg(target_feature = "relaxed-simd")]
use super::planes::Planes;
use super::unpack;
#[cfg(target_feature = "relaxed-simd")]
use crate::{panels::StridedRows, tiles};

/// `left · right + addend`
#[cfg(not(target_feature = "relaxed-simd"))]
#[inline(always)]
fn multiply_add(left: v128, right: v128, addend: v128) -> v128 {
    f32x4_add(addend, f32x4_mul(left, right))
}

/// `left · right + addend`, fused if the processor supports it.
#[cfg(target_feature = "relaxed-simd")]
#[inline(always)]
fn multiply_add(left: v128, right: v128, addend: v128) -> v128 {
    f32x4_relaxed_madd(left, right, addend)
}

/// Two vectors of four floats.
#[derive(Clone, Copy)]
pub struct F32x8([v128; 2]);

impl Arithmetic for F32x8 {
    #[inline(always)]
    fn multiply_add(left: f32, right: f32, addend: f32) -> f32 {
        left * right + addend
    }
}

impl Lanes<8> for F32x8 {
    type Ints = I32x8;

    #[inline(always)]
    fn zero() -> Self {
        F32x8([f32x4_splat(0.0); 2])
    }

    #[inline(always)]
    fn load(from: &[f32; 8]) -> Self {
        let from: *const v128 = from.as_ptr().cast();
        // SAFETY: `from` is 32 readable bytes, and `v128_load` requires no alignment.
        unsafe { F32x8([v128_load(from), v128_load(from.add(1))]) }
    }

    #[inline(always)]
    fn from_ints(ints: I32x8) -> Self {
        F32x8(ints.0.map(|ints| f32x4_convert_i32x4(ints)))
    }

    /// See [`unpack::half`].
    #[inline(always)]
    fn from_halves(bits: &[u16; 8]) -> Self {
        // SAFETY: `bits` is 16 readable bytes, and `v128_load` requires no alignment.
        let halves = unsafe { v128_load(bits.as_ptr().cast()) };
        F32x8([i32x4_extend_low_i16x8(halves), i32x4_extend_high_i16x8(halves)].map(|halves| {
            let shifted = v128_and(i32x4_shl(halves, 13), i32x4_splat(!(0x7 << 28)));
            f32x4_mul(shifted, f32x4_splat(unpack::REBIAS))
        }))
    }

    #[inline(always)]
    fn from_nibbles(bytes: &[u8; 8]) -> [Self; 2] {
        // SAFETY: `bytes` is 8 readable bytes.
        let bytes = unsafe { i16x8_load_extend_i8x8(bytes.as_ptr().cast()) };
        [i16x8_shr(i16x8_shl(bytes, 12), 12), i16x8_shr(bytes, 4)].map(|nibbles| {
            F32x8([
                f32x4_convert_i32x4(i32x4_extend_low_i16x8(nibbles)),
                f32x4_convert_i32x4(i32x4_extend_high_i16x8(nibbles)),
            ])
        })
    }

    #[inline(always)]
    fn store(self, to: &mut [f32; 8]) {
        let to: *mut v128 = to.as_mut_ptr().cast();
        // SAFETY: `to` is 32 writable bytes, and `v128_store` requires no alignment.
        unsafe {
            v128_store(to, self.0[0]);
            v128_store(to.add(1), self.0[1]);
        }
    }

    #[inline(always)]
    fn add_scaled(self, factor: f32, other: Self) -> Self {
        let factor = f32x4_splat(factor);
        F32x8([multiply_add(factor, other.0[0], self.0[0]), multiply_add(factor, other.0[1], self.0[1])])
    }

    #[cfg(target_feature = "relaxed-simd")]
    #[inline(always)]
    fn multiply_panel<const M: usize>(rows: StridedRows<'_>, panel: &[[f32; 8]], to: TileRows<'_>) {
        multiply_rows(M, rows, panel, to);
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        F32x8([f32x4_add(self.0[0], other.0[0]), f32x4_add(self.0[1], other.0[1])])
    }

    #[inline(always)]
    fn multiply(self, other: Self) -> Self {
        F32x8([f32x4_mul(self.0[0], other.0[0]), f32x4_mul(self.0[1], other.0[1])])
    }

    #[inline(always)]
    fn max(self, other: Self) -> Self {
        // `pmax` returns its first operand unless it is less than the second, which NaN never is.
        F32x8([f32x4_pmax(other.0[0], self.0[0]), f32x4_pmax(other.0[1], self.0[1])])
    }

    #[inline(always)]
    fn relu(self) -> Self {
        F32x8(self.0.map(relu))
    }
}

/// `pmax` returns its first operand unless it is less than the second, so NaN stays.
#[cfg(not(target_feature = "relaxed-simd"))]
#[inline(always)]
fn relu(values: v128) -> v128 {
    f32x4_pmax(values, f32x4_splat(0.0))
}

/// The compiler would replace `pmax` with the relaxed maximum, which may lose NaN.
#[cfg(target_feature = "relaxed-simd")]
#[inline(always)]
fn relu(values: v128) -> v128 {
    let zero = f32x4_splat(0.0);
    v128_bitselect(zero, values, f32x4_lt(values, zero))
}

/// Multiplies at most [`tiles::MAX_ROWS`] rows with a panel. Tiles of all heights share this code.
#[cfg(target_feature = "relaxed-simd")]
#[inline(never)]
fn multiply_rows(count: usize, rows: StridedRows<'_>, panel: &[[f32; 8]], to: TileRows<'_>) {
    if to.width == 8 && !to.add {
        tiles::multiply_floats(count, rows, panel, to.data, to.stride);
        return;
    }
    let mut values = [[0.0; 8]; tiles::MAX_ROWS];
    tiles::multiply_floats(count, rows, panel, values.as_flattened_mut(), 8);
    let sums = values.each_ref().map(F32x8::load);
    to.store(&sums[..count]);
}

/// Two vectors of four integers.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct I32x8([v128; 2]);

impl IntLanes<8> for I32x8 {
    type Pairs = [v128; 2];

    #[cfg(target_feature = "relaxed-simd")]
    const PLANES: Planes = Planes::Seven;

    #[inline(always)]
    fn zero() -> Self {
        I32x8([i32x4_splat(0); 2])
    }

    #[inline(always)]
    fn load(from: &[[i16; 2]; 8]) -> Self::Pairs {
        let from: *const v128 = from.as_ptr().cast();
        // SAFETY: `from` is 32 readable bytes, and `v128_load` requires no alignment.
        unsafe { [v128_load(from), v128_load(from.add(1))] }
    }

    #[inline(always)]
    fn shift_high_plane(self) -> Self {
        I32x8([i32x4_shl(self.0[0], Self::PLANES.bits()), i32x4_shl(self.0[1], Self::PLANES.bits())])
    }

    #[inline(always)]
    fn add_products(self, left: [i16; 2], right: Self::Pairs) -> Self {
        let left = i32x4_splat(bytemuck::cast(left));
        I32x8([
            i32x4_add(self.0[0], i32x4_dot_i16x8(left, right[0])),
            i32x4_add(self.0[1], i32x4_dot_i16x8(left, right[1])),
        ])
    }
    /// Correct whatever the processor does with 8-bit values in the second operand, because the input's bytes
    /// have seven bits.
    #[cfg(target_feature = "relaxed-simd")]
    #[inline(always)]
    fn add_byte_products(self, left: [i8; 4], right: &[[i8; 4]; 8]) -> Self {
        let right: *const v128 = right.as_ptr().cast();
        let left = i32x4_splat(i32::from_ne_bytes(left.map(|byte| byte as u8)));
        // SAFETY: `right` is 32 readable bytes, and `v128_load` requires no alignment.
        let right = unsafe { [v128_load(right), v128_load(right.add(1))] };
        I32x8([
            i32x4_relaxed_dot_i8x16_i7x16_add(right[0], left, self.0[0]),
            i32x4_relaxed_dot_i8x16_i7x16_add(right[1], left, self.0[1]),
        ])
    }

    #[cfg(target_feature = "relaxed-simd")]
    #[inline(always)]
    fn multiply_planes<const M: usize, const N: usize>(
        rows: &[[[[i8; 4]; N]; 2]; M],
        panel: &[[[i8; 4]; 8]],
        sums: &mut [Self; M],
    ) {
        let sums = sums.as_mut_ptr().cast();
        // SAFETY: `I32x8` is a transparent wrapper of two vectors, and there are `M` of them.
        tiles::multiply_bytes(rows, panel, unsafe { std::slice::from_raw_parts_mut(sums, M) });
    }
}
