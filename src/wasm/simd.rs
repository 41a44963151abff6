//! The instruction sets provided by a second wasm module.

use wasm_bindgen::prelude::wasm_bindgen;

use crate::kernels::relaxed::Module;

/// Checks the second module's `product`, given by its index in the function table, and makes its instruction
/// sets available, the best of which is `best`. The region holds its data and stack. Returns the problem, if
/// there is one.
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
