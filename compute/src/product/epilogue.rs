//! The epilogue of the matrix product: everything after the sums.

use std::ops::Range;

use super::Epilogue;
use crate::Activation;
use crate::functions;
use crate::simd::{Arithmetic, Lanes, Task};

impl Epilogue<'_> {
    /// The residual of a row, starting at the panel's first column.
    #[inline(always)]
    fn residual(&self, row: usize) -> Option<&[f32]> {
        self.residual.map(|residual| residual.from(row, 0).data)
    }
}

/// Applies an epilogue to the sums of some of its rows, in place.
pub struct ApplyEpilogue<'a> {
    /// The sums, starting at the first row's first column.
    pub sums: &'a mut [f32],
    pub stride: usize,
    pub rows: Range<usize>,
    /// The epilogue for the columns of one panel, starting at the first row of its block.
    pub epilogue: Epilogue<'a>,
}

impl Task for ApplyEpilogue<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<L>, const L: usize, const MR: usize>(mut self) {
        if self.epilogue.bias.len() == L {
            self.full::<V, L>();
        } else {
            self.narrow::<V>();
        }
    }
}

impl ApplyEpilogue<'_> {
    /// Handles a full panel, whose columns are one vector.
    #[inline(always)]
    fn full<V: Lanes<L>, const L: usize>(&mut self) {
        let epilogue = self.epilogue;
        let bias = first::<V, L>(epilogue.bias);
        let column_scale = epilogue.column_scale.map(first::<V, L>);
        let scale = epilogue.scale.map(first::<V, L>);
        for (index, row) in self.rows.clone().enumerate() {
            let Some(to) = self.sums[index * self.stride..].first_chunk_mut::<L>() else { return };
            let mut sums = V::load(to);
            if let Some(scale) = column_scale {
                sums = sums.multiply(scale);
            }
            sums = sums.add(bias);
            match epilogue.activation {
                Activation::Identity => {}
                Activation::Relu => sums = sums.relu(),
                activation => {
                    sums.store(to);
                    functions::activate::<V>(activation, to);
                    sums = V::load(to);
                }
            }
            if let Some(residual) = epilogue.residual(row) {
                let residual = first::<V, L>(residual);
                sums = sums.add(scale.map_or(residual, |scale| residual.multiply(scale)));
            }
            sums.store(to);
        }
    }

    /// Handles the last panel of a matrix, with fewer columns than a vector has lanes.
    #[inline(always)]
    fn narrow<A: Arithmetic>(&mut self) {
        let epilogue = self.epilogue;
        let width = epilogue.bias.len();
        for (index, row) in self.rows.clone().enumerate() {
            let sums = &mut self.sums[index * self.stride..][..width];
            if let Some(scale) = epilogue.column_scale {
                functions::multiply(sums, &scale[..width]);
            }
            functions::add(sums, epilogue.bias);
            functions::activate::<A>(epilogue.activation, sums);
            if let Some(residual) = epilogue.residual(row) {
                let residual = &residual[..width];
                match epilogue.scale {
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
