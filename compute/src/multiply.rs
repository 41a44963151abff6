//! The matrix product, which is computed by a second module in browsers with relaxed SIMD.

#[cfg(target_arch = "wasm32")]
use crate::panels::Panels;
use crate::product::Product;
use crate::simd::Simd;

impl Simd {
    /// Computes a product.
    pub(crate) fn multiply(self, product: Product<'_>) {
        #[cfg(target_arch = "wasm32")]
        if let Some(functions) = self.relaxed()
            // Bytes are packed for this module's instructions, unless four are adjacent.
            && (self.adjacent() == 4 || !matches!(product.panels, Panels::I8(_)))
        {
            return functions.product(product);
        }
        product.run(self);
    }
}
