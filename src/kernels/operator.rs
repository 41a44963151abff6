//! The interface between operations and executors.

use super::cost::Cost;
use super::host::Host;
use super::launch::Launch;
use super::{BufferId, Columns, Kernel, ParameterId, Scratch, Shapes};
use crate::error::Result;

/// An operation with its operands: what it reads, and how its sizes are turned into the parameter block
/// shared by shader and CPU twin. Implemented in the `mod.rs` of its folder.
pub trait Operator: Clone {
    /// The parameter block.
    type Block: bytemuck::Pod;

    /// The kernels that compute it; the first one gives it its name.
    const KERNELS: &'static [&'static Kernel];

    /// The activation buffers it reads, in the order of the kernel's bindings.
    fn reads_mut(&mut self) -> Vec<&mut BufferId>;

    /// The buffers of which it can read only some columns.
    fn columns_mut(&mut self) -> Vec<&mut Columns> {
        Vec::new()
    }

    /// The parameters it reads, in the order of the kernel's bindings.
    fn parameters(&self) -> Vec<ParameterId> {
        Vec::new()
    }

    /// The tables that are indexed by inputs of the run.
    fn gathers(&self) -> Vec<(RunInput, ParameterId)> {
        Vec::new()
    }

    /// Checks that the sizes of operands, parameters and result agree, and returns the parameter block.
    ///
    /// # Errors
    /// [`crate::error::Error::Internal`] with the step's label.
    fn block(&self, shapes: &Shapes<'_>) -> Result<Self::Block>;

    /// The sizes that describe the work: those of the result, or `rows × in × out` of a matrix product.
    ///
    /// # Errors
    /// Same as [`Operator::block`].
    fn extent(&self, shapes: &Shapes<'_>) -> Result<Vec<usize>>;

    /// Arithmetic and memory traffic; `stored` returns the bytes of a whole parameter on its device.
    ///
    /// # Errors
    /// Same as [`Operator::block`].
    fn cost(&self, shapes: &Shapes<'_>, stored: &dyn Fn(ParameterId) -> u64) -> Result<Cost> {
        Cost::of(self, shapes, stored, 0)
    }
}

/// The CPU twin of an operation's shader, in `cpu.rs`.
pub trait Twin: Operator {
    /// Computes the result from operands whose sizes have been checked.
    ///
    /// # Errors
    /// [`crate::error::Error::Internal`] if an operand isn't loaded.
    fn compute(
        &self,
        block: &Self::Block,
        host: &Host<'_>,
        output: &mut [f32],
        scratch: &mut Scratch,
    ) -> Result<()>;
}

/// The dispatch of an operation's shader, in `gpu.rs`.
pub trait Dispatch: Operator {
    /// Chooses the kernel, the bindings and the workgroups.
    ///
    /// # Errors
    /// [`crate::error::Error::Internal`] if a count exceeds 32 bits.
    fn launch(&self, block: Self::Block, shapes: &Shapes<'_>) -> Result<Launch>;
}

/// Any operation, as used by executors and plans.
pub trait AnyOperator {
    /// The kernel that computes it, or the first of several.
    fn kernel(&self) -> &'static Kernel;
    /// See [`Operator::reads_mut`].
    fn reads_mut(&mut self) -> Vec<&mut BufferId>;
    /// See [`Operator::columns_mut`].
    fn columns_mut(&mut self) -> Vec<&mut Columns>;
    /// See [`Operator::parameters`].
    fn parameters(&self) -> Vec<ParameterId>;
    /// See [`Operator::gathers`].
    fn gathers(&self) -> Vec<(RunInput, ParameterId)>;

    /// Checks that the sizes of operands, parameters and result agree.
    ///
    /// # Errors
    /// Same as [`Operator::block`].
    fn check(&self, shapes: &Shapes<'_>) -> Result<()>;

    /// See [`Operator::extent`].
    ///
    /// # Errors
    /// Same as [`Operator::block`].
    fn extent(&self, shapes: &Shapes<'_>) -> Result<Vec<usize>>;

    /// See [`Operator::cost`].
    ///
    /// # Errors
    /// Same as [`Operator::block`].
    fn cost(&self, shapes: &Shapes<'_>, stored: &dyn Fn(ParameterId) -> u64) -> Result<Cost>;

    /// Checks the sizes, then computes the result on the CPU.
    ///
    /// # Errors
    /// Same as [`Operator::block`] and [`Twin::compute`].
    fn compute(
        &self,
        shapes: &Shapes<'_>,
        host: &Host<'_>,
        output: &mut [f32],
        scratch: &mut Scratch,
    ) -> Result<()>;

    /// Checks the sizes, then describes the dispatch that computes the result on a GPU.
    ///
    /// # Errors
    /// Same as [`Operator::block`] and [`Dispatch::launch`].
    fn launch(&self, shapes: &Shapes<'_>) -> Result<Launch>;
}

impl<T: Twin + Dispatch> AnyOperator for T {
    fn kernel(&self) -> &'static Kernel {
        T::KERNELS[0]
    }

    fn reads_mut(&mut self) -> Vec<&mut BufferId> {
        Operator::reads_mut(self)
    }

    fn columns_mut(&mut self) -> Vec<&mut Columns> {
        Operator::columns_mut(self)
    }

    fn parameters(&self) -> Vec<ParameterId> {
        Operator::parameters(self)
    }

    fn gathers(&self) -> Vec<(RunInput, ParameterId)> {
        Operator::gathers(self)
    }

    fn check(&self, shapes: &Shapes<'_>) -> Result<()> {
        self.block(shapes).map(drop)
    }

    fn extent(&self, shapes: &Shapes<'_>) -> Result<Vec<usize>> {
        Operator::extent(self, shapes)
    }

    fn cost(&self, shapes: &Shapes<'_>, stored: &dyn Fn(ParameterId) -> u64) -> Result<Cost> {
        Operator::cost(self, shapes, stored)
    }

    fn compute(
        &self,
        shapes: &Shapes<'_>,
        host: &Host<'_>,
        output: &mut [f32],
        scratch: &mut Scratch,
    ) -> Result<()> {
        Twin::compute(self, &self.block(shapes)?, host, output, scratch)
    }

    fn launch(&self, shapes: &Shapes<'_>) -> Result<Launch> {
        Dispatch::launch(self, self.block(shapes)?, shapes)
    }
}

/// An input of the run that holds row numbers of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunInput {
    /// `input_ids`
    InputIds,
    /// `token_type_ids`
    TokenTypeIds,
}
