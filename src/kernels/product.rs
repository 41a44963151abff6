//! The matrix product that linears and attention share: `output = input · panelsᵀ`, in tiles that stay in registers
//! over blocks that stay in the caches.
//!
//! Every output element is summed up in the same order, whatever the tile, so that a result depends neither on the number
//! of threads nor on the rows computed beside it.

mod bytes;
mod finish;
mod floats;

use std::ops::Range;

use self::bytes::Bytes;
use self::finish::Finish;
use self::floats::Floats;
use super::panels::{Panels, Rows};
use super::simd::{Lanes, Simd, Task};
use crate::plan::Activation;

/// Rows that pass together over a block of the right-hand matrix: with a panel's block they stay in the second cache.
const ROW_BLOCK: usize = 128;

/// What happens to a finished sum before it is left in memory.
#[derive(Clone, Copy)]
pub(super) struct Epilogue<'a> {
    /// `[columns]`: factors of the sums, applied first.
    pub column_scale: Option<&'a [f32]>,
    /// `[columns]`, added next.
    pub bias: &'a [f32],
    /// Applied after the bias.
    pub activation: Activation,
    /// `[rows, columns]`, added after the activation.
    pub residual: Option<&'a [f32]>,
    /// `[columns]`: factors of the residual.
    pub scale: Option<&'a [f32]>,
}

impl<'a> Epilogue<'a> {
    /// What is left to do with sums of some rows, from `first_row` on, and of a panel's columns, of `width` in all.
    fn finish<'b>(
        &self,
        sums: &'b mut [f32],
        stride: usize,
        rows: usize,
        first_row: usize,
        width: usize,
        columns: Range<usize>,
    ) -> Finish<'b>
    where
        'a: 'b,
    {
        Finish {
            sums,
            stride,
            rows,
            column_scale: self.column_scale.map(|scale| &scale[columns.clone()]),
            activation: self.activation,
            bias: &self.bias[columns.clone()],
            residual: self.residual.map(|residual| &residual[first_row * width + columns.start..]),
            residual_stride: width,
            scale: self.scale.map(|scale| &scale[columns]),
        }
    }
}

/// One matrix product.
pub(super) struct Product<'a> {
    /// Left-hand matrix.
    pub input: Rows<'a>,
    /// Rows computed.
    pub rows: usize,
    /// Right-hand matrix.
    pub panels: Panels<'a>,
    /// Length of a sum.
    pub depth: usize,
    /// Columns of the output.
    pub columns: usize,
    /// Starts with the first row of the output.
    pub output: &'a mut [f32],
    /// Distance of output rows.
    pub output_stride: usize,
    /// Nothing for the bare sums.
    pub epilogue: Option<Epilogue<'a>>,
}

impl<'a> Product<'a> {
    /// Computes it.
    pub fn run(self, simd: Simd) {
        let depth = self.depth;
        match self.panels {
            Panels::F32(panels) => self.blocks(simd, &mut Floats::new(panels, depth)),
            Panels::I8(panels) => self.blocks(simd, &mut Bytes::new(panels, depth)),
        }
    }

    /// The sums and what is done with them are compiled apart, so that neither takes registers of the other.
    fn blocks(self, simd: Simd, factors: &mut impl Factors<'a>) {
        let lanes = simd.lanes();
        let depth_block = factors.depth_block(simd);
        for first_row in (0..self.rows).step_by(ROW_BLOCK) {
            let rows = ROW_BLOCK.min(self.rows - first_row);
            for depth in (0..self.depth).step_by(depth_block) {
                let depth_end = self.depth.min(depth + depth_block);
                let input = &self.input.data[first_row * self.input.stride + depth..];
                factors.begin(Rows { data: input, ..self.input }, rows, depth_end - depth, simd);
                for index in 0..self.columns.div_ceil(lanes) {
                    let column = index * lanes;
                    let width = lanes.min(self.columns - column);
                    let output = &mut self.output[first_row * self.output_stride + column..];
                    let stride = self.output_stride;
                    let part = Part { rows, add: depth > 0, output: &mut *output, stride, width };
                    factors.sums(index, depth, part, simd);
                    if depth_end == self.depth
                        && let Some(epilogue) = &self.epilogue
                    {
                        let columns = column..column + width;
                        simd.run(epilogue.finish(output, stride, rows, first_row, self.columns, columns));
                    }
                }
            }
        }
    }
}

/// Both sides of a product, of either kind.
trait Factors<'a> {
    /// Length of the sums that are taken at once; the last ones of a row may be shorter.
    fn depth_block(&self, simd: Simd) -> usize;
    /// Turns to the first `depth` values of the first `rows` rows of `input`.
    fn begin(&mut self, input: Rows<'a>, rows: usize, depth: usize, simd: Simd);
    /// These rows times as much of a panel, from position `first` on.
    fn sums(&mut self, panel: usize, first: usize, part: Part<'_>, simd: Simd);
}

/// Where the sums of a block of rows and of a panel's columns go.
struct Part<'a> {
    rows: usize,
    /// To what is there.
    add: bool,
    /// Starts with the first row's first column.
    output: &'a mut [f32],
    stride: usize,
    width: usize,
}

impl Part<'_> {
    #[inline(always)]
    fn store<V: Lanes<L>, const L: usize>(&mut self, row: usize, sum: V) {
        let to = &mut self.output[row * self.stride..][..self.width];
        match <&mut [f32; L]>::try_from(&mut *to) {
            Ok(full) if self.add => V::load(full).add_scaled(1.0, sum).store(full),
            Ok(full) => sum.store(full),
            Err(_) => {
                let mut values = [0.0; L];
                sum.store(&mut values);
                for (to, value) in to.iter_mut().zip(values) {
                    *to = if self.add { *to + value } else { value };
                }
            }
        }
    }
}

/// Sums that are computed a tile of rows at a time.
trait Tiles {
    /// Rows in all.
    fn rows(&self) -> usize;
    /// `M` rows: `M · L` sums in registers.
    fn tile<V: Lanes<L>, const L: usize, const M: usize>(&mut self, row: usize);
}

/// All rows, in tiles of as many as fill the registers and one of the rest.
struct InTiles<T>(T);

impl<T: Tiles> Task for InTiles<T> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<L>, const L: usize, const R: usize>(self) {
        let InTiles(mut tiles) = self;
        let rows = tiles.rows();
        let mut row = 0;
        while row < rows {
            let count = R.min(rows - row);
            // `count` is at most `R`: arms above it are never compiled.
            match count {
                8 => tiles.tile::<V, L, 8>(row),
                7 => tiles.tile::<V, L, 7>(row),
                6 => tiles.tile::<V, L, 6>(row),
                5 => tiles.tile::<V, L, 5>(row),
                4 => tiles.tile::<V, L, 4>(row),
                3 => tiles.tile::<V, L, 3>(row),
                2 => tiles.tile::<V, L, 2>(row),
                _ => tiles.tile::<V, L, 1>(row),
            }
            row += count;
        }
    }
}
