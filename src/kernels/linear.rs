//! `output = activation(input · weightᵀ + bias) + scale ∘ residual`.

use super::activate::activation_of;
use super::packed::PackedMatrix;
use super::panels::Rows;
use super::product::{Epilogue, Product};
use super::workers::Workers;
use super::{Binding, Kernel, parameter_block, read, write};

parameter_block! {
    /// Parameters of `linear`.
    pub struct LinearParameters {
        /// Rows computed.
        pub rows: u32,
        /// Length of an input row.
        pub in_features: u32,
        /// Length of an output row.
        pub out_features: u32,
        /// Distance of input rows in floats.
        pub row_stride: u32,
        /// Code of [`crate::plan::Activation`].
        pub activation: u32,
        /// 1 where a residual is added.
        pub has_residual: u32,
        /// 1 where the residual is scaled.
        pub has_scale: u32,
    }
}

const BINDINGS: &[Binding] = &[
    read("input_values"),
    read("weight"),
    read("bias"),
    read("residual"),
    read("scale"),
    write("output_values"),
];

/// The entry of one of the four: how a weight is read, and which sums an invocation keeps.
macro_rules! kernel {
    ($name:literal, $weight:literal, $sums:literal) => {
        Kernel {
            name: $name,
            wgsl: concat!(
                include_str!("../../shaders/shared/activation.wgsl"),
                include_str!("../../shaders/shared/bytes.wgsl"),
                include_str!("../../shaders/shared/linear.wgsl"),
                include_str!(concat!("../../shaders/shared/", $weight, ".wgsl")),
                include_str!(concat!("../../shaders/shared/", $sums, ".wgsl")),
                include_str!(concat!("../../shaders/", $name, ".wgsl"))
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

/// Table entry of [`KERNEL`] over a weight in 8 bits. The twin of all four is [`run`]: a [`PackedMatrix`] is of either
/// kind.
pub const KERNEL_Q8: Kernel = kernel!("linear_q8", "weight_q8", "linear_wide");

/// Table entry of [`KERNEL_SHORT`] over a weight in 8 bits.
pub const KERNEL_SHORT_Q8: Kernel = kernel!("linear_short_q8", "weight_q8", "linear_short");

/// Rows and columns that a group of [`KERNEL`] computes.
pub const WIDE_TILE: [usize; 2] = [32, 64];

/// Rows and columns that a group of [`KERNEL_SHORT`] computes.
pub const SHORT_TILE: [usize; 2] = [8, 32];

/// What the CPU twin reads, by the names of the bindings.
#[derive(Clone, Copy, Debug)]
pub struct LinearOperands<'a> {
    /// `rows` rows of `in_features`, `row_stride` apart.
    pub input_values: &'a [f32],
    /// `[out_features, in_features]`, packed for the instruction set of the workers.
    pub weight: &'a PackedMatrix,
    /// `[out_features]`.
    pub bias: &'a [f32],
    /// `[rows, out_features]` where there is one.
    pub residual: &'a [f32],
    /// `[out_features]` where the residual is scaled.
    pub scale: &'a [f32],
}

/// The CPU twin; `output_values` is `[rows, out_features]`.
pub fn run(
    parameters: &LinearParameters,
    operands: &LinearOperands<'_>,
    output_values: &mut [f32],
    workers: &Workers,
) {
    assert_eq!(
        operands.weight.simd(),
        workers.simd(),
        "a weight is packed for the instruction set that reads it"
    );
    let (panels, column_scale) = operands.weight.panels();
    let columns = parameters.out_features as usize;
    let depth = parameters.in_features as usize;
    let stride = parameters.row_stride as usize;
    let output = &mut output_values[..parameters.rows as usize * columns];
    workers.rows(output, columns, |first_row, part| {
        let residual = (parameters.has_residual != 0).then(|| &operands.residual[first_row * columns..]);
        let epilogue = Epilogue {
            column_scale,
            bias: operands.bias,
            activation: activation_of(parameters.activation),
            residual,
            scale: (parameters.has_scale != 0).then_some(operands.scale),
        };
        Product {
            input: Rows { data: &operands.input_values[first_row * stride..], stride },
            rows: part.len() / columns,
            panels,
            depth,
            columns,
            output: part,
            output_stride: columns,
            epilogue: Some(epilogue),
        }
        .run(workers.simd());
    });
}
