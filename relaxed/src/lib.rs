//! The matrix product, compiled a second time with relaxed SIMD: a wasm module with a few functions that work
//! on the main module's memory. It is a separate module because browsers without relaxed SIMD reject modules
//! that contain it.
//!
//! It allocates nothing, keeps no state between calls, and owns the addresses from `region_start()` to
//! `region_end()`, which the main module leaves free.

#![cfg(all(target_arch = "wasm32", target_feature = "relaxed-simd"))]
#![no_std]
#![allow(dead_code, reason = "this module doesn't need everything in the sources that it shares")]

// The kernels' sources refer to `std`, but only use its `core` parts.
extern crate core as std;

#[path = "../../compute/src/activation.rs"]
mod activation;
#[path = "../../compute/src/relaxed/call.rs"]
mod call;
#[path = "../../compute/src/functions/mod.rs"]
mod functions;
#[path = "../../compute/src/panels.rs"]
mod panels;
#[path = "../../compute/src/product/mod.rs"]
mod product;
mod simd;
mod tiles;

use core::arch::wasm32::{
    f32x4_add, f32x4_extract_lane, f32x4_mul, f32x4_relaxed_madd, f32x4_splat, i8x16_splat,
    i32x4_extract_lane, i32x4_relaxed_dot_i8x16_i7x16_add, i32x4_splat, v128,
};

use activation::Activation;
use call::{ProductCall, VERSION};
use simd::Simd;

/// Computes a matrix product.
///
/// # Safety
/// The call was made by `ProductCall::new` in the main module, and the product that it was made from is still borrowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn product(call: &mut ProductCall) {
    // SAFETY: see above; both modules share their memory, so addresses mean the same in both.
    unsafe { call.run(Simd) };
}

/// The version of the argument of `product`.
#[unsafe(no_mangle)]
pub extern "C" fn version() -> u32 {
    VERSION
}

/// Returns whether the processor has an instruction for dot products of bytes. Without one, engines on x86
/// use an instruction that saturates sums of two products, and several more to add these up.
#[unsafe(no_mangle)]
pub extern "C" fn has_fast_dots() -> bool {
    let largest = i8x16_splat(127);
    // Not a 7-bit value: the result is implementation-defined and reveals the instruction.
    let any = i8x16_splat(-1);
    let sum = i32x4_extract_lane::<0>(i32x4_relaxed_dot_i8x16_i7x16_add(largest, any, i32x4_splat(0)));
    sum == -(4 * 127) || sum == 4 * 127 * 255
}

/// Performs `steps` fused multiply-adds, for timing. Returns a result so that nothing is optimized away.
#[unsafe(no_mangle)]
pub extern "C" fn fused(steps: u32) -> f32 {
    repeat(steps, |sum, factor| f32x4_relaxed_madd(sum, factor, factor))
}

/// Like [`fused`], with two instructions each.
#[unsafe(no_mangle)]
pub extern "C" fn separate(steps: u32) -> f32 {
    repeat(steps, |sum, factor| f32x4_add(f32x4_mul(sum, factor), factor))
}

#[inline(always)]
fn repeat(steps: u32, step: impl Fn(v128, v128) -> v128) -> f32 {
    let factor = f32x4_splat(0.5);
    let mut sums = [factor; 4];
    for _ in 0..steps {
        for sum in &mut sums {
            *sum = step(*sum, factor);
        }
    }
    sums.into_iter().map(|sum| f32x4_extract_lane::<0>(sum)).sum()
}

unsafe extern "C" {
    /// Linker symbols; only their addresses are meaningful.
    static __global_base: u8;
    static __heap_base: u8;
}

/// The first address of this module's data and stack.
#[unsafe(no_mangle)]
pub extern "C" fn region_start() -> usize {
    &raw const __global_base as usize
}

/// The address after this module's data and stack.
#[unsafe(no_mangle)]
pub extern "C" fn region_end() -> usize {
    &raw const __heap_base as usize
}

/// A panic is a bug in the kernels: it ends the call as a trap, like one in the main module.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}
