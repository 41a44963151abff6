//! Packing of the right-hand matrix of a product into panels of `L` columns, the last panel zero-padded. The layout is
//! `[columns / L][depth][L]` for floats and `[columns / L][depth / A][L][A]` for bytes, where `A` adjacent values of a
//! row are multiplied by one instruction.

/// A matrix whose rows are `stride` floats apart.
#[derive(Clone, Copy, Debug)]
pub struct StridedRows<'a> {
    /// Values from the start of the first row.
    pub data: &'a [f32],
    /// Distance between the starts of adjacent rows, in floats.
    pub stride: usize,
}

impl<'a> StridedRows<'a> {
    /// Rows that are `stride` floats apart, from column `first` on.
    pub fn new(values: &'a [f32], stride: u32, first: u32) -> Self {
        StridedRows { data: &values[first as usize..], stride: stride as usize }
    }

    /// The rows starting at `row`, and their columns starting at `column`.
    #[inline(always)]
    pub fn from(self, row: usize, column: usize) -> Self {
        StridedRows { data: &self.data[row * self.stride + column..], ..self }
    }
}

/// A packed right-hand matrix.
#[derive(Clone, Copy)]
pub(crate) enum Panels<'a> {
    /// Floats.
    F32(&'a [f32]),
    /// Bytes; the epilogue applies their scales as `column_scale`.
    I8(&'a [i8]),
    /// Floats in fewer bits.
    Compact(CompactPanels<'a>),
}

/// Floats in fewer bits, unpacked right before they are multiplied.
#[derive(Clone, Copy)]
pub(crate) struct CompactPanels<'a> {
    /// The values, before their columns are scaled.
    pub values: CompactValues<'a>,
    /// The scale of each column, for whole panels.
    pub scales: &'a [f32],
}

/// The values of [`CompactPanels`].
#[derive(Clone, Copy)]
pub(crate) enum CompactValues<'a> {
    /// The bits of 16-bit floats.
    F16(&'a [u16]),
    /// 4-bit integers.
    Q4 {
        /// `[columns / L][depth / 2][L]`: two adjacent integers per byte, low nibble first.
        nibbles: &'a [u8],
        /// `[columns / L][depth / Q4_GROUP][L]`: the bits of each group's scale, a 16-bit float.
        groups: &'a [u16],
    },
}

/// Number of adjacent 4-bit values of a row that share a scale. Rows are whole groups.
pub const Q4_GROUP: usize = 32;

/// Panics unless the numbers of 4-bit values and groups match a matrix of this shape.
pub(crate) fn check_q4(nibbles: &[u8], groups: &[u16], rows: usize, columns: usize) {
    let groups_len = rows * columns / Q4_GROUP;
    let is_whole = columns.is_multiple_of(Q4_GROUP) && groups.len() == groups_len;
    assert!(is_whole && nibbles.len() == groups_len * Q4_GROUP / 2, "a matrix is as long as its shape says");
}

/// Length of a packed `depth × columns` matrix.
pub(crate) fn panels_len(depth: usize, columns: usize, lanes: usize) -> usize {
    columns.div_ceil(lanes) * lanes * depth
}

/// Packs a row-major matrix `[columns, depth]` (a weight, or keys) into panels, transposing it.
pub(crate) fn pack_rows(
    source: StridedRows<'_>,
    depth: usize,
    columns: usize,
    lanes: usize,
    panels: &mut [f32],
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
                panel[lane..].iter_mut().step_by(lanes).for_each(|to| *to = 0.0);
            }
        }
    }
}

/// Packs a row-major matrix `[depth, columns]` (values) into panels, without transposing it.
pub(crate) fn pack_columns(
    source: StridedRows<'_>,
    depth: usize,
    columns: usize,
    lanes: usize,
    panels: &mut [f32],
) {
    for (index, panel) in panels.chunks_exact_mut(depth * lanes).enumerate() {
        let first = index * lanes;
        let width = lanes.min(columns - first);
        for (position, to) in panel.chunks_exact_mut(lanes).enumerate() {
            to[..width].copy_from_slice(&source.data[position * source.stride + first..][..width]);
            to[width..].fill(0.0);
        }
    }
}
