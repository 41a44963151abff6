//! The steps of a plan.

pub use crate::config::Activation;
pub use crate::kernels::{BufferId, Columns, Operation, Residual};

/// One kernel launch. Labels are unique within a plan and start with the module's name in the checkpoint.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Unique label, e.g. `mobilebert.encoder.layer.3.attention.self.query`.
    pub label: String,
    /// The operation.
    pub operation: Operation,
    /// Buffer of the result: never one of the operands.
    pub output: BufferId,
}
