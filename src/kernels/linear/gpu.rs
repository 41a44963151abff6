//! Variants by storage of the weight and size of the tiles, and their dispatches.

use super::{Linear, LinearParameters};
use crate::error::Result;
use crate::kernels::launch::{Launch, Operand, Variant, to_u32};
use crate::kernels::operator::Dispatch;
use crate::kernels::{Binding, Kernel, Shapes, read, write};

const BINDINGS: &[Binding] = &[
    read("input_values"),
    read("weight"),
    read("bias"),
    read("residual"),
    read("scale"),
    write("output_values"),
];

/// The table entry of a variant: how a weight is read, and which accumulators an invocation keeps.
macro_rules! kernel {
    ($name:literal, $weight:literal, $accumulators:literal) => {
        Kernel {
            name: $name,
            wgsl: concat!(
                include_str!("../../../shaders/shared/activation.wgsl"),
                include_str!("../../../shaders/shared/bytes.wgsl"),
                include_str!("../../../shaders/shared/linear.wgsl"),
                include_str!(concat!("../../../shaders/shared/", $weight, ".wgsl")),
                include_str!(concat!("../../../shaders/shared/", $accumulators, ".wgsl")),
                include_str!(concat!("../../../shaders/", $name, ".wgsl"))
            ),
            parameters: LinearParameters::BLOCK,
            bindings: BINDINGS,
        }
    };
}

/// Table entry: tiles of [`WIDE_TILE`].
pub const KERNEL: Kernel = kernel!("linear", "weight_f32", "linear_wide");

/// Table entry: tiles of [`SHORT_TILE`].
pub const KERNEL_SHORT: Kernel = kernel!("linear_short", "weight_f32", "linear_short");

/// Table entry of [`KERNEL`] with a weight in 8 bits.
pub const KERNEL_Q8: Kernel = kernel!("linear_q8", "weight_q8", "linear_wide");

/// Table entry of [`KERNEL_SHORT`] with a weight in 8 bits.
pub const KERNEL_SHORT_Q8: Kernel = kernel!("linear_short_q8", "weight_q8", "linear_short");

/// All variants.
pub(super) const KERNELS: &[&Kernel] = &[&KERNEL, &KERNEL_SHORT, &KERNEL_Q8, &KERNEL_SHORT_Q8];

/// Rows and columns that a workgroup of [`KERNEL`] computes.
pub const WIDE_TILE: [usize; 2] = [32, 64];

/// Rows and columns that a workgroup of [`KERNEL_SHORT`] computes.
pub const SHORT_TILE: [usize; 2] = [8, 32];

/// Fewer workgroups of [`KERNEL`] than this may leave cores of a GPU idle.
const FEW_WORKGROUPS: u64 = 128;

impl Dispatch for Linear {
    fn launch(&self, block: LinearParameters, shapes: &Shapes<'_>) -> Result<Launch> {
        let bias = Operand::Parameter(self.bias);
        let operands = [
            Operand::Buffer(self.input),
            Operand::Parameter(self.weight),
            bias,
            self.residual.map_or(bias, |residual| Operand::Buffer(residual.buffer)),
            self.residual.and_then(|residual| residual.scale).map_or(bias, Operand::Parameter),
        ];
        let (rows, columns) = (block.rows as usize, block.out_features as usize);
        let workgroups = |tile: [usize; 2]| [columns.div_ceil(tile[1]), rows.div_ceil(tile[0]), 1];
        let (kernel, short) = match shapes.matrix(self.weight)?.in_bytes {
            true => (&KERNEL_Q8, &KERNEL_SHORT_Q8),
            false => (&KERNEL, &KERNEL_SHORT),
        };
        let mut launch = Launch::new(shapes, kernel, block, operands, workgroups(WIDE_TILE))?;
        if launch.workgroups.map(u64::from).iter().product::<u64>() < FEW_WORKGROUPS {
            let workgroups = to_u32(shapes, workgroups(SHORT_TILE))?;
            launch.short = Some(Variant { kernel: short, workgroups });
        }
        Ok(launch)
    }
}
