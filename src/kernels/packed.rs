//! Weight matrices in the layout that the product reads, made once when a model is loaded.

use super::panels::{self, Panels, Rows};
use super::simd::Simd;

/// A weight matrix `[out_features, in_features]`, packed for one instruction set.
#[derive(Clone, Debug)]
pub struct PackedMatrix {
    values: Values,
    out_features: usize,
    in_features: usize,
    simd: Simd,
}

/// Panels, see [`panels`].
#[derive(Clone, Debug)]
enum Values {
    F32(Aligned),
    /// A row of the matrix is its bytes times its scale.
    Q8 {
        panels: Vec<i8>,
        scales: Vec<f32>,
    },
}

impl PackedMatrix {
    /// Packs a row-major f32 matrix. `weight` holds `out_features · in_features` values, both at least 1.
    pub fn from_f32(weight: &[f32], out_features: usize, in_features: usize, simd: Simd) -> Self {
        assert_eq!(weight.len(), out_features * in_features, "a matrix is as long as its shape says");
        let lanes = simd.lanes();
        let mut panels = Aligned::zeros(panels::panels_len(in_features, out_features, lanes));
        let rows = Rows { data: weight, stride: in_features };
        panels::pack_rows(rows, in_features, out_features, lanes, panels.as_mut_slice());
        PackedMatrix { values: Values::F32(panels), out_features, in_features, simd }
    }

    /// Packs a row-major matrix of bytes with a scale a row; there is at least one row, and one column.
    pub fn from_q8(weight: &[i8], scales: Vec<f32>, in_features: usize, simd: Simd) -> Self {
        let out_features = scales.len();
        assert_eq!(weight.len(), out_features * in_features, "a matrix is as long as its shape says");
        let panels = panels::pack_bytes(weight, in_features, simd.lanes());
        PackedMatrix { values: Values::Q8 { panels, scales }, out_features, in_features, simd }
    }

    /// Length of an output row.
    pub fn out_features(&self) -> usize {
        self.out_features
    }

    /// Length of an input row.
    pub fn in_features(&self) -> usize {
        self.in_features
    }

    /// The instruction set it is packed for.
    pub fn simd(&self) -> Simd {
        self.simd
    }

    /// Bytes in memory.
    pub fn bytes(&self) -> usize {
        match &self.values {
            Values::F32(panels) => size_of_val(panels.as_slice()),
            Values::Q8 { panels, scales } => panels.len() + size_of_val(scales.as_slice()),
        }
    }

    /// The panels, and the factors of their sums where they have some.
    pub(super) fn panels(&self) -> (Panels<'_>, Option<&[f32]>) {
        match &self.values {
            Values::F32(panels) => (Panels::F32(panels.as_slice()), None),
            Values::Q8 { panels, scales } => (Panels::I8(panels), Some(scales)),
        }
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
