//! Identifiers of operands.

/// Index of an activation buffer of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BufferId(pub usize);

/// Index of a parameter of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ParameterId(pub usize);

/// Adjacent columns of a row-major matrix in a buffer, for a step that reads a part of another step's result.
/// Their number follows from the step's other sizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Columns {
    /// The matrix.
    pub buffer: BufferId,
    /// Distance between its rows in floats.
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

/// A residual to add, its columns scaled by the γ that remains after folding NoNorm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Residual {
    /// `[rows, features]`.
    pub from: Columns,
    /// `[features]`; 1 where absent.
    pub scale: Option<ParameterId>,
}
