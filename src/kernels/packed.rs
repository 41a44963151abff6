//! Weight matrices in the layout that the product reads, made once when a model is loaded.

use super::product::{self, Rows};
use super::simd::Simd;

/// A weight matrix `[out_features, in_features]`, packed for one instruction set.
#[derive(Clone, Debug)]
pub enum PackedMatrix {
    /// Single precision.
    F32(PackedF32),
}

/// Panels of f32: `[out_features / lanes][in_features][lanes]`, the last panel filled with zeros.
#[derive(Clone, Debug)]
pub struct PackedF32 {
    panels: Aligned,
    out_features: usize,
    in_features: usize,
    simd: Simd,
}

impl PackedMatrix {
    /// Packs a row-major f32 matrix. `weight` holds `out_features · in_features` values, both at least 1.
    pub fn from_f32(weight: &[f32], out_features: usize, in_features: usize, simd: Simd) -> Self {
        assert_eq!(weight.len(), out_features * in_features, "a matrix is as long as its shape says");
        let lanes = simd.lanes();
        let mut panels = Aligned::zeros(product::panels_len(in_features, out_features, lanes));
        let rows = Rows { data: weight, stride: in_features };
        product::pack_rows(rows, in_features, out_features, lanes, panels.as_mut_slice());
        PackedMatrix::F32(PackedF32 { panels, out_features, in_features, simd })
    }

    /// Length of an output row.
    pub fn out_features(&self) -> usize {
        match self {
            PackedMatrix::F32(matrix) => matrix.out_features,
        }
    }

    /// Length of an input row.
    pub fn in_features(&self) -> usize {
        match self {
            PackedMatrix::F32(matrix) => matrix.in_features,
        }
    }

    /// The instruction set it is packed for.
    pub fn simd(&self) -> Simd {
        match self {
            PackedMatrix::F32(matrix) => matrix.simd,
        }
    }

    /// Bytes in memory.
    pub fn bytes(&self) -> usize {
        match self {
            PackedMatrix::F32(matrix) => size_of_val(matrix.panels.as_slice()),
        }
    }
}

impl PackedF32 {
    pub(super) fn panels(&self) -> &[f32] {
        self.panels.as_slice()
    }
}

/// Floats that start on a cache line, so that no vector load crosses two.
#[derive(Clone, Debug, Default)]
pub(super) struct Aligned(Vec<Line>, usize);

#[repr(C, align(64))]
#[derive(Clone, Copy, Debug, bytemuck::Pod, bytemuck::Zeroable)]
struct Line([f32; 16]);

impl Aligned {
    /// `len` zeros.
    pub fn zeros(len: usize) -> Self {
        Aligned(vec![Line([0.0; 16]); len.div_ceil(16)], len)
    }

    /// At least `len` floats of any content; memory grows and never shrinks.
    pub fn at_least(&mut self, len: usize) -> &mut [f32] {
        if len > self.1 {
            *self = Aligned::zeros(len);
        }
        &mut self.as_mut_slice()[..len]
    }

    /// All of them.
    pub fn as_slice(&self) -> &[f32] {
        &bytemuck::cast_slice(&self.0)[..self.1]
    }

    /// All of them, to write.
    pub fn as_mut_slice(&mut self) -> &mut [f32] {
        &mut bytemuck::cast_slice_mut(&mut self.0)[..self.1]
    }
}
