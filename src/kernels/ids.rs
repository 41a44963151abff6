//! Names of what operations read and write.

/// Index of an activation buffer of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BufferId(pub usize);

/// Index of a parameter of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ParameterId(pub usize);

/// Adjacent columns of a buffer that is a row-major matrix, for a step that reads a part of what another computed. How many
/// they are follows from the step's other sizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Columns {
    /// The matrix.
    pub buffer: BufferId,
    /// Distance of its rows in floats.
    pub stride: usize,
    /// The first of the columns.
    pub first: usize,
}

impl Columns {
    /// All columns of a matrix of this width.
    pub fn all(buffer: BufferId, width: usize) -> Self {
        Columns { buffer, stride: width, first: 0 }
    }
}

/// A second operand that is added, its columns scaled by what folding NoNorm left over (γ).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Residual {
    /// `[rows, features]`.
    pub from: Columns,
    /// `[features]`; 1 where absent.
    pub scale: Option<ParameterId>,
}
