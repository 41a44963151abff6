//! The matrix product that linears and attention share: `output = input · panelsᵀ`, in tiles that stay in registers
//! over blocks that stay in the caches.
//!
//! Every output element is summed up in the same order, whatever the tile, so that a result depends neither on the number
//! of threads nor on the rows computed beside it.

use super::functions;
use super::panels::{Floats, PANEL_BLOCK, Panels, Rows, Widened};
use super::simd::{Lanes, Simd, Task};
use crate::plan::Activation;

/// Rows that pass together over a block of the right-hand matrix: with [`PANEL_BLOCK`] they stay in the second cache.
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

impl Product<'_> {
    /// Computes it.
    pub fn run(self, simd: Simd) {
        match self.panels {
            Panels::F32(panels) => self.blocks(simd, panels),
            Panels::I8(panels) => self.blocks(simd, Widened::new(panels)),
        }
    }

    /// The sums and what is done with them are compiled apart, so that neither takes registers of the other.
    fn blocks(self, simd: Simd, mut panels: impl Floats) {
        let lanes = simd.lanes();
        let depth_block = PANEL_BLOCK / lanes;
        for first_row in (0..self.rows).step_by(ROW_BLOCK) {
            let rows = ROW_BLOCK.min(self.rows - first_row);
            for depth in (0..self.depth).step_by(depth_block) {
                let depth_end = self.depth.min(depth + depth_block);
                for index in 0..self.columns.div_ceil(lanes) {
                    let panel = index * self.depth;
                    let column = index * lanes;
                    let width = lanes.min(self.columns - column);
                    let output = &mut self.output[first_row * self.output_stride + column..];
                    simd.run(Sums {
                        input: &self.input.data[first_row * self.input.stride + depth..],
                        input_stride: self.input.stride,
                        rows,
                        panel: panels.block((panel + depth) * lanes..(panel + depth_end) * lanes, simd),
                        add: depth > 0,
                        output: &mut *output,
                        output_stride: self.output_stride,
                        width,
                    });
                    if depth_end == self.depth
                        && let Some(epilogue) = self.epilogue
                    {
                        let columns = column..column + width;
                        simd.run(Finish {
                            sums: output,
                            stride: self.output_stride,
                            rows,
                            column_scale: epilogue.column_scale.map(|scale| &scale[columns.clone()]),
                            activation: epilogue.activation,
                            bias: &epilogue.bias[columns.clone()],
                            residual: epilogue
                                .residual
                                .map(|residual| &residual[first_row * self.columns + column..]),
                            residual_stride: self.columns,
                            scale: epilogue.scale.map(|scale| &scale[columns]),
                        });
                    }
                }
            }
        }
    }
}

/// A block of rows times a block of a panel, written or added to the output.
struct Sums<'a> {
    input: &'a [f32],
    input_stride: usize,
    rows: usize,
    panel: &'a [f32],
    add: bool,
    output: &'a mut [f32],
    output_stride: usize,
    width: usize,
}

impl Task for Sums<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<L>, const L: usize, const R: usize>(mut self) {
        let mut row = 0;
        while row < self.rows {
            let count = R.min(self.rows - row);
            // `count` is at most `R`: arms above it are never compiled.
            match count {
                8 => self.tile::<V, L, 8>(row),
                7 => self.tile::<V, L, 7>(row),
                6 => self.tile::<V, L, 6>(row),
                5 => self.tile::<V, L, 5>(row),
                4 => self.tile::<V, L, 4>(row),
                3 => self.tile::<V, L, 3>(row),
                2 => self.tile::<V, L, 2>(row),
                _ => self.tile::<V, L, 1>(row),
            }
            row += count;
        }
    }
}

impl Sums<'_> {
    /// `M` rows: `M · L` sums in registers.
    #[inline(always)]
    fn tile<V: Lanes<L>, const L: usize, const M: usize>(&mut self, row: usize) {
        let (panel, _) = self.panel.as_chunks::<L>();
        let len = panel.len();
        let rows: [&[f32]; M] =
            std::array::from_fn(|index| &self.input[(row + index) * self.input_stride..][..len]);
        let mut sums = [V::zero(); M];
        for position in 0..len {
            // SAFETY: the panel has `len` entries. (Checked, the loop costs a compare and a branch for every step, which
            // the compiler does not see to be needless.)
            let right = V::load(unsafe { panel.get_unchecked(position) });
            for index in 0..M {
                // SAFETY: every row was cut to `len` entries above.
                let left = unsafe { *rows[index].get_unchecked(position) };
                sums[index] = sums[index].add_scaled(left, right);
            }
        }
        for (index, sum) in sums.into_iter().enumerate() {
            self.store(row + index, sum);
        }
    }

    #[inline(always)]
    fn store<V: Lanes<L>, const L: usize>(&mut self, row: usize, sum: V) {
        let to = &mut self.output[row * self.output_stride..][..self.width];
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

/// What follows the sums, over the columns of one panel.
struct Finish<'a> {
    sums: &'a mut [f32],
    stride: usize,
    rows: usize,
    column_scale: Option<&'a [f32]>,
    activation: Activation,
    bias: &'a [f32],
    residual: Option<&'a [f32]>,
    residual_stride: usize,
    scale: Option<&'a [f32]>,
}

impl Task for Finish<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<L>, const L: usize, const R: usize>(mut self) {
        // Asked once, not a row: floats must not pay for what bytes need.
        match self.column_scale {
            Some(scale) => self.rows::<L>(|sums| functions::multiply(sums, &scale[..sums.len()])),
            None => self.rows::<L>(|_| ()),
        }
    }
}

impl Finish<'_> {
    #[inline(always)]
    fn rows<const L: usize>(&mut self, scale: impl Fn(&mut [f32])) {
        for row in 0..self.rows {
            // A length known to the compiler spares full panels the loops' ends.
            if self.bias.len() == L {
                self.row(row, L, &scale);
            } else {
                self.row(row, self.bias.len(), &scale);
            }
        }
    }

    #[inline(always)]
    fn row(&mut self, row: usize, width: usize, scale: impl Fn(&mut [f32])) {
        let sums = &mut self.sums[row * self.stride..][..width];
        scale(sums);
        functions::add(sums, &self.bias[..width]);
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
