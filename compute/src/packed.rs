//! Weight matrices, packed into panels for the matrix product once when a model is loaded. They keep their
//! stored format.

use crate::COLUMN_MULTIPLE;
use crate::panels::{self, CompactPanels, CompactValues, Panels, Q4_GROUP, StridedRows};
use crate::simd::Simd;

const _: () = assert!(COLUMN_MULTIPLE.is_multiple_of(Simd::MAX_LANES), "parts of a matrix are whole panels");

/// A weight matrix `[out_features, in_features]`, packed for one instruction set.
#[derive(Clone, Debug)]
pub struct PackedMatrix {
    values: PackedData,
    out_features: usize,
    in_features: usize,
    simd: Simd,
}

/// Packed panels, see [`panels`].
#[derive(Clone, Debug)]
enum PackedData {
    F32(AlignedFloats),
    /// Each row of the matrix is its bytes times its scale.
    Q8 {
        panels: Vec<i8>,
        scales: Vec<f32>,
    },
    /// Each row of the matrix is its values times its scale. There are as many scales as columns in the panels.
    Compact {
        panels: CompactData,
        scales: Vec<f32>,
    },
}

/// See [`CompactValues`].
#[derive(Clone, Debug)]
enum CompactData {
    F16(Vec<u16>),
    Q4 { nibbles: Vec<u8>, groups: Vec<u16> },
}

impl PackedMatrix {
    /// Packs a row-major f32 matrix. `weight` has `out_features · in_features` values; both sizes are at least 1.
    pub fn from_f32(weight: &[f32], out_features: usize, in_features: usize, simd: Simd) -> Self {
        assert_eq!(weight.len(), out_features * in_features, "a matrix is as long as its shape says");
        let lanes = simd.lanes();
        let mut panels = AlignedFloats::zeros(panels::panels_len(in_features, out_features, lanes));
        let rows = StridedRows { data: weight, stride: in_features };
        panels::pack_rows(rows, in_features, out_features, lanes, panels.as_mut_slice());
        PackedMatrix { values: PackedData::F32(panels), out_features, in_features, simd }
    }

    /// Packs a row-major matrix of bytes with one scale per row. Both sizes are at least 1.
    pub fn from_q8(weight: &[i8], scales: Vec<f32>, in_features: usize, simd: Simd) -> Self {
        let out_features = scales.len();
        assert_eq!(weight.len(), out_features * in_features, "a matrix is as long as its shape says");
        let panels = pack_bytes(weight, in_features, simd.lanes(), simd.adjacent());
        PackedMatrix { values: PackedData::Q8 { panels, scales }, out_features, in_features, simd }
    }

    /// Packs a row-major matrix of finite 16-bit floats, given by their bits, with one scale per row. Both sizes are at
    /// least 1.
    pub fn from_f16(weight: &[u16], scales: Vec<f32>, in_features: usize, simd: Simd) -> Self {
        assert_eq!(weight.len(), scales.len() * in_features, "a matrix is as long as its shape says");
        let panels = CompactData::F16(pack_values(weight, in_features, simd.lanes()));
        PackedMatrix::from_compact(panels, scales, in_features, simd)
    }

    /// Packs a row-major matrix of 4-bit integers with one scale per row and, in 16-bit floats, one per group
    /// of 32 columns. There are two integers per byte, low nibble first, in two's complement. Rows are whole
    /// groups; there is at least one of each.
    pub fn from_q4(nibbles: &[u8], groups: &[u16], scales: Vec<f32>, in_features: usize, simd: Simd) -> Self {
        panels::check_q4(nibbles, groups, scales.len(), in_features);
        let panels = CompactData::Q4 {
            nibbles: pack_values(nibbles, in_features / 2, simd.lanes()),
            groups: pack_values(groups, in_features / Q4_GROUP, simd.lanes()),
        };
        PackedMatrix::from_compact(panels, scales, in_features, simd)
    }

    fn from_compact(panels: CompactData, mut scales: Vec<f32>, in_features: usize, simd: Simd) -> Self {
        let out_features = scales.len();
        scales.resize(out_features.next_multiple_of(simd.lanes()), 0.0);
        PackedMatrix { values: PackedData::Compact { panels, scales }, out_features, in_features, simd }
    }

    /// Length of an output row.
    pub fn out_features(&self) -> usize {
        self.out_features
    }

    /// Length of an input row.
    pub fn in_features(&self) -> usize {
        self.in_features
    }

    /// The instruction set that the panels are packed for.
    pub fn simd(&self) -> Simd {
        self.simd
    }

    /// Size in memory in bytes.
    pub fn bytes(&self) -> usize {
        match &self.values {
            PackedData::F32(panels) => size_of_val(panels.as_slice()),
            PackedData::Q8 { panels, scales } => panels.len() + size_of_val(scales.as_slice()),
            PackedData::Compact { panels, scales } => panels.bytes() + size_of_val(scales.as_slice()),
        }
    }

    /// The panels from a column of the product on, which must be at the start of a panel, and for a q8
    /// matrix, the scale of each column.
    pub(crate) fn panels_from(&self, column: usize) -> (Panels<'_>, Option<&[f32]>) {
        assert!(column.is_multiple_of(self.simd.lanes()), "a part of a matrix begins with a panel");
        match &self.values {
            PackedData::F32(panels) => (Panels::F32(&panels.as_slice()[column * self.in_features..]), None),
            PackedData::Q8 { panels, scales } => {
                let depth = self.in_features.next_multiple_of(self.simd.adjacent());
                (Panels::I8(&panels[column * depth..]), Some(&scales[column..]))
            }
            PackedData::Compact { panels, scales } => {
                let values = panels.from(column * self.in_features);
                (Panels::Compact(CompactPanels { values, scales: &scales[column..] }), None)
            }
        }
    }
}

impl CompactData {
    fn bytes(&self) -> usize {
        match self {
            CompactData::F16(values) => size_of_val(values.as_slice()),
            CompactData::Q4 { nibbles, groups } => nibbles.len() + size_of_val(groups.as_slice()),
        }
    }

    /// The values starting at a position.
    fn from(&self, start: usize) -> CompactValues<'_> {
        match self {
            CompactData::F16(values) => CompactValues::F16(&values[start..]),
            CompactData::Q4 { nibbles, groups } => {
                CompactValues::Q4 { nibbles: &nibbles[start / 2..], groups: &groups[start / Q4_GROUP..] }
            }
        }
    }
}

/// Packs a row-major weight `[columns, depth]` into panels, without keeping values of a row adjacent.
fn pack_values<T: Copy + Default>(weight: &[T], depth: usize, lanes: usize) -> Vec<T> {
    let columns = weight.len() / depth;
    let mut panels = vec![T::default(); panels::panels_len(depth, columns, lanes)];
    for (column, row) in weight.chunks_exact(depth).enumerate() {
        let start = column / lanes * lanes * depth + column % lanes;
        for (place, &value) in row.iter().enumerate() {
            panels[start + place * lanes] = value;
        }
    }
    panels
}

/// Packs a row-major weight of bytes `[columns, depth]` into panels.
pub(crate) fn pack_bytes(weight: &[i8], depth: usize, lanes: usize, adjacent: usize) -> Vec<i8> {
    let columns = weight.len() / depth;
    let panel = depth.next_multiple_of(adjacent) * lanes;
    let mut panels = vec![0; columns.div_ceil(lanes) * panel];
    for (column, row) in weight.chunks_exact(depth).enumerate() {
        let start = column / lanes * panel + column % lanes * adjacent;
        for (to, values) in panels[start..].chunks_mut(lanes * adjacent).zip(row.chunks(adjacent)) {
            to[..values.len()].copy_from_slice(values);
        }
    }
    panels
}

/// Floats aligned to a cache line, so that no vector load crosses a line boundary.
#[derive(Clone, Debug, Default)]
pub(crate) struct AlignedFloats(Vec<CacheLine>, usize);

#[repr(C, align(64))]
#[derive(Clone, Copy, Debug, bytemuck::Pod, bytemuck::Zeroable)]
struct CacheLine([f32; 16]);

impl AlignedFloats {
    /// `len` zeros.
    pub fn zeros(len: usize) -> Self {
        AlignedFloats(vec![CacheLine([0.0; 16]); len.div_ceil(16)], len)
    }

    /// The first `len` floats, with unspecified contents. Allocates if there are fewer; never shrinks.
    pub fn at_least(&mut self, len: usize) -> &mut [f32] {
        if len > self.1 {
            *self = AlignedFloats::zeros(len);
        }
        &mut self.as_mut_slice()[..len]
    }

    /// All values.
    pub fn as_slice(&self) -> &[f32] {
        &bytemuck::cast_slice(&self.0)[..self.1]
    }

    /// All values, mutable.
    pub fn as_mut_slice(&mut self) -> &mut [f32] {
        &mut bytemuck::cast_slice_mut(&mut self.0)[..self.1]
    }
}
