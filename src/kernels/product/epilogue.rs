//! The epilogue of the matrix product: everything after the sums.

use crate::kernels::functions;
use crate::kernels::simd::{Lanes, Task};
use crate::plan::Activation;

/// Applies an epilogue to the sums in the columns of one panel, in place.
pub struct ApplyEpilogue<'a> {
    pub sums: &'a mut [f32],
    pub stride: usize,
    pub rows: usize,
    pub column_scale: Option<&'a [f32]>,
    pub activation: Activation,
    pub bias: &'a [f32],
    pub residual: Option<&'a [f32]>,
    pub residual_stride: usize,
    pub scale: Option<&'a [f32]>,
}

impl Task for ApplyEpilogue<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<L>, const L: usize, const MR: usize>(mut self) {
        if self.bias.len() == L {
            self.full::<V, L>();
        } else {
            self.narrow();
        }
    }
}

impl ApplyEpilogue<'_> {
    /// A full panel: its columns are one vector.
    #[inline(always)]
    fn full<V: Lanes<L>, const L: usize>(&mut self) {
        let bias = first::<V, L>(self.bias);
        let column_scale = self.column_scale.map(first::<V, L>);
        let scale = self.scale.map(first::<V, L>);
        for row in 0..self.rows {
            let Some(to) = self.sums[row * self.stride..].first_chunk_mut::<L>() else { return };
            let mut sums = V::load(to);
            if let Some(scale) = column_scale {
                sums = sums.multiply(scale);
            }
            sums = sums.add(bias);
            match self.activation {
                Activation::Identity => {}
                Activation::Relu => sums = sums.relu(),
                activation => {
                    sums.store(to);
                    functions::activate(activation, to);
                    sums = V::load(to);
                }
            }
            if let Some(residual) = self.residual {
                let residual = first::<V, L>(&residual[row * self.residual_stride..]);
                sums = sums.add(scale.map_or(residual, |scale| residual.multiply(scale)));
            }
            sums.store(to);
        }
    }

    /// The last panel of a matrix, with fewer columns than a vector has lanes.
    #[inline(always)]
    fn narrow(&mut self) {
        let width = self.bias.len();
        for row in 0..self.rows {
            let sums = &mut self.sums[row * self.stride..][..width];
            if let Some(scale) = self.column_scale {
                functions::multiply(sums, &scale[..width]);
            }
            functions::add(sums, self.bias);
            functions::activate(self.activation, sums);
            if let Some(residual) = self.residual {
                let residual = &residual[row * self.residual_stride..][..width];
                match self.scale {
                    Some(scale) => functions::add_scaled(sums, residual, &scale[..width]),
                    None => functions::add(sums, residual),
                }
            }
        }
    }
}

/// Loads the first `L` values; the slice must have that many.
#[inline(always)]
fn first<V: Lanes<L>, const L: usize>(values: &[f32]) -> V {
    values.first_chunk().map_or_else(V::zero, V::load)
}
