//! The GEMM used by linears and attention: `output = input · panelsᵀ`, with register tiles inside cache
//! blocks.
//!
//! Every output element is summed in the same order whatever the tile size, so results depend neither on the
//! number of threads nor on which other rows are computed in the same call.

mod bytes;
mod compact;
mod epilogue;
mod floats;

use std::ops::Range;

use self::bytes::ByteOperands;
use self::epilogue::ApplyEpilogue;
use self::floats::{FloatOperands, FloatPanels, PANEL_BLOCK};
use crate::Activation;
use crate::panels::{Panels, StridedRows};
use crate::simd::{Lanes, Simd, Task, TileRows};

/// Input rows per block. Together with one block of a panel they fit in the L2 cache.
pub(crate) const ROW_BLOCK: usize = 128;

/// Operations applied to each finished sum.
#[derive(Clone, Copy)]
pub(crate) struct Epilogue<'a> {
    /// `[columns]`: factor of the sum, applied first.
    pub column_scale: Option<&'a [f32]>,
    /// `[columns]`, added next.
    pub bias: &'a [f32],
    /// Applied after the bias.
    pub activation: Activation,
    /// `[rows, columns]`, added after the activation.
    pub residual: Option<StridedRows<'a>>,
    /// `[columns]`: factor of the residual.
    pub scale: Option<&'a [f32]>,
}

impl<'a> Epilogue<'a> {
    /// The operations on the given columns, starting at `first_row`.
    pub fn part(&self, first_row: usize, columns: Range<usize>) -> Self {
        Epilogue {
            column_scale: self.column_scale.map(|scale| &scale[columns.clone()]),
            activation: self.activation,
            bias: &self.bias[columns.clone()],
            residual: self.residual.map(|residual| residual.from(first_row, columns.start)),
            scale: self.scale.map(|scale| &scale[columns]),
        }
    }
}

/// One matrix product.
pub(crate) struct Product<'a> {
    /// Left-hand matrix.
    pub input: StridedRows<'a>,
    /// Number of rows to compute.
    pub rows: usize,
    /// Right-hand matrix.
    pub panels: Panels<'a>,
    /// Length of each dot product.
    pub depth: usize,
    /// Number of output columns.
    pub columns: usize,
    /// Output from the start of its first row.
    pub output: &'a mut [f32],
    /// Distance between the starts of adjacent output rows, in floats.
    pub output_stride: usize,
    /// Applied to the finished sums, if any.
    pub epilogue: Option<Epilogue<'a>>,
}

impl<'a> Product<'a> {
    /// Computes the product.
    pub fn run(self, simd: Simd) {
        let depth = self.depth;
        match self.panels {
            Panels::F32(panels) => {
                self.blocks(simd, &mut FloatOperands::new(FloatPanels::F32(panels), depth))
            }
            Panels::I8(panels) => self.blocks(simd, &mut ByteOperands::new(panels, depth)),
            Panels::Compact(panels) => {
                let mut block = CacheAligned([0.0; PANEL_BLOCK]);
                let panels = FloatPanels::Compact { panels, block: &mut block.0 };
                self.blocks(simd, &mut FloatOperands::new(panels, depth));
            }
        }
    }

    /// Not inlined, so that both kinds of floats share it.
    #[inline(never)]
    fn blocks(self, simd: Simd, operands: &mut impl Operands<'a>) {
        let lanes = simd.lanes();
        let depth_block = operands.depth_block(simd);
        for first_row in (0..self.rows).step_by(ROW_BLOCK) {
            let rows = ROW_BLOCK.min(self.rows - first_row);
            for depth in (0..self.depth).step_by(depth_block) {
                let depth_end = self.depth.min(depth + depth_block);
                let input = &self.input.data[first_row * self.input.stride + depth..];
                operands.set_input(StridedRows { data: input, ..self.input }, rows, depth_end - depth, simd);
                let panels = self.columns.div_ceil(lanes);
                for index in 0..panels {
                    let column = index * lanes;
                    let width = lanes.min(self.columns - column);
                    let is_last = depth_end == self.depth;
                    let block = OutputBlock {
                        rows,
                        add: depth > 0,
                        output: &mut self.output[first_row * self.output_stride + column..],
                        stride: self.output_stride,
                        width,
                        epilogue: self
                            .epilogue
                            .filter(|_| is_last)
                            .map(|epilogue| epilogue.part(first_row, column..column + width)),
                    };
                    let next = if index + 1 < panels { (index + 1, depth) } else { (0, depth_end) };
                    operands.multiply_panel((index, depth), next, block, simd);
                }
            }
        }
    }
}

/// Both operands of a product, with panels of floats or of bytes.
trait Operands<'a> {
    /// Length of the partial dot products computed at a time; the last one of a row may be shorter.
    fn depth_block(&self, simd: Simd) -> usize;
    /// Selects the first `depth` values of the first `rows` rows of `input`.
    fn set_input(&mut self, input: StridedRows<'a>, rows: usize, depth: usize, simd: Simd);
    /// Multiplies the selected input with a panel's values starting at a position: `at` is both. `next`, if
    /// any, will be multiplied afterwards, and is prefetched in the meantime.
    fn multiply_panel(
        &mut self,
        at: (usize, usize),
        next: (usize, usize),
        block: OutputBlock<'_>,
        simd: Simd,
    );
}

/// The part of the output for one block of rows and the columns of one panel.
struct OutputBlock<'a> {
    rows: usize,
    /// True if sums are added to the output instead of replacing it.
    add: bool,
    /// Output from the first row's first column.
    output: &'a mut [f32],
    stride: usize,
    width: usize,
    /// Applied to the sums once they are stored.
    epilogue: Option<Epilogue<'a>>,
}

impl OutputBlock<'_> {
    /// Applies the epilogue to rows whose sums are stored. A separate task, so that its vectors don't compete
    /// with a tile's sums for registers; the rows of a tile are still in the L1 cache.
    fn finish(&mut self, rows: Range<usize>, simd: Simd) {
        if let Some(epilogue) = self.epilogue {
            let sums = &mut self.output[rows.start * self.stride..];
            simd.run(ApplyEpilogue { sums, stride: self.stride, rows, epilogue });
        }
    }

    /// The rows from `row` on.
    fn tile(&mut self, row: usize) -> TileRows<'_> {
        let OutputBlock { stride, width, add, .. } = *self;
        TileRows { data: &mut self.output[row * stride..], stride, width, add }
    }
}

/// The bytes of at most `len` values starting at a position; empty past the last one.
fn upcoming<T: bytemuck::NoUninit>(values: &[T], start: usize, len: usize) -> &[u8] {
    let values = values.get(start..).unwrap_or_default();
    bytemuck::cast_slice(&values[..len.min(values.len())])
}

/// An array aligned to a cache line, so that no vector load crosses a line boundary.
#[repr(align(64))]
struct CacheAligned<T, const N: usize>([T; N]);

/// Computes `M × L` tiles of a product, with all accumulators in registers.
trait MicroKernel<'a> {
    /// The block that the sums are stored in.
    fn block(&mut self) -> &mut OutputBlock<'a>;
    /// Computes the tile of `M` rows that starts at `row`.
    fn tile<V: Lanes<L>, const L: usize, const M: usize>(&mut self, row: usize);
}

/// Runs a micro-kernel over all rows of its block, in tiles of at most `MR` rows that differ by at most one row.
struct AllRows<'a, K> {
    kernel: K,
    /// The bytes to prefetch, a part per tile.
    upcoming: &'a [u8],
    simd: Simd,
}

impl<'a, K: MicroKernel<'a>> Task for AllRows<'a, K> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<L>, const L: usize, const MR: usize>(self) {
        let AllRows { mut kernel, mut upcoming, simd } = self;
        let rows = kernel.block().rows;
        let mut tiles = rows.div_ceil(MR);
        let mut row = 0;
        while tiles > 0 {
            let (now, later) = upcoming.split_at(upcoming.len() / tiles);
            V::prefetch(now);
            upcoming = later;
            // The compiler drops the arms above `MR`.
            let count = (rows - row).div_ceil(tiles).min(MR);
            match count {
                12 => kernel.tile::<V, L, 12>(row),
                11 => kernel.tile::<V, L, 11>(row),
                10 => kernel.tile::<V, L, 10>(row),
                9 => kernel.tile::<V, L, 9>(row),
                8 => kernel.tile::<V, L, 8>(row),
                7 => kernel.tile::<V, L, 7>(row),
                6 => kernel.tile::<V, L, 6>(row),
                5 => kernel.tile::<V, L, 5>(row),
                4 => kernel.tile::<V, L, 4>(row),
                3 => kernel.tile::<V, L, 3>(row),
                2 => kernel.tile::<V, L, 2>(row),
                _ => kernel.tile::<V, L, 1>(row),
            }
            kernel.block().finish(row..row + count, simd);
            row += count;
            tiles -= 1;
        }
    }
}
