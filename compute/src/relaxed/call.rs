//! The argument of calls from the main wasm module to the one with relaxed SIMD: a C struct of addresses in
//! their shared memory. It is compiled into both modules from this file.

use std::slice;

use crate::Activation;
use crate::Simd;
use crate::panels::{Panels, StridedRows};
use crate::product::{Epilogue, Product};

/// Changes whenever the struct or the meaning of a field does.
pub const VERSION: u32 = 1;

/// Computes a product in the other module.
pub type ProductFunction = unsafe extern "C" fn(&mut ProductCall);

/// The address and length of a slice; null for `None`.
#[repr(C)]
struct Slice<T> {
    data: *mut T,
    len: usize,
}

impl<T> Slice<T> {
    const NONE: Self = Slice { data: std::ptr::null_mut(), len: 0 };

    fn of(values: &[T]) -> Self {
        Slice { data: values.as_ptr().cast_mut(), len: values.len() }
    }

    fn of_mut(values: &mut [T]) -> Self {
        Slice { data: values.as_mut_ptr(), len: values.len() }
    }

    fn optional(values: Option<&[T]>) -> Self {
        values.map_or(Slice::NONE, Slice::of)
    }

    /// # Safety
    /// Same as [`Slice::get_optional`], and it isn't `NONE`.
    unsafe fn get<'a>(&self) -> &'a [T] {
        // SAFETY: see above.
        unsafe { slice::from_raw_parts(self.data, self.len) }
    }

    /// # Safety
    /// It was made by `of` or `optional`, from a slice that is borrowed for `'a`.
    unsafe fn get_optional<'a>(&self) -> Option<&'a [T]> {
        // SAFETY: see above.
        (!self.data.is_null()).then(|| unsafe { self.get() })
    }

    /// # Safety
    /// It was made by `of_mut`, from a slice that is borrowed for `'a`, and this is called once.
    unsafe fn get_mut<'a>(&self) -> &'a mut [T] {
        // SAFETY: see above.
        unsafe { slice::from_raw_parts_mut(self.data, self.len) }
    }
}

/// A [`Product`].
#[repr(C)]
pub struct ProductCall {
    input: Slice<f32>,
    input_stride: usize,
    rows: usize,
    /// One of the two is `NONE`.
    floats: Slice<f32>,
    bytes: Slice<i8>,
    depth: usize,
    columns: usize,
    output: Slice<f32>,
    output_stride: usize,
    has_epilogue: bool,
    activation: Activation,
    column_scale: Slice<f32>,
    bias: Slice<f32>,
    residual: Slice<f32>,
    residual_stride: usize,
    scale: Slice<f32>,
}

impl ProductCall {
    /// The call that computes `product`, which it borrows.
    pub(crate) fn new(product: &mut Product<'_>) -> Self {
        let (floats, bytes) = match product.panels {
            Panels::F32(panels) => (Slice::of(panels), Slice::NONE),
            Panels::I8(panels) => (Slice::NONE, Slice::of(panels)),
            Panels::Compact(_) => unreachable!("compact panels are unpacked by this module"),
        };
        let epilogue = product.epilogue.as_ref();
        let residual = epilogue.and_then(|epilogue| epilogue.residual);
        ProductCall {
            input: Slice::of(product.input.data),
            input_stride: product.input.stride,
            rows: product.rows,
            floats,
            bytes,
            depth: product.depth,
            columns: product.columns,
            output: Slice::of_mut(product.output),
            output_stride: product.output_stride,
            has_epilogue: epilogue.is_some(),
            activation: epilogue.map_or(Activation::Identity, |epilogue| epilogue.activation),
            column_scale: Slice::optional(epilogue.and_then(|epilogue| epilogue.column_scale)),
            bias: Slice::optional(epilogue.map(|epilogue| epilogue.bias)),
            residual: Slice::optional(residual.map(|residual| residual.data)),
            residual_stride: residual.map_or(0, |residual| residual.stride),
            scale: Slice::optional(epilogue.and_then(|epilogue| epilogue.scale)),
        }
    }

    /// Computes the product.
    ///
    /// # Safety
    /// The call was made by [`ProductCall::new`], and the product that it was made from is still borrowed.
    pub unsafe fn run(&mut self, simd: Simd) {
        // SAFETY: see above.
        unsafe { self.product() }.run(simd);
    }

    /// # Safety
    /// Same as [`ProductCall::run`], and no other product made from this call exists.
    unsafe fn product(&mut self) -> Product<'_> {
        // SAFETY: every slice was made from one of the product's, in the way that its `get` requires.
        unsafe {
            let panels = match self.floats.get_optional() {
                Some(panels) => Panels::F32(panels),
                None => Panels::I8(self.bytes.get()),
            };
            let residual = self.residual.get_optional();
            let epilogue = self.has_epilogue.then(|| Epilogue {
                column_scale: self.column_scale.get_optional(),
                bias: self.bias.get(),
                activation: self.activation,
                residual: residual.map(|data| StridedRows { data, stride: self.residual_stride }),
                scale: self.scale.get_optional(),
            });
            Product {
                input: StridedRows { data: self.input.get(), stride: self.input_stride },
                rows: self.rows,
                panels,
                depth: self.depth,
                columns: self.columns,
                output: self.output.get_mut(),
                output_stride: self.output_stride,
                epilogue,
            }
        }
    }
}
