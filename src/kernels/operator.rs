//! The interface between operations and executors.

use super::cost::Cost;
use super::host::Host;
use super::launch::Launch;
use super::{BufferId, Kernel, ParameterId, Scratch, Shapes};
use crate::error::Result;

/// An operation with its operands. Each is implemented in a folder of its own: `mod.rs` checks the sizes and turns them
/// into the parameter block, `cpu.rs` is the twin, `gpu.rs` chooses kernels and workgroups.
pub trait Operator {
    /// The kernel that computes it, or the first of several variants.
    fn kernel(&self) -> &'static Kernel;

    /// The activation buffers it reads, in the order of the kernel's bindings.
    fn reads_mut(&mut self) -> Vec<&mut BufferId>;

    /// The parameters it reads, in the order of the kernel's bindings.
    fn parameters(&self) -> Vec<ParameterId>;

    /// The table that an input of the run indexes, if there is one.
    fn gathers(&self) -> Option<(RunInput, ParameterId)> {
        None
    }

    /// Checks that the sizes of operands, parameters and result agree.
    ///
    /// # Errors
    /// [`crate::error::Error::Internal`] with the step's label.
    fn check(&self, shapes: &Shapes<'_>) -> Result<()>;

    /// The sizes that describe the work: those of the result, or `rows × in × out` of a matrix product.
    ///
    /// # Errors
    /// As [`Operator::check`].
    fn extent(&self, shapes: &Shapes<'_>) -> Result<Vec<usize>>;

    /// Arithmetic and memory traffic; `stored` returns the bytes of a whole parameter on its device.
    ///
    /// # Errors
    /// As [`Operator::check`].
    fn cost(&self, shapes: &Shapes<'_>, stored: &dyn Fn(ParameterId) -> u64) -> Result<Cost>;

    /// Has the CPU twin compute the result.
    ///
    /// # Errors
    /// As [`Operator::check`], and where an operand isn't loaded.
    fn compute(
        &self,
        shapes: &Shapes<'_>,
        host: &Host<'_>,
        output: &mut [f32],
        scratch: &mut Scratch,
    ) -> Result<()>;

    /// The dispatch that computes the result.
    ///
    /// # Errors
    /// As [`Operator::check`].
    fn launch(&self, shapes: &Shapes<'_>) -> Result<Launch>;
}

/// An input of the run that holds row numbers of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunInput {
    /// `input_ids`
    InputIds,
    /// `token_type_ids`
    TokenTypeIds,
}
