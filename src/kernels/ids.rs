//! Names of what operations read and write.

/// Index of an activation buffer of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BufferId(pub usize);

/// Index of a parameter of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ParameterId(pub usize);

/// A second operand that is added, its columns scaled by what folding NoNorm left over (γ).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Residual {
    /// `[rows, features]`.
    pub buffer: BufferId,
    /// `[features]`; 1 where absent.
    pub scale: Option<ParameterId>,
}
