//! `output = activation(input)`, element-wise.

use super::functions;
use super::simd::{Lanes, Task};
use super::workers::Workers;
use super::{Kernel, parameter_block, read, write};
use crate::plan::Activation;

parameter_block! {
    /// Parameters of `activate`.
    pub struct ActivateParameters {
        /// Number of elements.
        pub len: u32,
        /// Code of [`crate::plan::Activation`].
        pub activation: u32,
    }
}

/// Table entry.
pub const KERNEL: Kernel = Kernel {
    name: "activate",
    wgsl: concat!(
        include_str!("../../shaders/shared/activation.wgsl"),
        include_str!("../../shaders/activate.wgsl")
    ),
    parameters: ActivateParameters::BLOCK,
    bindings: &[read("input_values"), write("output_values")],
};

/// The activation that a parameter block's code stands for; the identity for a code that no [`Activation`] has.
pub(super) fn activation_of(code: u32) -> Activation {
    const ALL: [Activation; 6] = [
        Activation::Identity,
        Activation::Relu,
        Activation::Gelu,
        Activation::GeluTanh,
        Activation::Tanh,
        Activation::Silu,
    ];
    ALL.into_iter().find(|&activation| activation as u32 == code).unwrap_or(Activation::Identity)
}

struct Part<'a> {
    input: &'a [f32],
    activation: Activation,
    output: &'a mut [f32],
}

impl Task for Part<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes<L>, const L: usize, const R: usize>(self) {
        self.output.copy_from_slice(self.input);
        functions::activate(self.activation, self.output);
    }
}

/// The CPU twin.
pub fn run(
    parameters: &ActivateParameters,
    input_values: &[f32],
    output_values: &mut [f32],
    workers: &Workers,
) {
    let activation = activation_of(parameters.activation);
    let output = &mut output_values[..parameters.len as usize];
    workers.rows(output, 1, |first, output| {
        let input = &input_values[first..first + output.len()];
        workers.simd().run(Part { input, activation, output });
    });
}
