//! Variants by weight format and tile size, and their dispatches.

use super::{Linear, LinearParameters};
use crate::error::Result;
use crate::kernels::launch::{Launch, Operand, Variant, to_u32};
use crate::kernels::operator::Dispatch;
use crate::kernels::wgsl::include_wgsl;
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
            wgsl: &[
                include_wgsl!("../../../shaders/shared/activation.wgsl"),
                include_wgsl!("../../../shaders/shared/unpack.wgsl"),
                include_wgsl!("../../../shaders/shared/linear.wgsl"),
                include_wgsl!(concat!("../../../shaders/shared/", $weight, ".wgsl")),
                include_wgsl!(concat!("../../../shaders/shared/", $accumulators, ".wgsl")),
                include_wgsl!(concat!("../../../shaders/", $name, ".wgsl")),
            ],
            parameters: LinearParameters::BLOCK,
            bindings: BINDINGS,
        }
    };
}

/// Table entry: tiles of [`WIDE_TILE`].
pub const KERNEL: Kernel = kernel!("linear", "weight_f32", "linear_wide");

/// Table entry: tiles of [`SHORT_TILE`].
pub const KERNEL_SHORT: Kernel = kernel!("linear_short", "weight_f32", "linear_short");

/// Table entries of [`KERNEL`] by the weight's [`WeightFormat`].
const WIDE: [&Kernel; 4] = [
    &KERNEL,
    &kernel!("linear_f16", "weight_f16", "linear_wide"),
    &kernel!("linear_q8", "weight_q8", "linear_wide"),
    &kernel!("linear_q4", "weight_q4", "linear_wide"),
];

/// Table entries of [`KERNEL_SHORT`] by the weight's [`WeightFormat`].
const SHORT: [&Kernel; 4] = [
    &KERNEL_SHORT,
    &kernel!("linear_short_f16", "weight_f16", "linear_short"),
    &kernel!("linear_short_q8", "weight_q8", "linear_short"),
    &kernel!("linear_short_q4", "weight_q4", "linear_short"),
];

/// All variants.
pub(super) const KERNELS: &[&Kernel] =
    &[WIDE[0], SHORT[0], WIDE[1], SHORT[1], WIDE[2], SHORT[2], WIDE[3], SHORT[3]];

/// Rows and columns computed by a workgroup of [`KERNEL`].
pub const WIDE_TILE: [usize; 2] = [32, 64];

/// Rows and columns computed by a workgroup of [`KERNEL_SHORT`].
pub const SHORT_TILE: [usize; 2] = [8, 32];

/// Fewer workgroups of [`KERNEL`] than this may leave cores of a GPU idle.
const FEW_WORKGROUPS: u64 = 128;

impl Dispatch for Linear {
    fn launch(&self, block: LinearParameters, shapes: &Shapes<'_>) -> Result<Launch> {
        let bias = Operand::Parameter(self.bias);
        let operands = [
            Operand::Buffer(self.input.buffer),
            Operand::Parameter(self.weight),
            bias,
            self.residual.map_or(bias, |residual| Operand::Buffer(residual.from.buffer)),
            self.residual.and_then(|residual| residual.scale).map_or(bias, Operand::Parameter),
        ];
        let (rows, columns) = (block.rows as usize, block.out_features as usize);
        let workgroups = |tile: [usize; 2]| [columns.div_ceil(tile[1]), rows.div_ceil(tile[0]), 1];
        let format = shapes.matrix(self.weight)?.format as usize;
        let mut launch = Launch::new(shapes, WIDE[format], block, operands, workgroups(WIDE_TILE))?;
        if launch.workgroups.map(u64::from).iter().product::<u64>() < FEW_WORKGROUPS {
            let workgroups = to_u32(shapes, workgroups(SHORT_TILE))?;
            launch.short = Some(Variant { kernel: SHORT[format], workgroups });
        }
        Ok(launch)
    }
}
