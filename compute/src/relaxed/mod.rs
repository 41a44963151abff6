//! Relaxed SIMD in browsers: a second wasm module (`relaxed/`) contains the kernels that benefit from it, and
//! works on this module's memory. If the browser supports relaxed SIMD, JavaScript compiles the module and
//! puts its functions into this module's table, so that they can be called by address like any other
//! function.

#[allow(dead_code, reason = "each module uses one side of it")]
pub mod call;
#[cfg(target_arch = "wasm32")]
mod check;
#[cfg(target_arch = "wasm32")]
mod module;
mod unpacked;

#[cfg(target_arch = "wasm32")]
pub use module::{Functions, Module, installed};

#[cfg(test)]
mod tests {
    use super::call::ProductCall;
    use super::unpacked::for_each_panel;
    use crate::Activation;
    use crate::packed::{PackedMatrix, pack_bytes};
    use crate::panels::{Panels, StridedRows, pack_rows, panels_len};
    use crate::product::{Epilogue, Product};
    use crate::simd::Simd;

    /// More than a block.
    const ROWS: usize = 130;
    const DEPTH: usize = 13;
    const COLUMNS: usize = 11;

    /// Distinct values, so that no operand can be mistaken for another.
    fn values(seed: usize, len: usize) -> Vec<f32> {
        (0..len).map(|index| ((index * 37 + seed * 101) % 211) as f32 / 100.0 - 1.0).collect()
    }

    /// The product with these panels, computed directly or through a call.
    fn compute(panels: Panels<'_>, epilogue: Option<Epilogue<'_>>, through_call: bool) -> Vec<f32> {
        let input = values(1, ROWS * (DEPTH + 2));
        let mut output = vec![9.0; ROWS * (COLUMNS + 3)];
        let product = Product {
            input: StridedRows { data: &input, stride: DEPTH + 2 },
            rows: ROWS,
            panels,
            depth: DEPTH,
            columns: COLUMNS,
            output: &mut output,
            output_stride: COLUMNS + 3,
            epilogue,
        };
        if through_call {
            call(product);
        } else {
            product.run(Simd::BASELINE);
        }
        output
    }

    fn call(mut product: Product<'_>) {
        match product.panels {
            Panels::Compact(panels) => for_each_panel(product, panels, Simd::BASELINE, call),
            // SAFETY: `product` is borrowed until the end of the call.
            _ => unsafe { ProductCall::new(&mut product).run(Simd::BASELINE) },
        }
    }

    #[test]
    fn calls_compute_the_product_they_were_made_from() {
        let lanes = Simd::BASELINE.lanes();
        let weight = values(2, COLUMNS * DEPTH);
        let mut floats = vec![0.0; panels_len(DEPTH, COLUMNS, lanes)];
        pack_rows(StridedRows { data: &weight, stride: DEPTH }, DEPTH, COLUMNS, lanes, &mut floats);
        let bytes: Vec<i8> = weight.iter().map(|value| (value * 100.0) as i8).collect();
        let bytes = pack_bytes(&bytes, DEPTH, lanes, Simd::BASELINE.adjacent());
        let halves: Vec<u16> = weight.iter().map(|&value| half::f16::from_f32(value).to_bits()).collect();
        let halves = PackedMatrix::from_f16(&halves, values(7, COLUMNS), DEPTH, Simd::BASELINE);
        let (bias, residual) = (values(3, COLUMNS), values(4, ROWS * (COLUMNS + 1)));
        let (column_scale, scale) = (values(5, COLUMNS), values(6, COLUMNS));
        let plain = Epilogue {
            column_scale: None,
            bias: &bias,
            activation: Activation::Relu,
            residual: None,
            scale: None,
        };
        let full = Epilogue {
            column_scale: Some(&column_scale),
            residual: Some(StridedRows { data: &residual, stride: COLUMNS + 1 }),
            scale: Some(&scale),
            activation: Activation::Gelu,
            ..plain
        };
        for panels in [Panels::F32(&floats), Panels::I8(&bytes), halves.panels_from(0).0] {
            let of = |epilogue, through_call| compute(panels, epilogue, through_call);
            let direct = [None, Some(plain), Some(full)].map(|epilogue| of(epilogue, false));
            assert!(direct[0] != direct[1] && direct[1] != direct[2], "the epilogues change nothing");
            assert_eq!([None, Some(plain), Some(full)].map(|epilogue| of(epilogue, true)), direct);
        }
    }
}
