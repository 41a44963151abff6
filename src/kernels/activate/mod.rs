//! `output = activation(input)`, element-wise.

mod cpu;
mod gpu;

pub use cpu::run;

use super::operator::Operator;
use super::{BufferId, Kernel, Shapes, parameter_block, read, write};
use crate::config::Activation;
use crate::error::Result;
use crate::kernels::wgsl::include_wgsl;

/// `activation(input)`, element-wise.
#[derive(Clone, Debug, PartialEq)]
pub struct Activate {
    /// Any shape.
    pub input: BufferId,
    /// The function.
    pub activation: Activation,
}

parameter_block! {
    /// Parameters of `activate`.
    pub struct ActivateParameters {
        /// Number of elements.
        pub len: u32,
        /// Code of [`Activation`].
        pub activation: u32,
    }
}

/// Table entry.
pub const KERNEL: Kernel = Kernel {
    name: "activate",
    wgsl: &[
        include_wgsl!("../../../shaders/shared/activation.wgsl"),
        include_wgsl!("../../../shaders/activate.wgsl"),
    ],
    parameters: ActivateParameters::BLOCK,
    bindings: &[read("input_values"), write("output_values")],
};

/// The activation for a parameter block's code; the identity for an unknown code.
pub(super) fn activation_of(code: u32) -> Activation {
    Activation::ALL.into_iter().find(|&activation| activation as u32 == code).unwrap_or(Activation::Identity)
}

impl Operator for Activate {
    type Block = ActivateParameters;

    const KERNELS: &'static [&'static Kernel] = &[&KERNEL];

    fn reads_mut(&mut self) -> Vec<&mut BufferId> {
        vec![&mut self.input]
    }

    fn block(&self, shapes: &Shapes<'_>) -> Result<Self::Block> {
        let len = shapes.rows_of(self.input, 1)?;
        Ok(ActivateParameters { len: shapes.u32(len)?, activation: self.activation as u32 })
    }

    fn extent(&self, shapes: &Shapes<'_>) -> Result<Vec<usize>> {
        Ok(vec![shapes.output_len])
    }
}
