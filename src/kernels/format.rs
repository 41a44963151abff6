//! The formats of weights.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};

/// A format of weights, in files and on devices. Kernels get its code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum WeightFormat {
    /// 32-bit floats.
    #[default]
    F32 = 0,
    /// 16-bit floats; on a device, with one f32 scale per row.
    F16 = 1,
    /// Signed bytes, with one f32 scale per row.
    Q8 = 2,
    /// Signed 4-bit values, with one f16 scale per group of 32; on a device, with one f32 scale per row, too.
    Q4 = 3,
}

impl WeightFormat {
    /// All formats.
    pub const ALL: [WeightFormat; 4] =
        [WeightFormat::F32, WeightFormat::F16, WeightFormat::Q8, WeightFormat::Q4];

    /// `f32`, `f16`, `q8` or `q4`.
    pub fn as_str(self) -> &'static str {
        match self {
            WeightFormat::F32 => "f32",
            WeightFormat::F16 => "f16",
            WeightFormat::Q8 => "q8",
            WeightFormat::Q4 => "q4",
        }
    }

    /// Consecutive values of a row in one `vec4<u32>`, the unit that kernels load.
    pub const fn unit(self) -> usize {
        match self {
            WeightFormat::F32 => 4,
            WeightFormat::F16 => 8,
            WeightFormat::Q8 => 16,
            WeightFormat::Q4 => 32,
        }
    }

    /// Bytes of a `rows × columns` matrix in units, before its scales.
    pub const fn unit_bytes(self, rows: usize, columns: usize) -> usize {
        rows * columns.div_ceil(self.unit()) * 16
    }
}

impl fmt::Display for WeightFormat {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for WeightFormat {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        WeightFormat::ALL
            .into_iter()
            .find(|format| format.as_str() == name)
            .ok_or_else(|| Error::invalid_input("dtype", format!("is {name:?}, must be f32, f16, q8 or q4")))
    }
}
