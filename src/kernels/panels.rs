//! The right-hand matrix of a product: panels of `L` columns, `[columns / L][depth][L]`, the last one filled with zeros.

use std::ops::Range;

use super::simd::{Lanes, Simd, Task};

/// Floats of a panel's block, which stays in the first cache: 16 KiB.
pub(super) const PANEL_BLOCK: usize = 4096;

/// Rows of a matrix, `stride` values apart.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a, T = f32> {
    /// Starts with the first row.
    pub data: &'a [T],
    /// Distance of rows.
    pub stride: usize,
}

/// The right-hand matrix in panels.
#[derive(Clone, Copy)]
pub(super) enum Panels<'a> {
    /// Floats.
    F32(&'a [f32]),
    /// Bytes, whose sums the epilogue multiplies by its `column_scale`.
    I8(&'a [i8]),
}

/// Length of the panels of a `depth × columns` matrix in floats.
pub(super) fn panels_len(depth: usize, columns: usize, lanes: usize) -> usize {
    columns.div_ceil(lanes) * lanes * depth
}

/// Packs rows that are dotted with (`columns` rows of `depth`, such as a weight `[out, in]` or keys) into panels.
pub(super) fn pack_rows<T: Copy + Default>(
    source: Rows<'_, T>,
    depth: usize,
    columns: usize,
    lanes: usize,
    panels: &mut [T],
) {
    for (index, panel) in panels.chunks_exact_mut(depth * lanes).enumerate() {
        let first = index * lanes;
        for lane in 0..lanes {
            if first + lane < columns {
                let row = &source.data[(first + lane) * source.stride..][..depth];
                for (to, &value) in panel[lane..].iter_mut().step_by(lanes).zip(row) {
                    *to = value;
                }
            } else {
                panel[lane..].iter_mut().step_by(lanes).for_each(|to| *to = T::default());
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

/// Panels as the sums read them.
pub(super) trait Floats {
    /// At most [`PANEL_BLOCK`] values of a panel.
    fn block(&mut self, range: Range<usize>, simd: Simd) -> &[f32];
}

impl Floats for &[f32] {
    fn block(&mut self, range: Range<usize>, _: Simd) -> &[f32] {
        &self[range]
    }
}

/// Bytes that become floats a block at a time, once for all rows that pass over it.
pub(super) struct Widened<'a> {
    panels: &'a [i8],
    block: Block,
}

impl<'a> Widened<'a> {
    /// Bytes in panels.
    pub fn new(panels: &'a [i8]) -> Self {
        Widened { panels, block: Block([0.0; PANEL_BLOCK]) }
    }
}

/// Starts on a cache line, so that no vector load crosses two.
#[repr(align(64))]
struct Block([f32; PANEL_BLOCK]);

impl Floats for Widened<'_> {
    fn block(&mut self, range: Range<usize>, simd: Simd) -> &[f32] {
        let to = &mut self.block.0[..range.len()];
        simd.run(Widen { from: &self.panels[range], to: &mut *to });
        to
    }
}

/// Whole vectors of bytes → floats.
struct Widen<'a> {
    from: &'a [i8],
    to: &'a mut [f32],
}

impl Task for Widen<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<L>, const L: usize, const R: usize>(self) {
        for (from, to) in self.from.as_chunks::<L>().0.iter().zip(self.to.as_chunks_mut::<L>().0) {
            V::widen(from).store(to);
        }
    }
}
