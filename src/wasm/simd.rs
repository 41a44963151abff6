//! The instruction sets that a second wasm module adds.

use wasm_bindgen::prelude::wasm_bindgen;

use crate::kernels::relaxed::Module;

/// Checks the second module's `product`, at its place in the function table, and makes its instruction sets available,
/// of which `best` is the best. The region is what its data and stack take. Returns what is wrong with it, if anything
/// is.
#[wasm_bindgen(js_name = installRelaxed)]
pub fn install_relaxed(
    version: u32,
    region_start: usize,
    region_end: usize,
    product: usize,
    best: &str,
) -> Option<String> {
    let region = (region_start, region_end);
    Module { version, region, product, best }.install().err().map(str::to_string)
}
