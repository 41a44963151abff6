//! The matrix product that linears and attention share: `output = input · panelsᵀ`, in tiles that stay in registers
//! over blocks that stay in the caches.
//!
//! The right-hand matrix comes as panels of `L` columns: `[columns / L][depth][L]`, its last panel filled with zeros.
//! Every output element is one sum in the order of `depth`, whatever the tile, so that a result depends neither on the
//! number of threads nor on the rows computed beside it.

use super::functions;
use super::simd::{Lanes, Task};
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

impl Task for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<L>, const L: usize, const R: usize>(mut self) {
        let depth_block = PANEL_BLOCK / L;
        for first_row in (0..self.rows).step_by(ROW_BLOCK) {
            let end_row = self.rows.min(first_row + ROW_BLOCK);
            for depth in (0..self.depth).step_by(depth_block) {
                let block =
                    Block { rows: (first_row, end_row), depth: (depth, self.depth.min(depth + depth_block)) };
                self.block::<V, L, R>(block);
            }
        }
    }
}

/// The part of a product that is computed at once, over all columns.
struct Block {
    rows: (usize, usize),
    depth: (usize, usize),
}

impl Product<'_> {
    #[inline(always)]
    fn block<V: Lanes<L>, const L: usize, const R: usize>(&mut self, block: Block) {
        let (depth_start, depth_end) = block.depth;
        for (index, panel) in self.panels.chunks_exact(self.depth * L).enumerate() {
            let (panel, _) = panel[depth_start * L..depth_end * L].as_chunks::<L>();
            let column = index * L;
            let width = L.min(self.columns - column);
            let mut row = block.rows.0;
            while row < block.rows.1 {
                let count = R.min(block.rows.1 - row);
                let tile = Tile { row, column, width, depth_start };
                // `count` is at most `R`: arms above it are never compiled.
                match count {
                    8 => self.tile::<V, L, 8>(panel, tile),
                    7 => self.tile::<V, L, 7>(panel, tile),
                    6 => self.tile::<V, L, 6>(panel, tile),
                    5 => self.tile::<V, L, 5>(panel, tile),
                    4 => self.tile::<V, L, 4>(panel, tile),
                    3 => self.tile::<V, L, 3>(panel, tile),
                    2 => self.tile::<V, L, 2>(panel, tile),
                    _ => self.tile::<V, L, 1>(panel, tile),
                }
                if depth_end == self.depth
                    && let Some(epilogue) = self.epilogue
                {
                    for row in row..row + count {
                        let start = row * self.output_stride + column;
                        let sums = &mut self.output[start..start + width];
                        // A length known to the compiler spares full panels the loops' ends.
                        match <&mut [f32; L]>::try_from(&mut *sums) {
                            Ok(sums) => epilogue.apply(sums, row * self.columns, column),
                            Err(_) => epilogue.apply(sums, row * self.columns, column),
                        }
                    }
                }
                row += count;
            }
        }
    }

    /// `M` rows times one panel: `M · L` sums in registers.
    #[inline(always)]
    fn tile<V: Lanes<L>, const L: usize, const M: usize>(&mut self, panel: &[[f32; L]], tile: Tile) {
        let mut sums = [V::zero(); M];
        if tile.depth_start > 0 {
            for (index, sum) in sums.iter_mut().enumerate() {
                *sum = V::load(&self.partial::<L>(tile, index));
            }
        }

        let rows: [&[f32]; M] = std::array::from_fn(|index| {
            &self.input.data[(tile.row + index) * self.input.stride + tile.depth_start..][..panel.len()]
        });
        let (fours, rest) = panel.as_chunks::<4>();
        let inputs: [&[[f32; 4]]; M] =
            std::array::from_fn(|index| &rows[index].as_chunks::<4>().0[..fours.len()]);
        for (position, four) in fours.iter().enumerate() {
            for step in 0..4 {
                let right = V::load(&four[step]);
                for index in 0..M {
                    sums[index] = sums[index].add_scaled(inputs[index][position][step], right);
                }
            }
        }
        let done = fours.len() * 4;
        for (step, right) in rest.iter().enumerate() {
            let right = V::load(right);
            for index in 0..M {
                sums[index] = sums[index].add_scaled(rows[index][done + step], right);
            }
        }

        for (index, sum) in sums.into_iter().enumerate() {
            let to = &mut self.output[(tile.row + index) * self.output_stride + tile.column..][..tile.width];
            match <&mut [f32; L]>::try_from(&mut *to) {
                Ok(full) => sum.store(full),
                Err(_) => {
                    let mut values = [0.0; L];
                    sum.store(&mut values);
                    to.copy_from_slice(&values[..tile.width]);
                }
            }
        }
    }

    /// What earlier blocks of the depth have left in the output.
    #[inline(always)]
    fn partial<const L: usize>(&self, tile: Tile, index: usize) -> [f32; L] {
        let from = &self.output[(tile.row + index) * self.output_stride + tile.column..][..tile.width];
        let mut values = [0.0; L];
        values[..tile.width].copy_from_slice(from);
        values
    }
}

/// Where a tile stands.
#[derive(Clone, Copy)]
struct Tile {
    row: usize,
    column: usize,
    width: usize,
    depth_start: usize,
}

impl Epilogue<'_> {
    /// Finishes the sums of one row of a tile; `row_start` is where the row starts in the residual.
    #[inline(always)]
    fn apply(&self, sums: &mut [f32], row_start: usize, column: usize) {
        let width = sums.len();
        for (sum, bias) in sums.iter_mut().zip(&self.bias[column..column + width]) {
            *sum += bias;
        }
        functions::activate(self.activation, sums);
        if let Some(residual) = self.residual {
            let residual = &residual[row_start + column..][..width];
            match self.scale {
                Some(scale) => functions::add_scaled(sums, residual, &scale[column..column + width]),
                None => functions::add(sums, residual),
            }
        }
    }
}
