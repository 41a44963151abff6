//! Storage formats of a parameter's values on a GPU.

/// A storage format on the device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum Format {
    /// Floats.
    #[default]
    F32 = 0,
    /// 16-bit floats, with one f32 scale per row.
    F16 = 1,
    /// Signed bytes, with one f32 scale per row.
    Q8 = 2,
    /// Signed 4-bit values, with one f16 scale per group of 32 and one f32 scale per row.
    Q4 = 3,
}

impl Format {
    /// All formats.
    pub const ALL: [Format; 4] = [Format::F32, Format::F16, Format::Q8, Format::Q4];

    /// Consecutive values of a row in one `vec4<u32>`, the unit that kernels load.
    pub const fn unit(self) -> usize {
        match self {
            Format::F32 => 4,
            Format::F16 => 8,
            Format::Q8 => 16,
            Format::Q4 => 32,
        }
    }

    /// Bytes of a `rows × columns` matrix in units, before its scales.
    pub const fn unit_bytes(self, rows: usize, columns: usize) -> usize {
        rows * columns.div_ceil(self.unit()) * 16
    }
}
