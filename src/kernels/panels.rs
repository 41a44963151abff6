//! The right-hand matrix of a product: panels of `L` columns, the last one filled with zeros. Floats stand in them as
//! `[columns / L][depth][L]`, bytes in pairs as `[columns / L][depth / 2][L][2]`.

/// Rows of a matrix, `stride` floats apart.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    /// Starts with the first row.
    pub data: &'a [f32],
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

/// Pairs of a sum of so many products.
pub(super) const fn pairs(depth: usize) -> usize {
    depth.div_ceil(2)
}

/// A row-major weight of bytes, `[out, in]` with `in` being `depth`, in panels.
pub(super) fn pack_bytes(weight: &[i8], depth: usize, lanes: usize) -> Vec<i8> {
    let columns = weight.len() / depth;
    let panel = pairs(depth) * lanes * 2;
    let mut panels = vec![0; columns.div_ceil(lanes) * panel];
    for (column, row) in weight.chunks_exact(depth).enumerate() {
        let start = column / lanes * panel + column % lanes * 2;
        for (to, pair) in panels[start..].chunks_mut(lanes * 2).zip(row.chunks(2)) {
            to[..pair.len()].copy_from_slice(pair);
        }
    }
    panels
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
