//! A step as a dispatch: parameter block, bindings, workgroups. Touches no device.

use super::{BufferId, Kernel, ParameterId, Shapes};
use crate::error::Result;

/// Workgroups per dimension that every device supports.
pub(crate) const MAX_WORKGROUPS: u32 = 65_535;
/// Invocations per workgroup of the kernels that run over a flat array.
const FLAT: usize = 64;

/// The resource for a binding of a kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operand {
    /// `input_ids` of the run.
    InputIds,
    /// `token_type_ids` of the run.
    TokenTypeIds,
    /// `attention_mask` of the run.
    AttentionMask,
    /// A constant.
    Parameter(ParameterId),
    /// The whole buffer that holds this constant and others of its group.
    Group(ParameterId),
    /// An activation.
    Buffer(BufferId),
    /// The step's result.
    Output,
}

/// One dispatch.
#[derive(Debug)]
pub struct Launch {
    /// The kernel.
    pub kernel: &'static Kernel,
    /// Its parameter block.
    pub parameters: Vec<u8>,
    /// Bindings 1.. in the kernel's order. In place of an operand that the step doesn't have, another operand
    /// of the step is bound; the parameter block says that it isn't used.
    pub operands: Vec<Operand>,
    /// Workgroups in x, y and z.
    pub workgroups: [u32; 3],
    /// The same with smaller tiles, if there are few workgroups.
    pub short: Option<Variant>,
}

/// Another kernel with the same parameter block and bindings.
#[derive(Clone, Copy, Debug)]
pub struct Variant {
    /// The kernel.
    pub kernel: &'static Kernel,
    /// Workgroups in x, y and z.
    pub workgroups: [u32; 3],
}

impl Launch {
    /// A dispatch whose last operand is the result.
    pub(super) fn new<const N: usize>(
        shapes: &Shapes<'_>,
        kernel: &'static Kernel,
        parameters: impl bytemuck::Pod,
        operands: [Operand; N],
        workgroups: [usize; 3],
    ) -> Result<Self> {
        let mut operands = operands.to_vec();
        operands.push(Operand::Output);
        let workgroups = to_u32(shapes, workgroups)?;
        if workgroups.contains(&0) || operands.len() != kernel.bindings.len() {
            return Err(shapes.error(format!("{} operands, workgroups {workgroups:?}", operands.len())));
        }
        let parameters = bytemuck::bytes_of(&parameters).to_vec();
        Ok(Launch { kernel, parameters, operands, workgroups, short: None })
    }
}

/// Workgroup counts as `u32`.
pub(super) fn to_u32(shapes: &Shapes<'_>, [x, y, z]: [usize; 3]) -> Result<[u32; 3]> {
    Ok([shapes.u32(x)?, shapes.u32(y)?, shapes.u32(z)?])
}

/// Workgroups over a flat array: x up to its maximum, then y. The kernels compute
/// `(y · workgroups.x + x) · 64 + local`.
pub(super) fn flat(len: usize) -> [usize; 3] {
    two_dimensional(len.div_ceil(FLAT))
}

/// Splits a number of workgroups that may exceed one dimension into two.
pub(super) fn two_dimensional(workgroups: usize) -> [usize; 3] {
    let y = workgroups.div_ceil(MAX_WORKGROUPS as usize).max(1);
    [workgroups.div_ceil(y), y, 1]
}
