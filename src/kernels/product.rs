//! The matrix product that linears and attention share: `output = input · panelsᵀ`, in tiles that stay in registers
//! over blocks that stay in the caches.
//!
//! The right-hand matrix comes as panels of `L` columns: `[columns / L][depth][L]`, its last panel filled with zeros.
//! Every output element is summed up in the same order, whatever the tile, so that a result depends neither on the number
//! of threads nor on the rows computed beside it.

use super::functions;
use super::simd::{Lanes, Simd, Task};
use crate::plan::Activation;

/// Rows that pass together over a block of the right-hand matrix: with [`DEPTH_BLOCK`] they stay in the second cache.
const ROW_BLOCK: usize = 128;

/// Floats of a panel's block, which stays in the first cache: 16 KiB.
const PANEL_BLOCK: usize = 4096;

/// Left-hand rows: `rows` of `depth` floats, `stride` apart.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    /// Starts with the first row.
    pub data: &'a [f32],
    /// Distance of rows.
    pub stride: usize,
}

/// What happens to a finished sum before it is left in memory.
#[derive(Clone, Copy)]
pub(super) struct Epilogue<'a> {
    /// `[columns]`, added first.
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
    /// Right-hand matrix in panels.
    pub panels: &'a [f32],
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

/// Length of the panels of a `depth × columns` matrix in floats.
pub(super) fn panels_len(depth: usize, columns: usize, lanes: usize) -> usize {
    columns.div_ceil(lanes) * lanes * depth
}

/// Packs rows that are dotted with (`columns` rows of `depth`, such as a weight `[out, in]` or keys) into panels.
pub(super) fn pack_rows(source: Rows<'_>, depth: usize, columns: usize, lanes: usize, panels: &mut [f32]) {
    for (index, panel) in panels.chunks_exact_mut(depth * lanes).enumerate() {
        let first = index * lanes;
        for lane in 0..lanes {
            if first + lane < columns {
                let row = &source.data[(first + lane) * source.stride..][..depth];
                for (to, &value) in panel[lane..].iter_mut().step_by(lanes).zip(row) {
                    *to = value;
                }
            } else {
                panel[lane..].iter_mut().step_by(lanes).for_each(|to| *to = 0.0);
            }
        }
    }
}

/// Packs rows that are summed up (`depth` rows of `columns`, such as values) into panels.
pub(super) fn pack_columns(source: Rows<'_>, depth: usize, columns: usize, lanes: usize, panels: &mut [f32]) {
    for (index, panel) in panels.chunks_exact_mut(depth * lanes).enumerate() {
        let first = index * lanes;
        let width = lanes.min(columns - first);
        for (position, to) in panel.chunks_exact_mut(lanes).enumerate() {
            to[..width].copy_from_slice(&source.data[position * source.stride + first..][..width]);
            to[width..].fill(0.0);
        }
    }
}

impl Product<'_> {
    /// Computes it. The sums and what is done with them are compiled apart, so that neither takes registers of the other.
    pub fn run(self, simd: Simd) {
        let lanes = simd.lanes();
        let depth_block = PANEL_BLOCK / lanes;
        for first_row in (0..self.rows).step_by(ROW_BLOCK) {
            let rows = ROW_BLOCK.min(self.rows - first_row);
            for depth in (0..self.depth).step_by(depth_block) {
                let depth_end = self.depth.min(depth + depth_block);
                for (index, panel) in self.panels.chunks_exact(self.depth * lanes).enumerate() {
                    let column = index * lanes;
                    let width = lanes.min(self.columns - column);
                    let output = &mut self.output[first_row * self.output_stride + column..];
                    simd.run(Sums {
                        input: &self.input.data[first_row * self.input.stride + depth..],
                        input_stride: self.input.stride,
                        rows,
                        panel: &panel[depth * lanes..depth_end * lanes],
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
        for row in 0..self.rows {
            // A length known to the compiler spares full panels the loops' ends.
            if self.bias.len() == L {
                self.row(row, L);
            } else {
                self.row(row, self.bias.len());
            }
        }
    }
}

impl Finish<'_> {
    #[inline(always)]
    fn row(&mut self, row: usize, width: usize) {
        let sums = &mut self.sums[row * self.stride..][..width];
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
