//! The functions of the second module.

use std::sync::OnceLock;

use super::call::{ProductCall, ProductFunction, VERSION};
use super::check;
use super::unpacked::for_each_panel;
use crate::panels::Panels;
use crate::product::Product;
use crate::simd::{Kind, Simd};

/// The second module, as instantiated by JavaScript.
#[derive(Clone, Copy, Debug)]
pub struct Module<'a> {
    /// The result of its `version`.
    pub version: u32,
    /// The address range of its data and stack.
    pub region: (usize, usize),
    /// Index of its `product` in this module's function table.
    pub product: usize,
    /// Name of the best instruction set: not all of the module's are fast on every processor.
    pub best: &'a str,
}

/// Functions that have passed the checks.
#[derive(Clone, Copy, Debug)]
pub struct Functions {
    product: ProductFunction,
    best: Kind,
}

static INSTALLED: OnceLock<Functions> = OnceLock::new();

/// The functions of the second module, if it is installed.
pub fn installed() -> Option<&'static Functions> {
    INSTALLED.get()
}

unsafe extern "C" {
    /// Linker symbols; only their addresses are meaningful.
    static __stack_high: u8;
    static __global_base: u8;
}

impl Module<'_> {
    /// Makes the module's instruction sets available.
    ///
    /// # Errors
    /// A description of the problem with the module.
    pub fn install(self) -> Result<(), &'static str> {
        if self.version != VERSION {
            return Err("it was compiled for another version");
        }
        // Between this module's stack and its data.
        let free = (&raw const __stack_high as usize, &raw const __global_base as usize);
        if self.region.0 < free.0 || self.region.1 > free.1 || self.region.0 >= self.region.1 {
            return Err("there is no room for its memory");
        }
        // SAFETY: in wasm, a function's address is its index in the table, and JavaScript has put `product` there. The
        // version says that both modules were compiled with the same `call.rs`, which declares its type. Were the index
        // wrong, the call would trap, because the function there has another type.
        let product = unsafe { std::mem::transmute::<usize, ProductFunction>(self.product) };
        let best = [Kind::Relaxed, Kind::RelaxedDot].into_iter().find(|kind| Simd(*kind).name() == self.best);
        let functions = Functions { product, best: best.unwrap_or(Kind::Baseline) };
        check::results(&|product| functions.product(product))?;
        INSTALLED.get_or_init(|| functions);
        Ok(())
    }
}

impl Functions {
    /// The module's best instruction set on this processor.
    pub fn best(&self) -> Simd {
        Simd(self.best)
    }

    /// Computes a product.
    pub(crate) fn product(&self, product: Product<'_>) {
        match product.panels {
            Panels::Compact(panels) => {
                for_each_panel(product, panels, Simd::BASELINE, |product| self.call(product));
            }
            _ => self.call(product),
        }
    }

    fn call(&self, mut product: Product<'_>) {
        // SAFETY: the call is made from the product, which is borrowed until it returns.
        unsafe { (self.product)(&mut ProductCall::new(&mut product)) };
    }
}
